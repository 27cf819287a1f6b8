"""Tables with broken rows and bytes: what is whole comes in, the rest is named in few words."""

import bz2
import gzip
import lzma
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from db.errors import ExplorerError
from ingest.sources import FolderSource, UnsplashSource
from ingest.tables import LONGEST_LINE
from ingest.unsplash import Listing, read_photos

HEADER = "photo_id\tphoto_image_url\tphoto_description\n"


def line(photo: str, words: str = "words") -> str:
    return f"{photo}\thttps://host/{photo}\t{words}\n"


def listing(path: Path, *lines: str) -> Listing:
    path.write_text(HEADER + "".join(lines), newline="", errors="surrogateescape")
    return read_photos([path])


def ids(found: Listing) -> list[str]:
    return [photo.id for photo in found.photos]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "photos.tsv000"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line("x", "a\tb\tc"), "5 fields where the first line has 3"),
        (line("x", "w" * 200_000), "a field is too long"),
        (line("x", f'"{"w" * 200_000}"'), "a field is too long"),
        ('x\t"never closed\n', "a quote is not closed"),
        (line("x" * 3_000), "its photo_id is over 2,000 characters long"),
        ("x\thttps://host/" + "x" * 3_000 + "\t\n", "its photo_image_url is over 2,000 characters"),
        ("x\udcff\thttps://host/x\t\n", "its photo_id is not UTF-8"),
    ],
)
def test_a_bad_row_is_named_and_no_other_is_lost(table: Path, bad: str, reason: str) -> None:
    found = listing(table, line("a"), bad, line("b"), line("c", 'in "quotes"'))
    assert ids(found) == ["a", "b", "c"]
    [said] = found.bad_rows
    assert said.startswith(f"photos.tsv000, line 3: {reason}")
    assert len(said) < 120


def test_bad_rows_among_many_lines_are_named_by_their_own(table: Path) -> None:
    rows = [line(f"p{n}", '"two\nlines"' if n % 3 else "one") for n in range(50)]
    rows[20] = line("p20", "a\tb")
    rows[30] = 'p30\t"https://host/p30\n'
    found = listing(table, *rows)
    assert ids(found) == [f"p{n}" for n in range(50) if n not in (20, 30)]
    lines = [2 + sum(row.count("\n") for row in rows[:bad]) for bad in (20, 30)]
    assert [said.split(":")[0] for said in found.bad_rows] == [
        f"photos.tsv000, line {number}" for number in lines
    ]


def test_bytes_that_are_no_utf_8_cost_no_row(table: Path) -> None:
    [photo] = listing(table, line("a", "caf\udce9")).photos
    assert photo.description == "caf\ufffd"


def test_lines_that_quote_all_over_are_read(table: Path) -> None:
    """Each row has a quote that is not closed; two of them close each other's."""
    rows = [line(f"p{n}", f'"says {n}') for n in range(300)]
    found = listing(table, *rows)
    assert ids(found) == [f"p{n}" for n in range(300)]
    assert found.photos[7].description == '"says 7'


def test_whatever_is_mixed_in_the_good_rows_come_in_and_nothing_but_the_fault_is_raised(
    table: Path,
) -> None:
    rng = random.Random(3)  # noqa: S311
    pieces = ['"', "\t", "\n", "\r", "\0", "x" * 50, '""', "\udcff", "é🐶", "\\", "'", ","]
    for _ in range(150):
        junk = "".join(rng.choices(pieces, k=rng.randrange(1, 9)))
        found = listing(table, line("a"), f"{junk}\n", line("b"), line("c"))
        assert ids(found)[:1] == ["a"], junk
        assert ids(found)[-1:] == ["c"], junk


def test_a_wide_table_is_read(table: Path) -> None:
    columns = [f"column_{n}" for n in range(200_000)]
    columns[5], columns[199_999] = "photo_id", "photo_image_url"
    values = ["v"] * 200_000
    rows = []
    for n in range(5):
        values[5], values[199_999] = f"p{n}", f"https://host/{n}"
        rows.append("\t".join(values))
    table.write_text("\n".join(["\t".join(columns), *rows]))
    found = read_photos([table])
    assert [photo.url for photo in found.photos] == [f"https://host/{n}" for n in range(5)]


# --- what is packed ---------------------------------------------------------------------------


def zipped(content: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photos.tsv000", content)


PACKERS: dict[str, Callable[[bytes, Path], object]] = {
    "gz": lambda content, path: path.write_bytes(gzip.compress(content)),
    "bz2": lambda content, path: path.write_bytes(bz2.compress(content)),
    "xz": lambda content, path: path.write_bytes(lzma.compress(content)),
    "zip": zipped,
}


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_table_is_read_and_a_broken_one_is_one_line(tmp_path: Path, kind: str) -> None:
    rng = random.Random(4)  # noqa: S311
    text = HEADER + "".join(line(f"p{n}", rng.randbytes(20).hex()) for n in range(2_000))
    path = tmp_path / f"photos.tsv000.{kind}"
    PACKERS[kind](text.encode(), path)
    whole = path.read_bytes()
    assert len(read_photos([path]).photos) == 2_000
    broken = [whole[:-400], whole[: len(whole) // 2], whole[:20]]
    middle = len(whole) // 2
    broken.append(whole[:middle] + b"\0" * 600 + whole[middle + 600 :])
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(ExplorerError) as refusal:
            read_photos([path])
        assert str(refusal.value).startswith(f"Can't read {path}: ")
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("ending", ["zip", "xz", "gz", "bz2", "parquet", "zst", "csv"])
def test_what_only_has_the_name_of_something_else_is_one_line(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"photos.{ending}"
    for content in (b"root:x:0:0:secret\n", b"PAR1" + bytes(100) + b"PAR1", b"PK\x03\x04junk"):
        path.write_bytes(content)
        with pytest.raises(ExplorerError) as refusal:
            read_photos([path])
        assert "\n" not in str(refusal.value)
        assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [
        b"password,hunter2,AKIA\n1,2,3\n",
        b"s3cret " * 2_000_000,
        b"a," * (LONGEST_LINE // 2 + 1) + b"\n",
        b'"' + b"hunter2\n" * 50_000,
        bytes(range(256)) * 1_000,
    ],
)
def test_nothing_of_a_file_that_is_no_table_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(ExplorerError) as refusal:
        read_photos([path])
    said = str(refusal.value).replace(str(path), "")
    assert len(said) < 160
    assert not any(word in said for word in ("hunter2", "AKIA", "s3cret"))


def test_an_archive_of_several_files_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    with pytest.raises(ExplorerError, match=r"it packs 2 files, not one: unpack it"):
        read_photos([path])


# --- paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["x" * 300, "/".join(["y" * 200] * 30), "a\0b", "loop/a", "loop", "\udcff\0"]
)
def test_a_path_that_can_not_be_opened_is_one_short_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = Path(f"{tmp_path}/{name}")
    for source in (lambda: UnsplashSource([path]).photos(), lambda: FolderSource(path).photos()):
        with pytest.raises(ExplorerError) as refusal:
            source()
        said = str(refusal.value)
        assert len(said) < 350
        assert said.isprintable(), said


def test_a_folder_given_as_a_table_without_tables_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photos.csv000")
    with pytest.raises(ExplorerError, match="holds no photos"):
        read_photos([tmp_path])
    with pytest.raises(ExplorerError, match="is no file"):
        read_photos([tmp_path / "photos.csv000"])
