import hashlib
from copy import copy
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from db.collections import Collection
from ingest.archive import CHECKSUMS, VERSION
from pages.markdown import escaped
from pages.services import Services
from tests.pages.conftest import add_collection
from tests.pages.plain import plain
from tests.photo_host import Answer, photo_host


def script(services: object) -> None:
    from pages import collection

    collection.show(services)  # type: ignore[arg-type]


def open_page(services: Services) -> AppTest:
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    return healthy(page)


def healthy(page: AppTest) -> AppTest:
    assert [error.value for error in page.exception] == []
    return page


def field(page: AppTest, label: str) -> object:
    return next(text for text in page.text_input if text.label == label)


def submit(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return healthy(page.run())


def test_what_is_stored_is_told(services: Services, collection: Collection) -> None:
    page = open_page(services)
    assert [(m.label, plain(m.value)) for m in page.metric][:2] == [
        ("Photos", "40"),
        ("Index", "none: exact search"),
    ]
    assert any(collection.model in text.value for text in page.markdown)
    services.database.collections.photos(collection).build_index()
    assert open_page(services).metric[1].value == "built"


def test_an_empty_database_says_so(services: Services) -> None:
    assert "There are no photos yet" in plain(open_page(services).info[0].value)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (60, 40), (80 * number, 0, 0)).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


def test_a_folder_is_loaded_in_the_background(
    services: Services, pictures: Path, clip: Clip
) -> None:
    page = open_page(services)
    field(page, "Folder on this computer").set_value(str(pictures))  # type: ignore[attr-defined]
    submit(page, "Load the folder")
    job = services.loader.job
    assert job is not None
    job.wait(60)
    page = open_page(services)
    assert plain(page.success[0].value) == (
        "3 photos in my_pictures, 3 added, 0 already there, "
        "1 skipped (1 not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC image)"
    )
    (stored,) = services.database.collections.all()
    assert (stored.name, stored.model) == ("my_pictures", clip.model_id)
    assert [expander.label for expander in page.expander] == [
        "Not loaded: 1 photos",
        "Take single photos out",
        "1 skipped",
    ]


def test_a_load_can_be_stopped_from_the_page(services: Services, tmp_path: Path) -> None:
    with photo_host() as host:
        url = host.serve("/a.jpg", Answer(waits=True))
        table = tmp_path / "photos.csv000"
        table.write_text(f"photo_id,photo_image_url\na,{url}\n")
        page = open_page(services)
        field(page, "Dataset on this computer").set_value(str(table))  # type: ignore[attr-defined]
        submit(page, "Load the photos")
        job = services.loader.job
        assert job is not None
        submit(page, "Stop loading")
        assert job.order.stop.is_set()
        host.closing.set()
        job.wait(60)
    assert "Stopped: " in plain(open_page(services).info[-1].value)


def test_what_failed_for_good_is_tried_again_when_asked_for(
    services: Services, pictures: Path
) -> None:
    def load(*, again: bool) -> str:
        page = open_page(services)
        field(page, "Folder on this computer").set_value(str(pictures))  # type: ignore[attr-defined]
        page.checkbox[0].set_value(again)
        submit(page, "Load the folder")
        assert services.loader.job is not None
        services.loader.job.wait(60)
        return str(plain(open_page(services).success[0].value))

    assert "1 skipped" in load(again=False)
    assert load(again=False).endswith("0 skipped, 1 known to fail not tried again")
    assert "1 skipped" in load(again=True)


def test_bad_input_is_one_line_and_starts_nothing(services: Services) -> None:
    page = open_page(services)
    submit(page, "Load the folder")
    assert plain(page.error[0].value) == "Type the path of a folder"
    assert services.loader.job is None


def test_without_a_dataset_unsplash_lite_is_downloaded(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with photo_host() as host:
        table = f"photo_id\tphoto_image_url\na\t{host.serve('/a.jpg', Answer(status=404))}\n"
        packed = BytesIO()
        with ZipFile(packed, "w") as archive:
            archive.writestr("photos.tsv000", table)
        host.serve("/lite/1.4.0", Answer(packed.getvalue()))
        monkeypatch.setitem(CHECKSUMS, VERSION, hashlib.sha256(packed.getvalue()).hexdigest())
        settings = replace(services.settings, unsplash_url=f"{host.url}/lite")
        mirrored = replace(services, settings=settings)
        submit(open_page(mirrored), "Load the photos")
        assert services.loader.job is not None
        services.loader.job.wait(60)
    page = open_page(mirrored)
    assert plain(page.success[0].value).endswith("1 skipped (1 HTTP 404)")


def test_a_server_is_named_with_its_version_and_without_its_password(services: Services) -> None:
    caption = open_page(services).caption[-1].value
    assert caption.startswith(
        f"Database: {escaped(services.database.connection.engine)} at `chdb:///"
    )
    connection = services.database.connection
    away = replace(connection, url="http://me:secret@photos.example:8123/art")
    database = copy(services.database)
    database.connection = away
    database.damage = list  # type: ignore[assignment]  # there is no such server to ask
    page = open_page(replace(services, database=database))
    assert " at `http://photos.example:8123/art` · " in page.caption[-1].value
    assert "go to photos.example unencrypted" in plain(page.warning[0].value)
    assert "secret" not in page.caption[-1].value + plain(page.warning[0].value)


@pytest.mark.parametrize(
    ("label", "path", "button", "message"),
    [
        ("Folder on this computer", "/nowhere", "Load the folder", "/nowhere is not a folder"),
        ("Dataset on this computer", "/nowhere.tsv", "Load the photos", "Can't read /nowhere"),
    ],
)
def test_a_source_that_is_not_there_is_named(
    services: Services, label: str, path: str, button: str, message: str
) -> None:
    page = open_page(services)
    field(page, label).set_value(path)  # type: ignore[attr-defined]
    submit(page, button)
    assert services.loader.job is not None
    services.loader.job.wait(60)
    assert plain(open_page(services).error[0].value).startswith(message)


def test_deleting_a_collection(services: Services, collection: Collection) -> None:
    page = open_page(services)
    page.button(key="delete-drawings").click()
    healthy(page.run())
    assert services.database.collections.all() == []
    assert "There are no photos yet" in plain(page.info[0].value)


def test_a_click_that_deletes_a_collection_is_for_no_other(
    services: Services, collection: Collection, clip: Clip
) -> None:
    add_collection(services, clip, "others", 5)
    page = open_page(services)
    page.selectbox(key="shown_collection").set_value("drawings")
    button = healthy(page.run()).button(key="delete-drawings")
    services.database.drop(collection)  # as in another tab
    button.click()
    healthy(page.run())
    assert [one.name for one in services.database.collections.all()] == ["others"]


def test_a_collection_that_can_not_be_read_is_told_and_can_be_deleted(
    services: Services, collection: Collection
) -> None:
    services.database.connection.command("ALTER TABLE drawings DROP COLUMN url")
    page = open_page(services)
    assert plain(page.error[0].value).startswith("drawings can't be read: The database failed: ")
    page.button(key="delete-drawings").click()
    healthy(page.run())
    assert services.database.collections.all() == []


def test_a_collection_without_its_table_is_told_and_can_be_deleted(
    services: Services, collection: Collection
) -> None:
    services.database.connection.command("DROP TABLE drawings SYNC")
    page = open_page(services)
    assert plain(page.warning[0].value).startswith(
        "All 40 photos of drawings are missing: its table is"
    )
    page.button(key="delete-drawings").click()
    page = healthy(page.run())
    assert [plain(warning.value) for warning in page.warning] == []
    assert "There are no photos yet" in plain(page.info[0].value)


def test_what_was_just_loaded_comes_on_screen(
    services: Services, collection: Collection, pictures: Path
) -> None:
    page = open_page(services)
    assert page.selectbox(key="shown_collection").value == collection.name
    field(page, "Folder on this computer").set_value(str(pictures))  # type: ignore[attr-defined]
    submit(page, "Load the folder")
    job = services.loader.job
    assert job is not None
    job.wait(60)
    healthy(page.run())
    assert page.selectbox(key="shown_collection").value == "my_pictures"
    assert page.session_state["collection"] == "my_pictures"
    page.selectbox(key="shown_collection").set_value(collection.name)
    assert healthy(page.run()).selectbox(key="shown_collection").value == collection.name


def load_folder(services: Services, folder: Path, name: str = "") -> AppTest:
    page = open_page(services)
    field(page, "Folder on this computer").set_value(str(folder))  # type: ignore[attr-defined]
    if name:
        page.text_input[[text.label for text in page.text_input].index("Collection")].set_value(
            name
        )
    submit(page, "Load the folder")
    if services.loader.job is not None:
        services.loader.job.wait(60)
    return healthy(page.run())


def test_another_source_is_asked_about_and_named(
    services: Services, pictures: Path, tmp_path: Path
) -> None:
    load_folder(services, pictures)
    other = tmp_path / "more" / "my pictures"
    other.mkdir(parents=True)
    Image.new("RGB", (60, 40), (0, 0, 200)).save(other / "new.png")
    first = services.loader.job
    page = load_folder(services, other)
    assert services.loader.job is first
    question = page.warning[0].value
    folder = escaped(f"folder {pictures}")
    assert f"**{escaped('my_pictures')}** holds photos from {folder}, and none" in question
    # That is what the Label page takes for an order to search.
    assert "asked" not in page.session_state
    page.button(key="mix_not").click()
    assert not healthy(page.run()).warning
    page = load_folder(services, other)
    page.button(key="mix").click()
    healthy(page.run())
    assert services.loader.job is not None
    services.loader.job.wait(60)
    assert plain(open_page(services).success[0].value).startswith(
        "4 photos in my_pictures, 1 added"
    )


def test_nothing_is_mixed_into_the_sample(
    services: Services, collection: Collection, pictures: Path
) -> None:
    page = load_folder(services, pictures, collection.name)
    assert services.loader.job is None
    assert f"**{collection.name}** holds photos from a test, and none from" in plain(
        page.warning[0].value
    )


def test_what_is_gone_is_shown_before_it_is_taken_out(services: Services, pictures: Path) -> None:
    load_folder(services, pictures)
    (pictures / "1.png").unlink()
    page = load_folder(services, pictures)
    folder = escaped(f"folder {pictures}")
    assert f"Gone from {folder}: 1 photo" in [each.label for each in page.expander]
    names = [str(row) for table in page.dataframe for row in table.value.values.tolist()]
    assert any(f"file://{pictures}/1.png" in name for name in names)
    table = services.database.collections.photos(services.database.collections.all()[0])
    assert table.count() == 3
    page.button(key="take_out_gone").click()
    healthy(page.run())
    assert table.count() == 2
    assert not any("Gone from" in expander.label for expander in page.expander)


def test_single_photos_are_taken_out_once_that_is_confirmed(
    services: Services, pictures: Path
) -> None:
    load_folder(services, pictures)
    table = services.database.collections.photos(services.database.collections.all()[0])
    page = open_page(services)
    page.text_input(key="remove_words_my_pictures").set_value("nowhere")
    assert "No photo of my_pictures" in plain(healthy(page.run()).info[0].value)
    page.text_input(key="remove_words_my_pictures").set_value("1.PNG")
    healthy(page.run())
    assert table.count() == 3
    page.button(key="take_out_single").click()
    healthy(page.run())
    assert table.count() == 2
    assert not any(url.endswith("/1.png") for url in table.urls().values())
    assert plain(load_folder(services, pictures).success[0].value).endswith("not tried again")
    assert table.count() == 2


def test_a_folder_in_another_script_keeps_its_name_on_screen(
    services: Services, tmp_path: Path
) -> None:
    for name in ("写真", "Фото"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (60, 40)).save(tmp_path / name / "a.png")
        load_folder(services, tmp_path / name)
    options = open_page(services).selectbox(key="shown_collection").options
    assert [option.split(" ")[1] for option in options] == ["(写真)", "(Фото)"]
