import os
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from db.errors import ExplorerError
from ingest.retry import Stopped
from ingest.sources import FolderSource, SampleSource, UnsplashSource, read_url
from tests.ingest.photos import write_photos
from tests.photo_host import Answer, photo_host

COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}

# Of the real table's columns, in its order, those that the explorer reads, and two that it doesn't.
HEADER = (
    "photo_id",
    "photo_url",
    "photo_image_url",
    "photo_submitted_at",
    "photo_featured",
    "photo_width",
    "photo_height",
    "photo_description",
    "photographer_username",
    "photographer_first_name",
    "photographer_last_name",
    "photo_location_country",
    "ai_description",
)


def picture(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), COLOURS[colour]).save(path, "PNG")
    return path


def table(
    path: Path, *rows: dict[str, str], header: tuple[str, ...] = HEADER, separator: str = "\t"
) -> Path:
    lines = [separator.join(header)]
    lines += [separator.join(row.get(name, "") for name in header) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def row(photo_id: str, **facts: str) -> dict[str, str]:
    url = f"https://images.unsplash.com/{photo_id}"
    return {"photo_id": photo_id, "photo_image_url": url, **facts}


# --- a folder ---------------------------------------------------------------------------------


def test_every_image_below_the_folder_is_found_and_nothing_else(tmp_path: Path) -> None:
    names = ["a.jpg", "b.JPEG", "c.png", "d.webp", "e.gif", "deep/er/f.jpg"]
    names += ["g.jfif", "h.JPE", "i.tif", "j.TIFF", "k.bmp", "l.avif", "m.HEIC", "n.heif"]
    for name in [*names, "notes.txt", ".hidden.jpg", ".trash/g.jpg", "deep/.x/h.jpg", "noending"]:
        picture(tmp_path / name)
    found = [photo.description for photo in FolderSource(tmp_path).photos()]
    assert sorted(found) == sorted(names)


def test_what_is_left_out_is_counted_by_its_reason(tmp_path: Path) -> None:
    left_out = {
        "RAW files (export them as JPEG)": ["a.CR2", "b.nef", "deep/c.dng"],
        "videos": ["a.mp4", "b.MOV"],
        "drawings (export them as PNG)": ["a.svg"],
        "hidden files": [".a.jpg", "._b.jpg"],
        "hidden folders": [".git/a.jpg"],
        "folders of waste or of programs": [
            *("@eaDir/a.jpg", "#recycle/a.jpg", "$RECYCLE.BIN/a.jpg", "deep/node_modules/a.png"),
            ".Trash-1000/files/a.jpg",
        ],
    }
    for name in [
        "good.jpg",
        "notes.txt",
        ".nothing",
        *(n for all_ in left_out.values() for n in all_),
    ]:
        picture(tmp_path / name)
    (tmp_path / "linked").symlink_to(tmp_path / "deep")
    source = FolderSource(tmp_path)
    assert [photo.description for photo in source.photos()] == ["good.jpg"]
    expected = {reason: len(names) for reason, names in left_out.items()}
    linked = "linked folders (load them by their own path)"
    assert source.left_out == {**expected, linked: 1}


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["*.gif"], ["a.jpg", "scans/b.jpg", "scans/old/d.jpg"]),
        (["scans"], ["a.jpg", "c.gif"]),
        (["scans/old/"], ["a.jpg", "c.gif", "scans/b.jpg"]),
        (["scans/*"], ["a.jpg", "c.gif"]),
        (["[ab].jpg", " *.gif "], ["scans/old/d.jpg"]),
        (["A.jpg"], ["a.jpg", "c.gif", "scans/b.jpg", "scans/old/d.jpg"]),
    ],
)
def test_patterns_leave_out_names_and_paths(
    tmp_path: Path, patterns: list[str], left: list[str]
) -> None:
    for name in ("a.jpg", "c.gif", "scans/b.jpg", "scans/old/d.jpg"):
        picture(tmp_path / name)
    source = FolderSource(tmp_path, patterns)
    assert [photo.description for photo in source.photos()] == left
    assert set(source.left_out) <= {"excluded by a pattern"}


def test_finding_tells_how_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.folder._TOLD_EVERY", 0)
    for number in range(30):
        (tmp_path / f"{number}.jpg").touch()
    said: list[str] = []
    FolderSource(tmp_path).photos(lambda step, share: said.append(step))
    assert said[0] == "Listing the photos: 0 found"
    assert said[-1] == "Listing the photos: 30 found"


def test_finding_ends_when_it_is_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.folder._TOLD_EVERY", 0)
    picture(tmp_path / "a.jpg")

    def stop(step: str, share: float | None) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        FolderSource(tmp_path).photos(stop)


def test_the_order_is_by_name_whatever_the_disk_says(tmp_path: Path) -> None:
    for name in ["c.png", "a.png", "sub/a.png", "b.png", "also/z.png"]:
        picture(tmp_path / name)
    found = [photo.description for photo in FolderSource(tmp_path).photos()]
    assert found == ["a.png", "b.png", "c.png", "also/z.png", "sub/a.png"]


def test_ids_are_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "photos" / "a.png")
    picture(tmp_path / "photos" / "b.png")
    absolute = [photo.id for photo in FolderSource(tmp_path / "photos").photos()]
    monkeypatch.chdir(tmp_path)
    assert [photo.id for photo in FolderSource(Path("photos")).photos()] == absolute
    monkeypatch.chdir(tmp_path / "photos")
    assert [photo.id for photo in FolderSource(Path()).photos()] == absolute
    assert len(set(absolute)) == 2


def test_an_id_stays_when_other_files_come_and_go(tmp_path: Path) -> None:
    picture(tmp_path / "m.png")
    [before] = FolderSource(tmp_path).photos()
    picture(tmp_path / "a.png")
    picture(tmp_path / "z.png")
    assert FolderSource(tmp_path).photos()[1].id == before.id


def test_a_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    picture(tmp_path / "pictures" / "a.png")
    assert len(FolderSource(Path("~/pictures")).photos()) == 1


@pytest.mark.parametrize(
    "name",
    ["with space.png", "50%.png", "a#b?c=d&e.png", "%41.png", "été 日本 🐶.png", 'it\'s "q".png'],
)
def test_any_name_goes_through_its_url_and_back(tmp_path: Path, name: str) -> None:
    picture(tmp_path / name, "blue")
    [photo] = FolderSource(tmp_path).photos()
    assert photo.url.startswith("file:///")
    assert photo.url.isascii()
    assert photo.description == name
    assert read_url(photo.url).getpixel((0, 0)) == COLOURS["blue"]


def test_a_name_that_is_not_utf_8_goes_through_its_url_and_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    picture(tmp_path / os.fsdecode(b"\xff folder") / name, "blue")
    source = FolderSource(tmp_path)
    [photo] = source.photos()
    assert photo.url.endswith("/%FF%20folder/caf%E9.png")
    assert photo.description == "\ufffd folder/caf\ufffd.png"
    assert photo.keywords == ("\ufffd folder",)
    assert source.read(photo, 32).getpixel((0, 0)) == COLOURS["blue"]
    assert read_url(photo.url).getpixel((0, 0)) == COLOURS["blue"]


def test_a_folder_whose_own_name_is_not_utf_8_can_be_stored_and_printed(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    picture(folder / "a.png")
    source = FolderSource(folder)
    assert len(source.photos()) == 1
    assert source.name.encode() == f"folder {tmp_path}/\ufffd".encode()


def test_subfolders_become_keywords(tmp_path: Path) -> None:
    picture(tmp_path / "norway" / "lakes" / "a.png")
    picture(tmp_path / "b.png")
    by_name = {photo.description: photo.keywords for photo in FolderSource(tmp_path).photos()}
    assert by_name == {"b.png": (), "norway/lakes/a.png": ("norway", "lakes")}


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError) as refusal:
        FolderSource(tmp_path / "nowhere").photos()
    assert str(refusal.value) == f"{tmp_path}/nowhere is not a folder: give one that holds images"


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="is not a folder"):
        FolderSource(picture(tmp_path / "a.png")).photos()


def test_a_folder_without_images_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(ExplorerError) as refusal:
        FolderSource(tmp_path).photos()
    kinds = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
    assert str(refusal.value) == f"{tmp_path} holds no images (of {kinds})"
    (tmp_path / "a.nef").touch()
    with pytest.raises(ExplorerError) as refusal:
        FolderSource(tmp_path).photos()
    assert str(refusal.value) == (
        f"{tmp_path} holds no images (of {kinds}); left out: 1 RAW files (export them as JPEG)"
    )


def test_a_link_that_leads_nowhere_is_found_and_refused_at_the_reading(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    source = FolderSource(tmp_path)
    [photo] = source.photos()
    with pytest.raises(FileNotFoundError):
        source.read(photo, 32)


# --- a table of photos ------------------------------------------------------------------------


def test_a_row_becomes_a_photo(tmp_path: Path) -> None:
    facts = {
        "photo_url": "https://unsplash.com/photos/abc",
        "photo_width": "4000",
        "photo_height": "3000",
        "photo_description": "A lake",
        "photographer_username": "jane",
        "photographer_first_name": "Jane",
        "photographer_last_name": "Doe",
        "photo_location_country": "Norway",
        "ai_description": "water",
    }
    [photo] = UnsplashSource([table(tmp_path / "photos.tsv000", row("abc", **facts))]).photos()
    assert (photo.id, photo.url) == ("abc", "https://images.unsplash.com/abc")
    assert (photo.page, photo.description) == ("https://unsplash.com/photos/abc", "A lake")
    assert (photo.photographer, photo.photographer_url) == (
        "Jane Doe",
        "https://unsplash.com/@jane",
    )
    assert (photo.width, photo.height, photo.country) == (4000, 3000, "Norway")


@pytest.mark.parametrize(
    ("name", "separator"), [("photos.tsv000", "\t"), ("photos.csv000", "\t"), ("my.csv", ",")]
)
def test_the_separator_is_found_out(tmp_path: Path, name: str, separator: str) -> None:
    path = table(tmp_path / name, row("a"), row("b"), separator=separator)
    assert [photo.id for photo in UnsplashSource([path]).photos()] == ["a", "b"]


def test_a_comma_table_may_hold_commas_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "photos.csv"
    path.write_text('photo_id,photo_image_url,photo_description\na,http://h/a,"one,\ntwo"\n')
    [photo] = UnsplashSource([path]).photos()
    assert photo.description == "one,\ntwo"


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = table(tmp_path / "photos.tsv000", row("a"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [photo.id for photo in UnsplashSource([path]).photos()] == ["a"]


def test_several_tables_are_one_source_in_their_order(tmp_path: Path) -> None:
    first = table(tmp_path / "photos.tsv000", row("b"), row("a"))
    second = table(tmp_path / "photos.tsv001", row("c"), row("b"))
    source = UnsplashSource([first, second])
    assert [photo.id for photo in source.photos()] == ["b", "a", "c"]
    assert source.name == "Unsplash photos.tsv000, photos.tsv001"


def test_of_rows_with_the_same_id_the_first_counts(tmp_path: Path) -> None:
    rows = row("a", photo_description="first"), row("a", photo_description="second")
    photos = UnsplashSource([table(tmp_path / "photos.tsv000", *rows)]).photos()
    assert [photo.description for photo in photos] == ["first"]


def test_rows_without_an_id_are_left_out(tmp_path: Path) -> None:
    path = table(tmp_path / "photos.tsv000", row("a"), row(""), row("b"))
    assert [photo.id for photo in UnsplashSource([path]).photos()] == ["a", "b"]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = table(tmp_path / "keywords.tsv000", {"keyword": "lake"}, header=("keyword", "score"))
    with pytest.raises(ExplorerError) as refusal:
        UnsplashSource([path]).photos()
    assert str(refusal.value) == (
        f"{path} has no column photo_id and no column photo_image_url, of 2. "
        "Give the photos table of the Unsplash dataset"
    )


def test_two_columns_are_enough(tmp_path: Path) -> None:
    path = table(tmp_path / "photos.tsv000", row("a"), header=("photo_id", "photo_image_url"))
    [photo] = UnsplashSource([path]).photos()
    assert (photo.page, photo.photographer, photo.photographer_url) == ("", "", "")
    assert (photo.description, photo.width, photo.country, photo.keywords) == ("", 0, "", ())


def test_words_that_mean_missing_elsewhere_stay_words(tmp_path: Path) -> None:
    words = {"photo_location_country": "NA", "photographer_first_name": "None"}
    path = table(tmp_path / "photos.tsv000", row("nan", **words))
    [photo] = UnsplashSource([path]).photos()
    assert (photo.id, photo.country, photo.photographer) == ("nan", "NA", "None")


def test_quotes_and_emoji_stay(tmp_path: Path) -> None:
    path = table(
        tmp_path / "photos.tsv000",
        row("a", photo_description='She said "hi" 🐶'),
        row("b", photo_description="it's l'été"),
    )
    descriptions = [photo.description for photo in UnsplashSource([path]).photos()]
    assert descriptions == ['She said "hi" 🐶', "it's l'été"]


def test_the_username_stands_in_for_a_name(tmp_path: Path) -> None:
    path = table(tmp_path / "photos.tsv000", row("a", photographer_username="jane"))
    [photo] = UnsplashSource([path]).photos()
    assert (photo.photographer, photo.photographer_url) == ("jane", "https://unsplash.com/@jane")


def test_one_name_is_a_name(tmp_path: Path) -> None:
    path = table(tmp_path / "photos.tsv000", row("a", photographer_last_name="Doe"))
    [photo] = UnsplashSource([path]).photos()
    assert (photo.photographer, photo.photographer_url) == ("Doe", "")


def test_the_machines_words_stand_in_for_a_description(tmp_path: Path) -> None:
    path = table(tmp_path / "photos.tsv000", row("a", ai_description="a dog"))
    assert [photo.description for photo in UnsplashSource([path]).photos()] == ["a dog"]


@pytest.mark.parametrize("width", ["", "wide", "-4", "4.5", "1e3", "99999999999", "²"])
def test_a_width_that_is_no_number_of_pixels_is_unknown(tmp_path: Path, width: str) -> None:
    path = table(tmp_path / "photos.tsv000", row("a", photo_width=width, photo_height="30"))
    [photo] = UnsplashSource([path]).photos()
    assert (photo.width, photo.height) == (0, 30)


def test_a_table_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "photos.tsv000"
    with pytest.raises(ExplorerError) as refusal:
        UnsplashSource([path]).photos()
    text = str(refusal.value)
    assert text.startswith(f"Can't read {path}: ")
    assert "No such file" in text
    assert text.endswith("Give a photos table of the Unsplash dataset, such as photos.tsv000")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\x80\x81\xff", b"a,b\n1,2,3\n4,5,6,7\n"],
)
def test_a_table_that_is_no_table_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photos.tsv000"
    path.write_bytes(content)
    with pytest.raises(ExplorerError) as refusal:
        UnsplashSource([path]).photos()
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_rows_longer_than_the_header_keep_their_id(tmp_path: Path) -> None:
    path = tmp_path / "photos.csv"
    path.write_text("photo_id,photo_image_url\na,http://h/a,extra\nb,http://h/b,extra\n")
    photos = UnsplashSource([path]).photos()
    assert [(photo.id, photo.url) for photo in photos] == [("a", "http://h/a"), ("b", "http://h/b")]


def test_rows_shorter_than_the_header_lack_their_facts(tmp_path: Path) -> None:
    path = tmp_path / "photos.csv"
    path.write_text("photo_id,photo_image_url,photo_description\na,http://h/a\nb,http://h/b,x\n")
    assert [photo.description for photo in UnsplashSource([path]).photos()] == ["", "x"]


@pytest.mark.parametrize("scheme", ["file://", "", "ftp://localhost", "sample:"])
def test_a_table_opens_no_local_file(tmp_path: Path, scheme: str) -> None:
    secret = picture(tmp_path / "secret.png")
    line = {"photo_id": "a", "photo_image_url": f"{scheme}{secret}"}
    source = UnsplashSource([table(tmp_path / "photos.tsv000", line)])
    [photo] = source.photos()
    with pytest.raises(ValueError, match=r"^not an http address$"):
        source.read(photo, 32)


def test_a_photo_is_fetched_at_the_size_asked_for(tmp_path: Path) -> None:
    body = picture(tmp_path / "a.png", "blue").read_bytes()
    with photo_host() as host:
        url = host.serve("/a.png", Answer(body)) + "?ixid=7"
        path = table(tmp_path / "t", {"photo_id": "a", "photo_image_url": url})
        source = UnsplashSource([path])
        [photo] = source.photos()
        assert source.read(photo, 224).getpixel((0, 0)) == COLOURS["blue"]
        assert photo.url == url
    assert len(host.asked) == 1
    assert set(host.asked[0].split("?")[1].split("&")) == {
        "w=224",
        "h=224",
        "fit=crop",
        "fm=jpg",
        "q=85",
        "ixid=7",
    }


# --- the sample, and stored addresses ---------------------------------------------------------


def test_the_samples_photos_are_always_the_same_and_each_once() -> None:
    photos = SampleSource().photos()
    assert photos == SampleSource().photos()
    assert len({photo.id for photo in photos}) == len(photos)
    assert all(photo.url == f"sample:{photo.id}" for photo in photos)
    assert all(photo.description for photo in photos)


def test_a_scene_is_drawn_the_same_from_the_source_and_from_its_url() -> None:
    source = SampleSource()
    photo = source.photos()[3]
    drawn = source.read(photo, 96)
    assert (drawn.mode, drawn.size) == ("RGB", (96, 96))
    assert read_url(photo.url, 96).tobytes() == drawn.tobytes()


def test_scenes_drawn_ahead_are_the_same_in_order_out_of_order_and_where_not_ordered() -> None:
    source = SampleSource()
    photos = source.photos()[:9]
    plain = {photo.id: source.read(photo, 96).tobytes() for photo in photos}
    with source.ahead(photos[:7]):
        for place in (0, 1, 2, 5, 6, 4, 8, 3):
            photo = photos[place]
            assert source.read(photo, 96).tobytes() == plain[photo.id]
        assert source.read(photos[0], 32).size == (32, 32)
    assert source.read(photos[7], 96).tobytes() == plain[photos[7].id]


def test_painters_that_die_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SampleSource()
    photo = source.photos()[3]
    plain = source.read(photo, 96).tobytes()
    monkeypatch.setattr("sys.executable", "/bin/false")
    with source.ahead([photo]):
        assert source.read(photo, 96).tobytes() == plain


def test_painters_are_gone_when_a_load_fails() -> None:
    source = SampleSource()
    before = 0

    def load() -> None:
        nonlocal before
        with source.ahead(source.photos()):
            before = _painters()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load()
    assert (before, _painters()) == (2, 0)


def _painters() -> int:
    """How many processes draw for this one."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "ppid=,args="], capture_output=True, text=True, check=True
    )
    lines = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
    return sum(pid == str(os.getpid()) and "ingest.sample.studio" in args for pid, args in lines)


@pytest.mark.parametrize("url", ["http://localhost/a.jpg", "", "a.jpg", "sample:nothing"])
def test_other_urls_are_not_read(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_url(url)


def test_reading_a_url_turns_the_photo_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    Image.new("RGB", (40, 30)).save(file, "JPEG", exif=exif.tobytes())
    path = tmp_path / "a.jpg"
    path.write_bytes(file.getvalue())
    assert read_url(path.as_uri()).size == (30, 40)


def test_a_folder_that_can_not_be_read_is_said_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("closed", "open"):
        write_photos(tmp_path / name, 1)
    closed = str(tmp_path / "closed")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    source = FolderSource(tmp_path)
    assert [photo.description for photo in source.photos()] == ["open/000.jpg"]
    assert source.left_out == {"folder that can't be read (closed: Permission denied)": 1}
    assert caplog.messages == ["skipping folder closed: Permission denied"]
    closed = str(tmp_path)
    with pytest.raises(ExplorerError, match=r"^Can't read .*: Permission denied\. Give yourself"):
        FolderSource(tmp_path).photos()
