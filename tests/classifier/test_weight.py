import json
import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from classifier.weight import MAX_BYTES, Carried, from_safetensors, read_weight, to_safetensors
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from tests.conftest import unit_vectors

FACTS = {
    "name": "Lakes",
    "prompt": "a *lake*",
    "model": "a-model",
    "fingerprint": "a-fingerprint",
    "method": "whitened",
    "threshold": "0.250000",
}


def saved() -> SavedClassifier:
    return SavedClassifier(
        "an-id", "Lakes", "photos", "a-model", "a-fingerprint", "a *lake*", "a-session",
        "whitened", 3, 7, 9, unit_vectors(1)[0], datetime.now(UTC),
    )  # fmt: skip


def file_of(weight: np.ndarray, **facts: str | None) -> bytes:
    told = {**FACTS, **facts}
    return save({"weight": weight}, {name: text for name, text in told.items() if text is not None})


def with_header(told: object) -> bytes:
    header = json.dumps(told).encode()
    return struct.pack("<Q", len(header)) + header


def test_a_classifier_comes_back_as_it_left(tmp_path: Path) -> None:
    path = tmp_path / "lakes.safetensors"
    path.write_bytes(to_safetensors(saved(), 0.25))
    read = read_weight(path)
    assert (read.name, read.prompt, read.method) == ("Lakes", "a *lake*", "whitened")
    assert (read.model, read.fingerprint, read.threshold) == ("a-model", "a-fingerprint", 0.25)
    assert read.counts == {"rounds": 3, "ups": 7, "downs": 9}
    assert read.weight == pytest.approx(saved().weight, abs=1e-6)


def test_a_file_of_an_earlier_version_tells_no_counts() -> None:
    read = from_safetensors(file_of(unit_vectors(1)[0] * 3), "x")
    assert read.counts == {"rounds": 0, "ups": 0, "downs": 0}
    assert np.linalg.norm(read.weight) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", r"x is damaged, or no safetensors file \(.*\): download it again on the Classifiers"),
        (b"\xff\xd8\xff\xe0 a JPEG of some length", "x is damaged"),
        (file_of(unit_vectors(1)[0])[:-5], "x is damaged"),
        (bytes(MAX_BYTES + 1), "x is no classifier of this program: it has over 1 MB. Give one"),
        (save({"weight": unit_vectors(1)[0]}), "it does not tell its name and model and finger"),
        (save({"a": unit_vectors(1)[0]}, FACTS), "it holds no weight"),
        (file_of(unit_vectors(2)), r"its weight is float32 of shape \(2, 512\)"),
        (file_of(unit_vectors(1)[0].astype(np.float64)), r"its weight is float64"),
        (file_of(np.zeros(512, np.float32)), "its weight is no direction"),
        (file_of(np.empty(0, np.float32)), "its weight is no direction"),
        (file_of(np.full(512, np.nan, np.float32)), "its weight is no direction"),
        (file_of(np.full(512, np.inf, np.float32)), "its weight is no direction"),
        (file_of(unit_vectors(1)[0], method="magic"), "refit by 'magic', which is not known here"),
        (file_of(unit_vectors(1)[0], threshold="nan"), "its threshold is no score"),
        (
            file_of(unit_vectors(1)[0], threshold="x" * 9999),
            r"its threshold is no score\. Give one",
        ),
        (file_of(unit_vectors(1)[0], ups="-1"), "its thumbs can't be counted"),
        (file_of(unit_vectors(1)[0], model="a\nb"), "its model can't be one"),
        (file_of(unit_vectors(1)[0], model="m" * 5000), "its model can't be one"),
        (file_of(unit_vectors(1)[0], fingerprint="\x1b[2J"), "its fingerprint can't be one"),
        (file_of(unit_vectors(1)[0], name="\x1b\x07"), "it does not tell its name"),
        (
            with_header({"weight": {"dtype": "\x1b" * 5000, "shape": [], "data_offsets": [0, 0]}}),
            "x",
        ),
        (file_of(unit_vectors(1)[0], name=" \n"), "it does not tell its name"),
    ],
)
def test_what_is_no_classifier_is_refused_in_one_line(content: bytes, text: str) -> None:
    with pytest.raises(ExplorerError, match=text) as caught:
        from_safetensors(content, "x")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("size", [1e-6, 1e-3, 3e37, 3e38])
def test_a_weight_of_any_size_is_a_direction(size: float) -> None:
    read = from_safetensors(file_of(np.full(512, size, np.float32)), "x")
    assert read.weight == pytest.approx(np.full(512, 512**-0.5), rel=1e-6)


def test_what_else_a_file_tells_is_one_line_of_text() -> None:
    told = {"name": "a\x1b[2J\n b" + "c" * 9999, "prompt": "\x07lake\r\n" * 9999}
    read = from_safetensors(file_of(unit_vectors(1)[0], **told, model="m" * 4000), "x")
    assert read.name.startswith("a[2J b")
    assert read.prompt.startswith("lake lake")
    with pytest.raises(ExplorerError, match="and b is another model") as caught:
        read.refuse_other("b", "b", 512)
    for text in (read.name, read.prompt, str(caught.value)):
        assert text.isprintable()
        assert len(text) <= 1000


def test_a_file_that_cant_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / ("x" * 300)):
        with pytest.raises(ExplorerError, match=r"Can't read .*: .*. Give a classifier's file"):
            read_weight(path)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_are_a_classifier_or_refused(content: bytes, at: int) -> None:
    whole = to_safetensors(saved(), 0.25)
    for attempt in (content, whole[:at] + content + whole[at + len(content) :]):
        try:
            read = from_safetensors(attempt, "x")
        except ExplorerError:
            continue
        assert np.isfinite(read.weight).all()


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.text())
def test_any_header_is_a_classifier_or_refused(value: object) -> None:
    with pytest.raises(ExplorerError):
        from_safetensors(with_header({"__metadata__": value, "weight": value}), "x")


@pytest.mark.parametrize(
    ("model", "fingerprint", "dimension", "text"),
    [
        ("b-model", "b", 512, "and b-model is another model: use the one it was trained on"),
        ("a-model", "b", 512, "and a-model is another one now, b: train a classifier anew"),
        ("b-model", "b", 768, "of a-model, 512 numbers each, and b-model makes 768"),
        ("a-model", "a-fingerprint", 768, "512 numbers each, and a-model makes 768"),
    ],
)
def test_vectors_of_another_model_are_refused(
    model: str, fingerprint: str, dimension: int, text: str
) -> None:
    read = carried()
    with pytest.raises(ExplorerError, match=text):
        read.refuse_other(model, fingerprint, dimension)
    assert not read.fits(Collection("c", model, fingerprint, "a test", dimension))


def test_the_same_model_in_another_place_fits() -> None:
    carried().refuse_other("/models/a-model", "a-fingerprint", 512)
    assert carried().fits(Collection("c", "/models/a-model", "a-fingerprint", "a test"))


def carried() -> Carried:
    return from_safetensors(to_safetensors(saved(), 0.25), "x")
