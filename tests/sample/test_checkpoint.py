"""The shipped model: loads like any CLIP, is small, and finds plain things."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

from ingest.sample import CHECKPOINT, EXAMPLE_PROMPTS
from ingest.sample.captions import scene_facts
from ingest.sample.drawing import draw
from ingest.sample.scenes import SAMPLE_SEEDS, compose
from ingest.sample.towers import Encoder

SCENES = [compose(seed) for seed in SAMPLE_SEEDS[:400]]
FACTS = [scene_facts(scene) for scene in SCENES]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(CHECKPOINT)


@pytest.fixture(scope="module")
def pictures(encoder: Encoder) -> npt.NDArray[np.float32]:
    return encoder.encode_images([draw(scene, encoder.image_size) for scene in SCENES])


def test_it_loads_as_any_other_checkpoint_does() -> None:
    model = CLIPModel.from_pretrained(CHECKPOINT)
    assert model.config.projection_dim == 512
    assert AutoTokenizer.from_pretrained(CHECKPOINT)("a boat")["input_ids"][-1] == (
        model.config.text_config.eos_token_id
    )
    side = model.config.vision_config.image_size
    picture = AutoImageProcessor.from_pretrained(CHECKPOINT)(
        draw(SCENES[0], 320), return_tensors="pt"
    )
    assert picture["pixel_values"].shape == (1, 3, side, side)


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) <= 8_000_000


def test_vectors_are_finite_and_of_length_one(
    encoder: Encoder, pictures: npt.NDArray[np.float32]
) -> None:
    for vectors in (pictures, encoder.encode_texts(EXAMPLE_PROMPTS)):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == 512
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("prompt", "facts"),
    [
        ("a lake", {"setting:lake"}),
        ("a city at night", {"setting:city", "time:night"}),
        ("snow", {"weather:snow"}),
        ("a sunset on the beach", {"setting:beach", "time:sunset"}),
        ("a house", {"kind:house"}),
        ("a boat", {"kind:boat"}),
        ("a house by a lake", {"kind:house", "setting:lake"}),
    ],
)
def test_a_search_is_far_better_than_chance(
    encoder: Encoder, pictures: npt.NDArray[np.float32], prompt: str, facts: set[str]
) -> None:
    right = np.array([facts <= known for known in FACTS])
    scores = pictures @ encoder.encode_texts([prompt])[0]
    shown = right[np.argsort(-scores)[:9]]
    # Chance finds right.mean(); few of the 400 may be right at all.
    assert shown.sum() >= min(6, 0.6 * right.sum())
    assert right.mean() < 0.3


def test_a_large_drawing_and_a_small_one_have_nearly_the_same_vector(
    encoder: Encoder, pictures: npt.NDArray[np.float32]
) -> None:
    large = encoder.encode_images([draw(scene, 320) for scene in SCENES[:20]])
    assert np.einsum("ij,ij->i", large, pictures[:20]).min() > 0.9
