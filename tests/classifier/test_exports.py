import contextlib
import csv
import json
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from classifier.exports import coco, fiftyone, label_studio, labels, places
from classifier.exports.cells import plain
from classifier.exports.entries import Scope, chosen, select
from classifier.exports.formats import FORMATS
from classifier.ranking import Ranking
from db.photo import Photo
from db.sessions import DOWN, UP
from tests.classifier.selections import odd, selection


def ranking() -> Ranking:
    scores = np.asarray([0.9, 0.8, 0.7, 0.6, 0.5], dtype=np.float32)
    return Ranking(["a", "b", "c", "d", "e"], scores, {"b": DOWN, "d": UP, "e": DOWN, "gone": UP})


@pytest.mark.parametrize(
    ("scope", "threshold", "ids"),
    [
        (Scope.KEPT, 0.7, "acd"),  # b was refused, and d was wanted
        (Scope.KEPT, 0.95, "d"),
        (Scope.KEPT, 0.0, "acd"),
        (Scope.THUMBS, 0.7, "bde"),
    ],
)
def test_a_thumb_counts_more_than_the_score(scope: Scope, threshold: float, ids: str) -> None:
    found = chosen(ranking(), threshold, scope)
    assert "".join(ranking().ids[place] for place in found) == ids


def test_what_was_deleted_meanwhile_is_left_out() -> None:
    some = select("Lakes", ranking(), 0.5, [0, 2, 3], {"a": Photo("a", "u"), "d": Photo("d", "v")})
    told = [(each.photo.id, each.label, each.is_yes) for each in some.entries]
    assert told == [("a", None, True), ("d", UP, True)]
    assert some.entries[1].score == pytest.approx(0.6)


def test_labels_as_csv_and_as_json_say_the_same() -> None:
    rows = list(csv.DictReader(StringIO(labels.to_csv(odd()))))
    assert rows[0]["id"] == "'-Abc1"
    assert rows[3]["score"] == "-0.250000"
    lines = [json.loads(line) for line in labels.to_jsonl(odd()).splitlines()]
    for row, line, entry in zip(rows, lines, odd().entries, strict=True):
        assert plain(row["id"]) == line["id"] == entry.photo.id
        assert plain(row["url"]) == line["url"] == entry.photo.url
        assert (row["label"] or None) == line["label"]
        assert float(row["score"]) == line["score"] == entry.score
    assert [line["label"] for line in lines] == ["up", None, "down", None, "down"]


def test_a_list_of_places_has_a_line_a_photo() -> None:
    assert places.to_lines(odd()).splitlines() == [
        "https://images.test/a?b=1",
        '/photos/a b,"c".jpg',
        "file:///photos/line%0Aend.jpg",  # no line of text can hold these two
        "file:///photos/caf%E9.jpg",
        "sample:scene-000001",
    ]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # theirs
def test_pycocotools_reads_the_categories(tmp_path: Path) -> None:
    path = tmp_path / "lakes.json"
    path.write_text(coco.to_json(odd()))
    with contextlib.redirect_stdout(StringIO()):
        read = COCO(str(path))
    yes, no = read.getCatIds(catNms=["Lakes"]), read.getCatIds(catNms=["not Lakes"])
    assert [read.imgs[n]["photo_id"] for n in sorted(read.getImgIds(catIds=yes))] == [
        "-Abc1",
        "b",
        "d",
    ]
    assert [read.imgs[n]["photo_id"] for n in sorted(read.getImgIds(catIds=no))] == ["c", "e"]
    first = read.loadAnns(read.getAnnIds(imgIds=[1]))[0]
    assert first["bbox"] == [0, 0, 300, 200]
    assert read.annToMask(first).sum() == first["area"] == 60_000
    assert "score" not in first
    assert read.loadAnns([2])[0]["score"] == 0.8
    assert "bbox" not in read.loadAnns([3])[0]
    assert read.imgs[1]["coco_url"] == "https://images.test/a?b=1"
    assert read.imgs[1]["file_name"] == "-Abc1.jpg"
    assert read.imgs[2]["file_name"] == '/photos/a b,"c".jpg'


def test_fiftyones_importer_finds_a_label_for_each_path() -> None:
    # FiftyOneImageClassificationDatasetImporter of fiftyone 1.22.1 read such a file by hand. With
    # its database and OpenCV it is too much for a test tool, so here stands what it reads.
    told = json.loads(fiftyone.to_json(odd()))
    assert told["classes"] == ["Lakes", "not Lakes"]
    assert told["labels"] == {
        '/photos/a b,"c".jpg': {"label": "Lakes", "confidence": 0.8},
        "/photos/line\nend.jpg": {"label": "not Lakes"},
        # What Python calls a name that is no text.
        "/photos/caf\udce9.jpg": {"label": "Lakes", "confidence": -0.25},
    }


def test_label_studios_tasks_use_the_names_of_its_interface() -> None:
    # The LabelInterface of label-studio-sdk 2.1.2 was asked by hand: it wants another NumPy than
    # the app. What it checks is checked here, such as scores from 0 to 1.
    some = selection(*odd().entries, name='<"Lakes" & ponds>')
    view = ET.fromstring(label_studio.labelling_config(some.name))  # noqa: S314 -- our own
    image, choices = view
    assert image.get("value") == "$image"
    offered = [choice.get("value") for choice in choices]
    tasks = json.loads(label_studio.to_json(some))
    for task, entry in zip(tasks, some.entries, strict=True):
        [(kind, [said])] = [(k, task[k]) for k in ("annotations", "predictions") if k in task]
        [result] = said["result"]
        assert kind == ("predictions" if entry.label is None else "annotations")
        assert result["from_name"] == choices.get("name")
        assert result["to_name"] == choices.get("toName") == image.get("name")
        assert result["type"] == choices.tag.lower()
        assert result["value"]["choices"] == [offered[0 if entry.is_yes else 1]]
        assert task["data"]["photo_id"] == entry.photo.id
    assert tasks[0]["data"]["image"] == "https://images.test/a?b=1"
    assert tasks[1]["data"]["image"] == "/data/local-files/?d=photos/a%20b%2C%22c%22.jpg"
    assert [task["predictions"][0]["score"] for task in (tasks[1], tasks[3])] == [0.8, 0]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.title)
def test_every_format_holds_no_photo_too(form) -> None:
    assert form.write(odd()).encode()
    assert len(form.write(selection())) < len(form.write(odd()))
