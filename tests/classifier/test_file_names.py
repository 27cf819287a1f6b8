from io import BytesIO
from itertools import islice
from pathlib import Path, PurePath, PureWindowsPath
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from classifier.exports.cells import guarded, plain
from classifier.exports.entries import Entry
from classifier.exports.file_names import names_of, safe
from db.photo import Photo
from db.sessions import DOWN, UP
from tests.classifier.selections import selection
from tests.classifier.test_folder import fetch, run

# What `datasets` takes for parts of a data set, for numbers, or for nothing.
ODD_IDS = [
    *("train-1", "a test", "my.eval_2", "validation", "mytraining", "dev 7", "latest", "__x"),
    *("007", "1e5", "12", "-3", "NA", "None", "true", "inf", "'5", "1_0", "123456789012345678901"),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # theirs
@pytest.mark.parametrize("ids", [ODD_IDS, ["007", "08", "1e5"], ["NA", "null"], ["true"]])
def test_hugging_faces_datasets_keeps_every_photo_and_its_id(
    tmp_path: Path, ids: list[str]
) -> None:
    import datasets  # takes seconds

    odd = [
        Entry(Photo(photo, f"https://images.test/{n}"), 0.5, DOWN if n % 2 else UP)
        for n, photo in enumerate(ids)
    ]
    run(selection(*odd, name="test"), tmp_path / "out", by_class=True)
    read = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
    )
    assert list(read) == ["train"], "the one part that it makes of what names none"
    rows = {plain(row["id"]): row for row in read["train"]}
    assert rows.keys() == set(ids)
    for entry in odd:
        row = rows[entry.photo.id]
        assert row["label"] == ("test" if entry.is_yes else "not test")
        assert row["image"].tobytes() == Image.open(BytesIO(fetch(entry.photo).content)).tobytes()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("CON", "photo CON.jpg"),
        ("aux.tar", "photo aux.tar.jpg"),
        ("lpt1 ", "photo lpt1.jpg"),
        ("console", "console.jpg"),
        ("com\u00b2", "photo com\u00b2.jpg"),
        ("cafe\u0301", "caf\u00e9.jpg"),  # some systems take the two for one
        ("\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940.jpg"),
        ('a:b*c?d|e<f>g"h\\i/j', "a_b_c_d_e_f_g_h_i_j.jpg"),
        ("..", "photo.jpg"),
        ("", "photo.jpg"),
        ("a\u202eb\x00\x1bc\n", "a_b__c_.jpg"),
        ("\U0001f600" * 255, "_.jpg"),
        ("\u00e9" * 255, "\u00e9" * 75 + ".jpg"),
        ("latest train.test", "latest Train.Test.jpg"),
        ("Training trainer", "Training trainer.jpg"),
    ],
)
def test_names_are_those_of_files_on_every_system(name: str, file: str) -> None:
    assert next(names_of(Photo(name, "https://images.test/1"), ".jpg")) == file


@given(st.text())
def test_any_name_is_that_of_one_file(name: str) -> None:
    made = [*islice(names_of(Photo(name, "https://images.test/1"), ".jpeg"), 4)]
    for file in (*made, safe(name)):
        assert len(file.encode()) < 200
        assert file.isprintable()
        assert PurePath(file).name == PureWindowsPath(file).name == file
        assert not PureWindowsPath(file).is_reserved()
        assert guarded(file) == file == normalize("NFC", file)
        assert not file.startswith(("__", ".", " "))
        assert not file.endswith((".", " "))
    assert len(set(made)) == 4
