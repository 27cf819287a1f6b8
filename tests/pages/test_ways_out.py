from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.exports.entries import Entry, Selection
from classifier.exports.folder import Fetched, Order
from classifier.exports.formats import FOLDERS, FORMATS
from classifier.weight import to_safetensors
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.photo import Photo
from db.rows import Rows
from pages.services import Services
from tests.pages.conftest import add_collection
from tests.pages.plain import plain
from tests.pages.test_classifiers import button, healthy, page, saved, script, texts

__all__ = ["page", "saved"]  # fixtures


def choose(page: AppTest, scope: str, form: str) -> AppTest:
    page.selectbox(key="out_scope").select(scope)
    page.selectbox(key="out_format").select(form)
    return healthy(page.run())


def test_the_page_counts_what_leaves(page: AppTest, services: Services) -> None:
    assert [form.title for form in (*FORMATS, *FOLDERS)] == page.selectbox(key="out_format").options
    choose(page, "Thumbs", "COCO")
    assert "Chosen: 9 photos with a thumb up or down" in [each.value for each in page.caption]
    choose(page, "Kept photos", "COCO")
    page.slider[0].set_value(page.slider[0].min)
    healthy(page.run())
    assert "Chosen: 35 photos (the 40 from the threshold on, without 5 with a thumb down)" in [
        each.value for each in page.caption
    ]
    page.slider[0].set_value(page.slider[0].max)
    healthy(page.run())
    told = [each.value for each in page.caption if "from the threshold on" in each.value]
    assert "below it that have a thumb up" in told[0]


def test_photos_that_others_took_the_place_of_are_none(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    table = services.database.collections.photos(collection)
    gone = table.get_any()[0].photo
    rows = Rows(services.database.connection, table)
    rows.remove([gone.id])
    table.add([replace(gone, id="new")], saved.weight[None])
    healthy(page.run())
    page.slider[0].set_value(page.slider[0].max)
    healthy(page.run())
    assert "1 of 40 photos score at least 1.000" in texts(page).replace("*", "")
    rows.replace([replace(gone, id="new")], -saved.weight[None])
    healthy(page.run())
    assert page.slider[0].max < 0.99, "it was loaded anew, from another picture"


def test_label_studios_interface_is_shown(page: AppTest) -> None:
    choose(page, "Thumbs", "Label Studio")
    shown = next(each.value for each in page.code if "<View>" in each.value)
    assert '<Choice value="not Lakes"/>' in shown


def test_photos_are_written_to_a_folder(page: AppTest, services: Services, tmp_path: Path) -> None:
    choose(page, "Thumbs", "A folder for yes and one for no (ImageFolder)")
    page.text_input(key="out_path").set_value(str(tmp_path / "out"))
    write = next(each for each in page.button if each.label == "Write the photos")
    write.click()
    healthy(page.run())
    job = services.exporter.job
    assert job is not None
    job.wait(60)
    healthy(page.run())
    assert "9 photos written" in plain(page.success[0].value)
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in tmp_path.rglob("*.jpg"))
    assert sum(path.startswith("Lakes/drawings-") for path in found) == 4
    assert sum(path.startswith("not Lakes/drawings-") for path in found) == 5


def test_photos_that_could_not_be_had_are_no_success(
    page: AppTest, services: Services, tmp_path: Path
) -> None:
    def fetch(_: Photo) -> Fetched:
        raise OSError("gone")

    selection = Selection("Lakes", 0.1, [Entry(Photo("a", "file:///nowhere.jpg"), 0.5, None)])
    services.exporter.start(Order(selection, tmp_path / "out"), fetch).wait(60)
    choose(page, "Thumbs", "Links in a folder")
    assert "0 photos written, 1 could not be had" in plain(page.warning[0].value)
    assert not page.success


def test_a_folder_that_cant_be_used_is_told(
    page: AppTest, services: Services, tmp_path: Path
) -> None:
    choose(page, "Thumbs", "Links in a folder")
    (tmp_path / "mine").touch()
    for typed, text in (
        ("  ", "Type the path of a folder, new or empty"),
        ("a\0b", "no file can have such a name"),
        (str(tmp_path), "is not empty"),
    ):
        page.text_input(key="out_path").set_value(typed)
        next(each for each in page.button if each.label == "Write the photos").click()
        healthy(page.run())
        if services.exporter.job is not None:
            services.exporter.job.wait(60)
            healthy(page.run())
        assert text in plain(page.error[0].value)


def test_the_statement_and_the_lines_score_as_shown(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    shown = [each.value for each in page.code]
    assert "python -m classifier score Lakes.safetensors FOLDER" in shown
    [python] = [each for each in shown if "AutoModel" in each]
    [sql] = [each for each in shown if each.startswith("SELECT id, url, score\nFROM (SELECT")]
    compile(python, "snippet", "exec")  # run in tests/classifier/test_score_command.py
    assert f"from_pretrained({collection.model!r})" in python
    ids, scores = services.database.collections.photos(collection).scores(saved.weight)
    rows = services.database.connection.rows(sql)
    threshold = page.slider[0].value
    assert {row["id"] for row in rows} == {
        photo for photo, score in zip(ids, scores, strict=True) if score >= np.float32(threshold)
    }
    best = dict(zip(ids, scores, strict=True))
    assert all(row["score"] == pytest.approx(best[row["id"]], abs=1e-5) for row in rows)


# ---- a classifier that comes in a file


def bring(page: AppTest, content: bytes, name: str = "lakes.safetensors") -> AppTest:
    page.file_uploader[0].set_value((name, content, "application/octet-stream"))
    return healthy(page.run())


def test_a_classifier_comes_into_another_collection(
    page: AppTest, services: Services, saved: SavedClassifier, clip: Clip
) -> None:
    add_collection(services, clip, "others", 12)
    bring(page, to_safetensors(saved, 0.125))
    assert page.selectbox(key="bring_to").options == ["drawings", "others"]
    button(page, "bring")
    assert plain(page.error[0].value).startswith("A classifier named")
    page.selectbox(key="bring_to").select("others")
    button(page, "bring")
    brought = next(c for c in services.database.classifiers.all() if c.collection == "others")
    assert (brought.name, brought.prompt, brought.ups, brought.downs) == ("Lakes", "a lake", 4, 5)
    assert brought.weight == pytest.approx(saved.weight, abs=1e-6)
    assert page.selectbox(key="classifier").value == brought.id
    assert plain(page.toast[0].value) == "Lakes is saved for others"
    assert page.file_uploader[0].value is None, "the file is done with"
    assert not [each for each in page.button if each.key == "bring"]
    assert page.slider[0].value == pytest.approx(0.125, abs=0.01) or page.slider[0].max < 0.125


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"fingerprint": "0123456789abcdef"}, "is another one now"),
        ({"fingerprint": "0123456789abcdef", "model": "b/model"}, "no collection here has such"),
        ({"weight": np.ones(768, np.float32)}, "768 numbers each, and"),
        ({"name": "[x](http://a)", "model": "<b>", "fingerprint": "0"}, "[x](http"),
    ],
)
def test_a_classifier_of_another_model_is_refused(
    page: AppTest, saved: SavedClassifier, change: dict[str, Any], text: str
) -> None:
    bring(page, to_safetensors(replace(saved, **change), 0.1))
    assert text in plain(page.error[0].value)
    assert not [each for each in page.button if each.key == "bring"]


def test_a_file_that_is_none_is_refused(page: AppTest) -> None:
    bring(page, b"x" * 2_000_000, "big.safetensors")
    assert "it has over 1 MB" in plain(page.error[0].value)
    bring(page, b"\x89PNG", "*a*.png")
    assert "*a*.png is damaged" in plain(page.error[0].value)


def test_without_classifiers_one_can_be_brought_in(
    services: Services, saved: SavedClassifier
) -> None:
    services.database.delete(saved)
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    bring(healthy(page.run()), to_safetensors(saved, 0.1))
    button(page, "bring")
    assert [c.name for c in services.database.classifiers.all()] == ["Lakes"]
    assert "From the prompt" in texts(page)
