from pathlib import Path

import pytest

from db.errors import ExplorerError
from ingest import unsplash
from ingest.unsplash import read_photos

HEADER = "photo_id\tphoto_image_url\tphoto_submitted_at\n"


def dataset(folder: Path, photos: int = 3, keywords: str = "") -> Path:
    rows = [f"p{n}\thttps://host/{n}\t2020-01-0{n + 1} 09:08:07.5\n" for n in range(photos)]
    (folder / "photos.csv000").write_text(HEADER + "".join(rows))
    if keywords:
        (folder / "keywords.csv000").write_text(keywords)
    return folder


def test_a_folder_stands_for_its_photos_tables_in_order(tmp_path: Path) -> None:
    for part in ("001", "000", "010"):
        (tmp_path / f"photos.csv{part}").write_text(f"{HEADER}p{part}\thttps://host/a\t\n")
    (tmp_path / "colors.csv000").write_text("nothing of ours")
    assert [photo.id for photo in read_photos([tmp_path]).photos] == ["p000", "p001", "p010"]


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError) as refusal:
        read_photos([tmp_path])
    assert str(refusal.value) == (
        f"{tmp_path} holds no photos.csv000 or photos.tsv000: give the folder of an Unsplash "
        "dataset, or its photos tables"
    )


def test_the_day_of_submission_comes_along(tmp_path: Path) -> None:
    assert [p.submitted for p in read_photos([dataset(tmp_path, 2)]).photos] == [
        "2020-01-01",
        "2020-01-02",
    ]


def test_the_strongest_keywords_come_along_those_of_people_first(tmp_path: Path) -> None:
    words = [
        "photo_id\tkeyword\tai_service_1_confidence\tai_service_2_confidence\tsuggested_by_user",
        "p0\tlake\t10.5\t\tf",
        "p0\tboat\t\t99.9\tf",
        'p0\tmy dog\'s "lake"\t\t\tt',
        "p0\tboat\t3\t3\tf",
        "p0\t\t99\t\tf",
        "p9\tnobody's\t99\t\tf",
        *[f"p1\tword{n:02d}\t{n}\t\tf" for n in range(15)],
    ]
    photos = read_photos([dataset(tmp_path, keywords="\n".join(words))]).photos
    assert photos[0].keywords == ('my dog\'s "lake"', "boat", "lake")
    assert photos[1].keywords == tuple(f"word{n:02d}" for n in range(14, 4, -1))
    assert photos[2].keywords == ()


def test_confirmed_keywords_come_first_as_release_1_4_0_has_them(tmp_path: Path) -> None:
    """Its columns, and 40 keywords a photo of which few are confirmed, all late in the alphabet."""
    header = "photo_id\tkeyword\tai_service_1_confidence\tai_service_2_confidence\t"
    header += "suggested_by_user\tuser_suggestion_source\tconfirmed_by_ai_service_3"
    rows = [f"p0\tabstract{n:02d}\t\t\tf\t\tf" for n in range(30)]
    rows += ["p0\twater\t80.5\t\tf\t\tt", "p0\tyacht\t\t\tf\t\ttrue", "p0\tzoo\t\t99\tf\t\tT"]
    rows += ["p0\tmine\t\t\tt\tupload\tf", "p0\tours\t\t\tt\tupload\tt", "p0\tsure\t99.9\t\tf\t\t"]
    rows += ["p1\tboat\t\t\tf\t\tf", "p1\tlake\tnan\tinf\tf\t\tno", "p1\tsea\t-5\t1e9\tf\t\t97.5"]
    photos = read_photos([dataset(tmp_path, keywords="\n".join([header, *rows]))]).photos
    expected = ("ours", "zoo", "water", "yacht", "mine", "sure")
    assert photos[0].keywords[:6] == expected
    assert photos[0].keywords[6:] == tuple(f"abstract{n:02d}" for n in range(4))
    assert photos[1].keywords == ("sea", "lake", "boat")


def test_keywords_are_the_same_however_the_tables_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "photo_id\tkeyword\tai_service_1_confidence\n"
    rows = [f"p{n % 3}\tword{n * 7 % 40:02d}\t{n * 13 % 50}\n" for n in range(200)]
    whole = dataset(tmp_path, keywords=header + "".join(rows))
    expected = [photo.keywords for photo in read_photos([whole]).photos]
    monkeypatch.setattr(unsplash, "_ROWS", 7)
    assert [photo.keywords for photo in read_photos([whole]).photos] == expected
    (tmp_path / "keywords.csv000").write_text(header + "".join(rows[:60]))
    (tmp_path / "keywords.csv001").write_text(header + "".join(rows[60:]))
    assert [photo.keywords for photo in read_photos([whole]).photos] == expected


@pytest.mark.parametrize("broken", ["keyword\tscore\nlake\t1\n", "", "photo_id\tkeyword\np0\t\xff"])
def test_keywords_that_can_not_be_read_are_said_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    dataset(tmp_path)
    (tmp_path / "keywords.csv000").write_bytes(broken.encode("latin-1"))
    assert [photo.keywords for photo in read_photos([tmp_path]).photos] == [()] * 3
    assert caplog.messages[0].startswith(f"no keywords from {tmp_path / 'keywords.csv000'}: ")


def test_a_quote_that_nobody_closes_swallows_no_rows(tmp_path: Path) -> None:
    table = tmp_path / "photos.csv000"
    table.write_text(
        "photo_id\tphoto_image_url\tphoto_description\n"
        'a\thttps://host/a\t"never closed\nb\thttps://host/b\tfine\n'
    )
    listing = read_photos([table])
    found = {photo.id: photo.description for photo in listing.photos}
    assert (found, listing.bad_rows) == ({"a": '"never closed', "b": "fine"}, [])


def test_odd_rows_neither_break_nor_shift_anything(tmp_path: Path) -> None:
    long = "x" * 100_000
    descriptions = ['says ""hi""', "tab\there", "line\nbreak", "emoji 🐶", "it's NA", long, "a\rb"]
    rows = [f'p{n}\thttps://host/{n}\t"{text}"\tNO' for n, text in enumerate(descriptions)]
    header = "photo_id\tphoto_image_url\tphoto_description\tphoto_location_country"
    table = tmp_path / "photos.csv000"
    text = "\n".join([header, *rows, "nul\thttps://host/nul\ta\x00b\tNO", "short\thttps://h/s", ""])
    table.write_text(text, newline="")
    photos = read_photos([table]).photos
    assert [photo.id for photo in photos] == [*(f"p{n}" for n in range(7)), "nul", "short"]
    assert [photo.description for photo in photos[:7]] == [
        text.replace('""', '"') for text in descriptions
    ]
    assert [photo.country for photo in photos] == ["NO"] * 8 + [""]
