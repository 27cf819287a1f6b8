from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from classifier.centring import (
    NOUNS,
    SHARE,
    TELLS_APART,
    centred,
    measure,
    prompt_mean,
    usual_share,
)
from classifier.refit import ARTICLE
from classifier.session import Session
from db.collections import Collection
from db.database import Database
from ingest.sample import CHECKPOINT
from ingest.sample.towers import Encoder
from tests.conftest import filled, unit_vectors


@pytest.fixture
def collection(database: Database) -> Collection:
    return filled(database, 60)[0]


Matrix = npt.NDArray[np.float32]


def hub(length: float, n: int = len(NOUNS)) -> Matrix:
    """Text vectors whose mean has about that norm."""
    apart = unit_vectors(n, seed=3)
    shared = unit_vectors(1, seed=4)[0]
    texts = length * shared + np.sqrt(1 - length**2) * apart
    unit: Matrix = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    return unit


@dataclass
class Tower:
    """A text tower that tells nouns apart, and counts how often it is asked for them."""

    length: float = 0.8
    model_id: str = "a-model"
    fingerprint: str = "a-fingerprint"
    text_fingerprint: str = "a-fingerprint"
    asked: list[int] = field(default_factory=list)

    def encode_text(self, prompts: Sequence[str]) -> Matrix:
        self.asked.append(len(prompts))
        return hub(self.length)[: len(prompts)]


def test_what_all_texts_share_is_taken_off() -> None:
    texts = hub(0.8)
    mean = texts.mean(axis=0)
    moved = centred(texts, mean, 1.0)
    assert np.linalg.norm(moved, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    assert np.linalg.norm(moved.mean(axis=0)) < 0.1 < np.linalg.norm(mean)
    assert np.array_equal(centred(texts, mean, 0.0), texts)
    half = centred(texts, mean, 0.5)
    assert 0.1 < np.linalg.norm(half.mean(axis=0)) < np.linalg.norm(mean)


def test_a_text_that_is_the_mean_itself_stays() -> None:
    mean = unit_vectors(1)[0]
    assert centred(mean[None], mean, 1.0)[0] == pytest.approx(mean, abs=1e-6)


def test_a_model_that_hardly_tells_nouns_apart_keeps_its_prompts() -> None:
    known, unknown = measure(hub(0.8)), measure(hub(0.995))
    assert known.nearest < TELLS_APART < unknown.nearest
    assert (usual_share(known), usual_share(unknown)) == (SHARE, 0.0)


def test_the_nouns_are_encoded_once_for_a_model(database: Database) -> None:
    clip = Tower()
    first = prompt_mean(database.prompt_means, clip)  # type: ignore[arg-type]
    again = prompt_mean(database.prompt_means, clip)  # type: ignore[arg-type]
    assert np.array_equal(first.mean, again.mean)
    assert first.mean.dtype == again.mean.dtype == np.float32
    assert again.nearest == pytest.approx(first.nearest)
    assert clip.asked == [len(NOUNS)]
    other = Tower(text_fingerprint="another", length=0.5)
    assert not np.array_equal(prompt_mean(database.prompt_means, other).mean, first.mean)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "asked", "recorded"),
    [("whitened", None, 1.0), ("whitened", 0.5, 0.5), ("whitened", 0.0, 0.0), (ARTICLE, 1.0, 0.0)],
)
def test_a_session_records_its_share_and_starts_there(
    database: Database, collection: Collection, method: str, asked: float | None, recorded: float
) -> None:
    clip = Tower()
    session = Session.start(database, collection, clip, "a lake", method=method, centring=asked)  # type: ignore[arg-type]
    mean = prompt_mean(database.prompt_means, clip).mean  # type: ignore[arg-type]
    expected = centred(clip.encode_text(["a lake"]), mean, recorded)[0]
    assert session.current.weight == pytest.approx(expected, abs=1e-6)
    again = Session.reopen(database, session.row.id)
    assert again.row.centring == recorded
    assert np.array_equal(again.current.weight, session.current.weight)


def test_the_nouns_are_many_and_each_is_there_once() -> None:
    assert len(NOUNS) == len(set(NOUNS)) >= 100


def test_the_samples_model_keeps_its_prompts() -> None:
    encoder = Encoder(CHECKPOINT)
    nouns = encoder.encode_texts([f"a {noun}" for noun in NOUNS])
    assert usual_share(measure(nouns)) == 0.0
