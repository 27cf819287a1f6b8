"""Models of other families and sizes: their vectors are those that the library's own way gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel, AutoProcessor, AutoTokenizer

from classifier.clip import Clip
from classifier.refit import METHODS
from classifier.session import Session
from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError
from db.photo import Photo
from db.sessions import DOWN, UP
from tests.checkpoints import CONTEXT, make_checkpoint, make_siglip

PROMPTS = ["A red house", "a lake"]


def images() -> list[Image.Image]:
    rng = np.random.default_rng(2)
    shapes = ((40, 60, 3), (90, 30, 3), (33, 33, 3))
    return [Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)) for shape in shapes]


def unit(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors, dim=-1).numpy()


@pytest.mark.parametrize("naflex", [False, True])
def test_siglip_is_as_the_library_has_it(tmp_path: Path, naflex: bool) -> None:
    folder = make_siglip(tmp_path / "siglip", naflex=naflex)
    clip = Clip("siglip", folder)
    model = AutoModel.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)(
        [prompt.lower() for prompt in PROMPTS],
        padding="max_length", max_length=CONTEXT, return_tensors="pt",
    )  # fmt: skip
    with torch.no_grad():
        text = model.get_text_features(input_ids=tokens["input_ids"]).pooler_output
        seen = [
            model.get_image_features(**AutoProcessor.from_pretrained(folder).image_processor(
                image, return_tensors="pt"
            )).pooler_output
            for image in images()
        ]  # fmt: skip
    assert clip.dimension == 48
    assert clip.encode_text(PROMPTS) == pytest.approx(unit(text), abs=1e-5)
    assert clip.encode_images(images()) == pytest.approx(unit(torch.cat(seen)), abs=1e-4)
    assert clip.image_size == 32
    assert clip.too_long("a lake " * 20)
    assert clip.is_strange("\u043b\u043e\u0434\u043a\u0430")
    assert not clip.is_strange("a lake")


def test_a_vector_does_not_depend_on_what_is_encoded_with_it(tmp_path: Path) -> None:
    clip = Clip("siglip", make_siglip(tmp_path / "siglip", naflex=True))
    alone = np.concatenate([clip.encode_images([image]) for image in images()])
    assert clip.encode_images(images()) == pytest.approx(alone, abs=1e-5)
    assert clip.encode_text(["a lake"]) == pytest.approx(
        clip.encode_text(["a lake", "a red house by a lake"])[:1], abs=1e-5
    )


def test_another_family_is_refused(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "other")
    config = (folder / "config.json").read_text().replace('"clip"', '"bert"', 1)
    (folder / "config.json").write_text(
        config.replace('"model_type": "clip"', '"model_type": "bert"')
    )
    with pytest.raises(
        ExplorerError, match=r"it is a bert model: take one of the CLIP or the SigLIP"
    ):
        Clip("other", folder)


def test_a_siglip_without_its_vocabulary_is_refused(tmp_path: Path) -> None:
    folder = make_siglip(tmp_path / "siglip")
    for name in ("spiece.model", "tokenizer.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ExplorerError, match=r"it has none of tokenizer\.json, spiece\.model"):
        Clip("siglip", folder)


def test_a_collection_has_the_dimension_of_its_model(database: Database, tmp_path: Path) -> None:
    """Made, indexed, searched, refined and opened anew with vectors of 768 numbers."""
    clip = Clip("large", make_checkpoint(tmp_path / "large", projection_dim=768))
    collection = Collection("large", "large", clip.fingerprint, "a test", clip.dimension)
    table = database.collections.open(collection)
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(300, 768)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table.add([Photo(f"p{n:03d}", f"sample:{n}") for n in range(300)], vectors)
    table.build_index(poll=0.01)
    assert table.index_state().state == "built"
    (found,) = database.collections.all()
    assert found.dimension == 768
    again = database.collections.photos(found)
    assert [n.photo.id for n in again.search(vectors[7], 1)] == ["p007"]
    assert again.sample(10).shape == (10, 768)
    with pytest.raises(ExplorerError, match="A search needs 768 finite numbers"):
        again.search(np.ones(512, dtype=np.float32), 1)
    with pytest.raises(ExplorerError, match="large holds 768 numbers a photo"):
        again.add([Photo("x", "sample:x")], np.ones((1, 512), dtype=np.float32))
    for method in METHODS:
        session = Session.start(database, found, clip, "a lake", method=method)
        for place, photo in enumerate(session.current.photos):
            session.label(photo.id, UP if place % 3 else DOWN)
        session.refine()
        assert session.current.weight.shape == (768,)
        assert Session.reopen(database, session.row.id).current.weight.shape == (768,)
