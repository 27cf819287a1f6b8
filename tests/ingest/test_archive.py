import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from db.errors import ExplorerError
from ingest import archive as archives
from ingest.archive import Archive
from ingest.retry import Retries, Stopped
from tests.photo_host import Answer, PhotoHost, photo_host

PHOTOS = "photo_id\tphoto_image_url\na\thttps://host/a\n"
ETAG = {"ETag": '"one"'}


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


def packed(**files: str | bytes) -> bytes:
    """A zip; an underscore in a name stands for a dot, two for a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)
    return buffer.getvalue()


BODY = packed(photos_csv000=PHOTOS, keywords_csv000="photo_id\n" * 50_000, colors_csv000="x" * 9999)


def archive_at(host: PhotoHost, folder: Path, version: str = "9.9", **pace: float) -> Archive:
    retries = Retries(**{"attempts": 3, "first_wait": 0.001, **pace})  # type: ignore[arg-type]
    return Archive(f"{host.url}/lite/", version, folder, retries)


def silent(step: str, share: float | None) -> None:
    pass


def part(body: bytes, start: int, of: int | None = None) -> Answer:
    whole = f"bytes {start}-{len(body) - 1}/{of or len(body)}"
    return Answer(body[start:], 206, headers={"Content-Range": whole, **ETAG})


def test_the_tables_are_unpacked_and_nothing_else_is_kept(host: PhotoHost, tmp_path: Path) -> None:
    host.serve("/lite/9.9", Answer(BODY))
    steps: list[tuple[str, float | None]] = []
    folder = archive_at(host, tmp_path).tables(lambda *step: steps.append(step))
    assert (folder / "photos.csv000").read_text() == PHOTOS
    assert {path.name for path in folder.iterdir()} == {"photos.csv000", "keywords.csv000"}
    assert [path.name for path in tmp_path.iterdir()] == ["9.9"]
    assert ("Downloading the archive", 1.0) in steps
    assert steps[-1] == ("Unpacking the archive", None)


def test_what_is_unpacked_is_not_downloaded_again(host: PhotoHost, tmp_path: Path) -> None:
    host.serve("/lite/9.9", Answer(BODY))
    first = archive_at(host, tmp_path).tables(silent)
    assert archive_at(host, tmp_path).tables(silent) == first
    assert len(host.asked) == 1


def test_tables_in_a_folder_of_the_archive_are_found(host: PhotoHost, tmp_path: Path) -> None:
    host.serve("/lite/9.9", Answer(packed(lite__photos_tsv000=PHOTOS, lite__TERMS_md="terms")))
    folder = archive_at(host, tmp_path).tables(silent)
    assert [path.name for path in folder.iterdir()] == ["photos.tsv000"]


def test_redirects_are_followed(host: PhotoHost, tmp_path: Path) -> None:
    host.serve("/lite/9.9", Answer(b"", 302, location="/elsewhere.zip"))
    host.serve("/elsewhere.zip", Answer(BODY))
    assert archive_at(host, tmp_path).tables(silent).is_dir()


@pytest.mark.parametrize("length", ["banana", "-5", "1e9"])
def test_a_length_that_is_none_ends_no_download(
    host: PhotoHost, tmp_path: Path, length: str
) -> None:
    host.serve("/lite/9.9", Answer(BODY, length=length))
    assert archive_at(host, tmp_path).tables(silent).is_dir()


def test_several_lengths_at_once_are_one_line(host: PhotoHost, tmp_path: Path) -> None:
    host.serve("/lite/9.9", Answer(BODY, length="5, 6"))
    with pytest.raises(ExplorerError, match=r"^Can't download .*/lite/9\.9: "):
        archive_at(host, tmp_path).tables(silent)


def test_a_host_that_drips_its_head_is_given_up(
    host: PhotoHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "HEAD_TIMEOUT", 0.2)
    host.serve("/lite/9.9", Answer(drips_head=0.02))
    with pytest.raises(ExplorerError, match=r"^Can't download .*/lite/9\.9: timed out\. "):
        archive_at(host, tmp_path).tables(silent)


def test_a_damaged_note_of_what_was_downloaded_starts_anew(host: PhotoHost, tmp_path: Path) -> None:
    (tmp_path / "9.9.zip.part").write_bytes(b"half")
    (tmp_path / "9.9.zip.validator").write_bytes(b"\xff\nEvil: header")
    host.serve("/lite/9.9", Answer(BODY))
    assert archive_at(host, tmp_path).tables(silent).is_dir()
    assert "Range" not in host.headers[0]


# --- downloading in several goes --------------------------------------------------------------


def test_a_broken_download_goes_on_where_it_broke(host: PhotoHost, tmp_path: Path) -> None:
    half = len(BODY) // 2
    cut = Answer(BODY[:half], missing=len(BODY) - half, headers=ETAG)
    host.serve("/lite/9.9", cut, part(BODY, half))
    folder = archive_at(host, tmp_path).tables(silent)
    assert (folder / "photos.csv000").read_text() == PHOTOS
    assert host.headers[1]["Range"] == f"bytes={half}-"
    assert host.headers[1]["If-Range"] == '"one"'


def test_more_breaks_than_attempts_do_no_harm_while_it_gets_further(
    host: PhotoHost, tmp_path: Path
) -> None:
    cuts = [n * len(BODY) // 9 for n in range(1, 9)]
    answers = [Answer(BODY[: cuts[0]], missing=len(BODY) - cuts[0], headers=ETAG)]
    for start, end in zip(cuts, [*cuts[1:], len(BODY)], strict=True):
        whole = {"Content-Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"}
        answers.append(Answer(BODY[start:end], 206, missing=len(BODY) - end, headers=whole))
    host.serve("/lite/9.9", *answers)
    assert archive_at(host, tmp_path, attempts=2).tables(silent).is_dir()
    assert len(host.asked) == 9


def test_the_next_run_goes_on_too(host: PhotoHost, tmp_path: Path) -> None:
    half = len(BODY) // 2
    cut = Answer(BODY[:half], missing=len(BODY) - half, headers=ETAG)
    host.serve("/lite/9.9", cut, Answer(b"", 503))
    with pytest.raises(ExplorerError) as refusal:
        archive_at(host, tmp_path).tables(silent)
    assert str(refusal.value) == (
        f"Can't download {host.url}/lite/9.9: HTTP 503. What is there of it stays: run it again "
        "to go on, or name the tables of a dataset that you have (--photos)"
    )
    host.serve("/lite/9.9", part(BODY, half))
    assert archive_at(host, tmp_path).tables(silent).is_dir()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(BODY, headers={"ETag": '"two"'}),  # it changed, or the host knows no ranges
        Answer(BODY[9:], 206, headers={"Content-Range": f"bytes 9-{len(BODY) - 1}/{len(BODY)}"}),
        Answer(b"", 416, headers={"Content-Range": "bytes */5"}),
    ],
)
def test_a_file_that_is_another_now_is_downloaded_from_the_start(
    host: PhotoHost, tmp_path: Path, answer: Answer
) -> None:
    old = packed(photos_csv000="photo_id\tphoto_image_url\nold\thttps://host/old\n")
    cut = Answer(old[:99], missing=len(old) - 99, headers=ETAG)
    host.serve("/lite/9.9", cut, answer, Answer(BODY))
    folder = archive_at(host, tmp_path).tables(silent)
    assert (folder / "photos.csv000").read_text() == PHOTOS


def test_without_a_validator_nothing_is_resumed(host: PhotoHost, tmp_path: Path) -> None:
    host.serve("/lite/9.9", Answer(BODY[:99], missing=len(BODY) - 99), Answer(BODY))
    assert archive_at(host, tmp_path).tables(silent).is_dir()
    assert "Range" not in host.headers[1]


def test_a_download_that_was_complete_when_it_was_killed_is_not_repeated(
    host: PhotoHost, tmp_path: Path
) -> None:
    (tmp_path / "9.9.zip.part").write_bytes(BODY)
    (tmp_path / "9.9.zip.validator").write_text('"one"')
    whole = {"Content-Range": f"bytes */{len(BODY)}"}
    host.serve("/lite/9.9", Answer(b"", 416, headers=whole))
    assert archive_at(host, tmp_path).tables(silent).is_dir()


def test_a_killed_unpacking_is_begun_anew(host: PhotoHost, tmp_path: Path) -> None:
    (tmp_path / "9.9.unpacking").mkdir()
    (tmp_path / "9.9.unpacking" / "photos.csv000").write_text("half a ta")
    host.serve("/lite/9.9", Answer(BODY))
    folder = archive_at(host, tmp_path).tables(silent)
    assert (folder / "photos.csv000").read_text() == PHOTOS


def test_a_stop_ends_the_download_and_keeps_what_is_there(
    host: PhotoHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_PIECE", 64)
    host.serve("/lite/9.9", Answer(BODY, headers=ETAG))
    stop = Event()
    archive = Archive(f"{host.url}/lite", "9.9", tmp_path, Retries(stop))
    with pytest.raises(Stopped):
        archive.tables(lambda step, share: stop.set())
    assert 0 < (tmp_path / "9.9.zip.part").stat().st_size < len(BODY)


# --- what is refused --------------------------------------------------------------------------


def refused(host: PhotoHost, folder: Path, body: bytes, version: str = "9.9") -> str:
    host.serve(f"/lite/{version}", Answer(body))
    with pytest.raises(ExplorerError) as refusal:
        archive_at(host, folder, version).tables(silent)
    assert not (folder / f"{version}.zip.part").exists()
    assert not (folder / version).exists()
    return str(refusal.value)


def test_a_known_release_must_have_its_checksum(
    host: PhotoHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = packed(photos_csv000="another table")
    found, expected = (hashlib.sha256(body).hexdigest() for body in (other, BODY))
    monkeypatch.setattr(archives, "CHECKSUMS", {"1.4.0": expected})
    assert refused(host, tmp_path, other, "1.4.0") == (
        f"{host.url}/lite/1.4.0 is not the archive that it should be: its SHA-256 is {found}, not "
        f"{expected}. It was deleted: run it again to download it anew, or name the tables "
        "of a dataset that you have (--photos)"
    )
    host.serve("/lite/1.4.0", Answer(BODY))
    assert archive_at(host, tmp_path, "1.4.0").tables(silent).is_dir()


def test_an_unknown_release_is_said_to_be_unknown(
    host: PhotoHost, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host.serve("/lite/latest", Answer(BODY))
    archive_at(host, tmp_path, "latest").tables(silent)
    assert caplog.messages == [
        "no checksum is known of version latest: only the archive's own are checked"
    ]


def test_a_broken_member_of_an_unknown_release_is_refused(host: PhotoHost, tmp_path: Path) -> None:
    body = bytearray(packed(photos_csv000=PHOTOS, colors_csv000="x" * 9999))
    body[body.index(b"colors.csv000") + len("colors.csv000") + 4] ^= 0xFF
    assert " is not the archive that it should be: " in refused(host, tmp_path, bytes(body))


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"PK\x03\x04", BODY[:-30]])
def test_what_is_no_zip_is_refused(host: PhotoHost, tmp_path: Path, body: bytes) -> None:
    assert "is not the archive that it should be: File is not a zip file." in refused(
        host, tmp_path, body
    )


@pytest.mark.parametrize(
    "name", ["../photos.csv000", "/photos.csv000", "a/../../photos.csv000", "C:/photos.csv000"]
)
def test_a_path_that_leads_out_of_the_folder_is_refused(
    host: PhotoHost, tmp_path: Path, name: str
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("photos.csv001", PHOTOS)
        archive.writestr(name, PHOTOS)
    said = refused(host, tmp_path, buffer.getvalue())
    assert f"{name} in it leads out of its folder. It was deleted" in said


def test_backslashes_and_links_are_refused(host: PhotoHost, tmp_path: Path) -> None:
    member = zipfile.ZipInfo("photos.csv000")
    member.external_attr = 0o120777 << 16
    for name, content in ((member, "/etc/passwd"), ("..\\photos.csv000", PHOTOS)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, content)
        assert "leads out of its folder" in refused(host, tmp_path, buffer.getvalue())


def test_an_archive_without_photos_is_refused(host: PhotoHost, tmp_path: Path) -> None:
    assert "it holds no table photos.csv000 or photos.tsv000" in refused(
        host, tmp_path, packed(keywords_csv000="a", photos_txt="b")
    )


def test_two_tables_of_one_name_are_refused(host: PhotoHost, tmp_path: Path) -> None:
    said = refused(host, tmp_path, packed(a__photos_csv000="a", b__photos_csv000="b"))
    assert "is not the archive that it should be: " in said


def test_a_release_that_is_not_there_is_one_line(host: PhotoHost, tmp_path: Path) -> None:
    with pytest.raises(ExplorerError) as refusal:
        archive_at(host, tmp_path).tables(silent)
    assert str(refusal.value) == (
        f"Can't download {host.url}/lite/9.9: HTTP 404. Check --version and UNSPLASH_URL, or name "
        "the tables of a dataset that you have (--photos)"
    )


@pytest.mark.parametrize("version", ["", "../1", "a/b", "x" * 40, "1 4", ".."])
def test_what_is_no_version_is_refused(host: PhotoHost, tmp_path: Path, version: str) -> None:
    with pytest.raises(ExplorerError, match=r"is none: write 1\.4\.0, or latest$"):
        archive_at(host, tmp_path, version)


def test_tables_that_don_t_fit_on_the_disk_are_one_line(
    host: PhotoHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.serve("/lite/9.9", Answer(BODY))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(9, 9, 9))  # type: ignore[attr-defined]
    with pytest.raises(ExplorerError, match=r"free some space and run it again$"):
        archive_at(host, tmp_path).tables(silent)
    monkeypatch.undo()
    # What was downloaded is still there.
    whole = {"Content-Range": f"bytes */{len(BODY)}"}
    host.serve("/lite/9.9", Answer(BODY, headers=whole))
    assert archive_at(host, tmp_path).tables(silent).is_dir()


@pytest.mark.parametrize("who", ["u:s3cr3tpw", "u:s3cr3tpw/x", "u:a@s3cr3tpw", "u:[s3cr3tpw", "u:"])
def test_the_password_of_a_mirror_is_in_no_message(tmp_path: Path, who: str) -> None:
    archive = Archive(f"http://{who}@127.0.0.1:1/lite", "9.9", tmp_path, Retries(attempts=1))
    with pytest.raises(
        ExplorerError, match=r"^Can't download http://127\.0\.0\.1:1/lite/9\.9: "
    ) as told:
        archive.tables(silent)
    assert "s3cr3tpw" not in str(told.value)
