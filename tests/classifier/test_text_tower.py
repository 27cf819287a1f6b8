"""Prompts in any language: text towers that write into another image tower's space."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, XLMRobertaConfig, XLMRobertaModel

from classifier import text_tower
from classifier.clip import Clip
from classifier.text_tower import TextTower, is_foreign, load_text_tower
from db.errors import ExplorerError
from tests.checkpoints import make_checkpoint
from tests.text_towers import CONTEXT, make_mclip, make_modules

PROMPTS = ["дом на озере", "湖"]


def by_hand(transformer: Any, tokens: Any, weight: Any, bias: Any) -> np.ndarray:
    """The mean over each text's own tokens, projected: one text at a time, so without padding."""
    rows = []
    for ids in tokens["input_ids"]:
        with torch.no_grad():
            hidden = transformer(input_ids=torch.tensor([ids])).last_hidden_state[0]
        row = hidden.mean(dim=0) @ weight.T + bias
        rows.append((row / row.norm()).numpy())
    return np.stack(rows)


@pytest.mark.parametrize("pickled", [True, False])
def test_mclip_is_the_mean_of_its_tokens_projected(tmp_path: Path, pickled: bool) -> None:
    folder = make_mclip(tmp_path / "m", pickled=True)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    transformer = XLMRobertaModel(
        XLMRobertaConfig(
            vocab_size=13, hidden_size=64, num_hidden_layers=2, num_attention_heads=1,
            intermediate_size=48, max_position_embeddings=CONTEXT + 2, type_vocab_size=1,
            layer_norm_eps=1e-5,
        )
    ).eval()  # fmt: skip
    transformer.load_state_dict(
        {k.removeprefix("transformer."): v for k, v in weights.items() if "transformer." in k}
    )
    tower = TextTower("m", make_mclip(tmp_path / "again", pickled=pickled))
    tokens = AutoTokenizer.from_pretrained(tmp_path / "again", use_fast=True)(PROMPTS)
    expected = by_hand(
        transformer,
        tokens,
        weights["LinearTransformation.weight"],
        weights["LinearTransformation.bias"],
    )
    assert tower.encode_text(PROMPTS) == pytest.approx(expected, abs=1e-5)
    assert tower.dimension == 512


@pytest.mark.parametrize("inner", ["", "0_Transformer"])
def test_sentence_transformers_is_too(tmp_path: Path, inner: str) -> None:
    folder = make_modules(tmp_path / "s", inner=inner)
    tower = TextTower("s", folder)
    tokens = AutoTokenizer.from_pretrained(folder / inner)(PROMPTS)
    weight = torch.load(folder / "2_Dense" / "pytorch_model.bin", weights_only=True)
    expected = by_hand(
        AutoModel.from_pretrained(folder / inner).eval(), tokens, weight["linear.weight"], 0
    )
    assert tower.encode_text(PROMPTS) == pytest.approx(expected, abs=1e-5)
    assert not tower.too_long("дом " * 14)
    assert tower.too_long("дом " * 15), "sentence_bert_config.json says 16, with the two ends"


def _lose(name: str) -> object:
    return lambda folder: (folder / name).unlink()


def _set(name: str, **values: object) -> object:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def _lose_weights(folder: Path) -> None:
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    del weights["transformer.encoder.layer.1.output.dense.weight"]
    torch.save(weights, folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("make", "spoil", "told"),
    [
        (make_mclip, _lose("pytorch_model.bin"), "no model.safetensors and no pytorch_model.bin"),
        (make_mclip, _lose("tokenizer.json"), "it has none of tokenizer.json"),
        (make_mclip, _lose_weights, "1 of its weights are missing, such as encoder.layer.1"),
        (make_mclip, _set("config.json", model_type="bert"), "neither a checkpoint of M-CLIP nor"),
        (make_mclip, _set("config.json", modelBase="bert-base"), "built on bert-base, not on XLM"),
        (make_modules, _lose("2_Dense/pytorch_model.bin"), "2_Dense has no model.safetensors"),
        (
            make_modules,
            _set("1_Pooling/config.json", pooling_mode_cls_token=True),
            "its pooling is not the mean over the tokens",
        ),
        (make_modules, _set("2_Dense/config.json", activation_function="x.Evil"), "ends in x.Evil"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, make: object, spoil: object, told: str
) -> None:
    folder = make(tmp_path / "tower")  # type: ignore[operator]
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ExplorerError) as raised:
        TextTower("a-tower", folder)
    text = str(raised.value)
    assert text.startswith("Can't load the text model a-tower: ")
    assert told in text
    assert text.endswith("set CLIP_TEXT_MODEL to a folder that holds one")
    assert "\n" not in text


def test_a_pickled_file_is_read_as_tensors_alone(tmp_path: Path) -> None:
    folder = make_mclip(tmp_path / "tower")
    torch.save({"transformer.x": Path("/tmp")}, folder / "pytorch_model.bin")  # noqa: S108
    with pytest.raises(ExplorerError, match=r"^Can't load the text model a-tower: ") as raised:
        TextTower("a-tower", folder)
    assert "weights_only" not in str(raised.value)


def test_the_photos_stay_and_the_prompts_are_read_by_the_other_tower(tmp_path: Path) -> None:
    clip = Clip("images", make_checkpoint(tmp_path / "images"))
    tower = TextTower("texts", make_modules(tmp_path / "texts"))
    both = clip.with_text(tower)
    assert both.fingerprint == clip.fingerprint
    assert np.array_equal(both.encode_text(PROMPTS), tower.encode_text(PROMPTS))
    assert clip.is_strange("дом на озере")
    assert not clip.is_strange("Häuser am Öresund")
    assert not both.is_strange("дом на озере")
    with pytest.raises(ExplorerError, match=r"^The prompt is empty"):
        both.encode_text([" "])
    other = TextTower("wide", make_mclip(tmp_path / "wide", dimension=768))
    with pytest.raises(
        ExplorerError,
        match=r"^CLIP_TEXT_MODEL=wide makes vectors of 768 numbers, and images of 512",
    ):
        clip.with_text(other)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("лодка", True),
        ("湖", True),
        ("قارب", True),
        ("een boot", False),
        ("2 3", False),
    ],
)
def test_scripts(text: str, foreign: bool) -> None:
    assert is_foreign(text) is foreign


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is named like a known text tower."""
    monkeypatch.setattr(text_tower, "_loaded", {})
    return make_mclip(tmp_path / "M-CLIP" / "XLM-Roberta-Large-Vit-B-32")


@pytest.mark.parametrize(
    "image", ["openai/clip-vit-base-patch32", "OpenAI/CLIP-ViT-base-patch32@v1"]
)
def test_known_pairs_are_let_through(known: Path, image: str) -> None:
    assert load_text_tower(str(known), image) is load_text_tower(str(known), image)


def test_so_are_folders_that_are_named_like_them(known: Path, tmp_path: Path) -> None:
    image = tmp_path / "models--openai--clip-vit-base-patch32" / "snapshots" / "abc"
    image.mkdir(parents=True)
    assert load_text_tower(str(known), str(image)).dimension == 512


def test_a_tower_of_another_image_model_is_refused(known: Path) -> None:
    with pytest.raises(ExplorerError) as raised:
        load_text_tower(str(known), "openai/clip-vit-large-patch14")
    assert str(raised.value) == (
        f"CLIP_TEXT_MODEL={known} belongs to openai/clip-vit-base-patch32, and these photos were "
        "encoded with openai/clip-vit-large-patch14: set it to M-CLIP/XLM-Roberta-Large-Vit-L-14"
    )
    with pytest.raises(ExplorerError, match=r"encoded with someone/else: unset it$"):
        load_text_tower(str(known), "someone/else")


def test_one_that_nobody_knows_needs_a_word(tmp_path: Path) -> None:
    folder = make_modules(tmp_path / "mine")
    with pytest.raises(
        ExplorerError, match=r"is no text model that is known to belong to an image"
    ):
        load_text_tower(str(folder), "my/model")
    assert load_text_tower(f"{folder} for my/model", "my/model").dimension == 512
    with pytest.raises(ExplorerError, match=r"belongs to my/model, and these photos"):
        load_text_tower(f"{folder} for my/model", "another/model")
