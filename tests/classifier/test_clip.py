import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from classifier.clip import Clip, Matrix, Precision, _arithmetic, load_clip
from db.errors import ExplorerError
from tests.checkpoints import CONTEXT, SIDE, make_checkpoint
from tests.hub import hub

PROMPTS = ["a house by a lake", "red", "two boats at night!", "été 日本"]
LONG = "red boat " * CONTEXT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    return Clip("tiny", folder)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A checkpoint that a test may spoil."""
    return make_checkpoint(tmp_path / "own")


def pictures(n: int) -> list[Image.Image]:
    """RGB images of n sizes and contents."""
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (20 + 7 * k, 90 - 5 * k, 3), dtype=np.uint8))
        for k in range(n)
    ]


def norms(vectors: Matrix) -> list[float]:
    return [float(np.linalg.norm(vector.astype(np.float64))) for vector in vectors]


# --- vectors ----------------------------------------------------------------------------------


def test_text_becomes_unit_vectors(clip: Clip) -> None:
    vectors = clip.encode_text(PROMPTS)
    assert (vectors.shape, vectors.dtype) == ((4, 512), np.float32)
    np.testing.assert_allclose(norms(vectors), 1, atol=1e-6)


def test_images_become_unit_vectors(clip: Clip) -> None:
    vectors = clip.encode_images(pictures(5))
    assert (vectors.shape, vectors.dtype) == ((5, 512), np.float32)
    np.testing.assert_allclose(norms(vectors), 1, atol=1e-6)


def test_prepared_images_take_little_memory_and_give_the_same_vectors(clip: Clip) -> None:
    prepared = [clip.prepare(image) for image in pictures(4)]
    assert {(pixels.shape, pixels.dtype) for pixels in prepared} == {
        ((3, SIDE, SIDE), np.dtype(np.float32))
    }
    np.testing.assert_array_equal(clip.encode_prepared(prepared), clip.encode_images(pictures(4)))


def test_no_images_become_no_vectors(clip: Clip) -> None:
    vectors = clip.encode_images([])
    assert (vectors.shape, vectors.dtype) == ((0, 512), np.float32)


def test_different_things_get_different_vectors(clip: Clip) -> None:
    vectors = np.concatenate([clip.encode_text(PROMPTS), clip.encode_images(pictures(4))])
    assert len(np.unique(vectors.round(4), axis=0)) == 8


@torch.inference_mode()
def test_text_vectors_are_the_librarys_own(clip: Clip, folder: Path) -> None:
    model, tokenizer = CLIPModel.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder)
    for prompt, ours in zip(PROMPTS, clip.encode_text(PROMPTS), strict=True):
        tokens = tokenizer(prompt, return_tensors="pt")
        hidden = model.text_model(**tokens).pooler_output
        reference = torch.nn.functional.normalize(model.text_projection(hidden)[0], dim=0)
        np.testing.assert_allclose(ours, reference.numpy(), atol=1e-5)
        features = model.get_text_features(**tokens).pooler_output[0]
        np.testing.assert_allclose(ours, (features / features.norm()).numpy(), atol=1e-5)


@torch.inference_mode()
def test_image_vectors_are_the_librarys_own(clip: Clip, folder: Path) -> None:
    model = CLIPModel.from_pretrained(folder)
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    for image, ours in zip(pictures(4), clip.encode_images(pictures(4)), strict=True):
        pixels = processor(image, return_tensors="pt")
        hidden = model.vision_model(**pixels).pooler_output
        reference = torch.nn.functional.normalize(model.visual_projection(hidden)[0], dim=0)
        np.testing.assert_allclose(ours, reference.numpy(), atol=1e-5)
        features = model.get_image_features(**pixels).pooler_output[0]
        np.testing.assert_allclose(ours, (features / features.norm()).numpy(), atol=1e-5)


def test_pixels_are_prepared_as_clip_was_trained(clip: Clip, folder: Path) -> None:
    image = Image.new("RGB", (SIDE, SIDE), (255, 128, 0))
    mean = np.array([0.48145466, 0.4578275, 0.40821073])
    spread = np.array([0.26862954, 0.26130258, 0.27577711])
    plane = (np.array([255, 128, 0]) / 255 - mean) / spread
    pixels = torch.tensor(plane, dtype=torch.float32).reshape(1, 3, 1, 1).expand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        features = CLIPModel.from_pretrained(folder).get_image_features(pixel_values=pixels)
    reference = torch.nn.functional.normalize(features.pooler_output[0], dim=0).numpy()
    np.testing.assert_allclose(clip.encode_images([image])[0], reference, atol=1e-5)


def test_a_batch_gives_what_each_alone_gives(clip: Clip) -> None:
    images = pictures(6)
    alone = np.concatenate([clip.encode_images([image]) for image in images])
    np.testing.assert_allclose(clip.encode_images(images), alone, atol=1e-6)
    texts = np.concatenate([clip.encode_text([prompt]) for prompt in PROMPTS])
    np.testing.assert_allclose(clip.encode_text(PROMPTS), texts, atol=1e-6)


def test_capital_letters_and_spaces_around_do_not_matter(clip: Clip) -> None:
    one, other = clip.encode_text(["a RED  boat ", "a red boat"])
    np.testing.assert_allclose(one, other, atol=1e-6)


# --- what the image tower computes in ---------------------------------------------------------


def cosines(some: Matrix, others: Matrix) -> npt.NDArray[np.float64]:
    """Of each row with the other's row; those of unit norm."""
    return np.einsum("ij,ij->i", some.astype(np.float64), others.astype(np.float64))


def test_bfloat16_gives_nearly_the_same_unit_vectors(clip: Clip) -> None:
    prepared = [clip.prepare(image) for image in pictures(6)]
    usual, faster = clip.encode_prepared(prepared), clip.encode_prepared(prepared, "bfloat16")
    assert (faster.shape, faster.dtype) == ((6, 512), np.float32)
    np.testing.assert_allclose(norms(faster), 1, atol=1e-6)
    assert cosines(usual, faster).min() > 0.999
    assert not np.array_equal(usual, faster)


def test_bfloat16_is_used_only_when_asked_for(clip: Clip) -> None:
    prepared = [clip.prepare(image) for image in pictures(6)]
    before = clip.encode_prepared(prepared, "float32")
    clip.encode_prepared(prepared, "bfloat16")
    np.testing.assert_array_equal(clip.encode_prepared(prepared), before)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_graphics_processor_computes_in_half_precision(
    device: str, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(torch, "autocast", lambda *arguments: asked.append(arguments))
    _arithmetic(device, precision)
    assert asked == [(device, torch.float16)]


def test_half_precision_changes_neither_the_text_nor_the_fingerprint(
    clip: Clip, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The CPU stands in for a graphics processor: it knows half precision too.
    half = torch.autocast("cpu", torch.float16)
    monkeypatch.setattr("classifier.clip._arithmetic", lambda device, precision: half)
    halved = Clip("halved", folder)
    vectors = halved.encode_images(pictures(6))
    monkeypatch.undo()
    usual = clip.encode_images(pictures(6))
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(norms(vectors), 1, atol=1e-6)
    assert not np.array_equal(vectors, usual)
    assert cosines(vectors, usual).min() > 0.9999
    assert halved.fingerprint == clip.fingerprint
    np.testing.assert_array_equal(halved.encode_text(PROMPTS), clip.encode_text(PROMPTS))


# --- prompts that need care -------------------------------------------------------------------


@torch.inference_mode()
def test_a_long_prompt_is_cut_with_a_warning(
    clip: Clip, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert clip.too_long(LONG)
    [ours] = clip.encode_text([LONG])
    assert f"only the first {CONTEXT} tokens of" in caplog.text
    words = CLIPTokenizer.from_pretrained(folder)
    tokens = words(LONG, truncation=True, max_length=CONTEXT, return_tensors="pt")
    assert tokens["input_ids"].shape == (1, CONTEXT)
    features = CLIPModel.from_pretrained(folder).get_text_features(**tokens).pooler_output[0]
    np.testing.assert_allclose(ours, (features / features.norm()).numpy(), atol=1e-5)


def test_what_is_cut_off_does_not_count(clip: Clip) -> None:
    one, other = clip.encode_text([LONG, LONG + " by a lake at night"])
    np.testing.assert_array_equal(one, other)


def test_a_prompt_that_just_fits_is_not_cut(clip: Clip, caplog: pytest.LogCaptureFixture) -> None:
    fits = "red " * (CONTEXT - 2)
    assert not clip.too_long(fits)
    assert clip.too_long(fits + "red")
    clip.encode_text([fits])
    assert caplog.text == ""


@pytest.mark.parametrize("prompt", ["", " ", "\n\t "])
def test_a_blank_prompt_is_refused(clip: Clip, prompt: str) -> None:
    with pytest.raises(ExplorerError, match="The prompt is empty"):
        clip.encode_text(["a lake", prompt])


# --- which checkpoint it is -------------------------------------------------------------------


def test_it_knows_its_name_its_size_and_its_device(clip: Clip) -> None:
    assert (clip.model_id, clip.image_size) == ("tiny", SIDE)
    assert clip.device in ("cpu", "cuda", "mps")


def test_the_fingerprint_stays_from_load_to_load(clip: Clip, folder: Path) -> None:
    again = Clip("by another name", folder)
    assert again.fingerprint == clip.fingerprint
    assert len(bytes.fromhex(clip.fingerprint)) == 8


def test_other_weights_have_another_fingerprint(clip: Clip, tmp_path: Path) -> None:
    other = Clip("other", make_checkpoint(tmp_path / "other", seed=1))
    assert other.fingerprint != clip.fingerprint


@pytest.mark.parametrize("layer", ["text_projection", "visual_projection"])
def test_one_changed_number_changes_the_fingerprint(
    clip: Clip, own_folder: Path, layer: str
) -> None:
    model = CLIPModel.from_pretrained(own_folder)
    with torch.no_grad():
        getattr(model, layer).weight[3, 5] += 1e-3
    model.save_pretrained(own_folder)
    assert Clip("own", own_folder).fingerprint != clip.fingerprint


def test_a_checkpoint_is_loaded_once_a_process(folder: Path) -> None:
    assert load_clip(str(folder)) is load_clip(str(folder))


def test_a_name_may_stand_for_a_folder(folder: Path, clip: Clip) -> None:
    named = load_clip("a name for the tiny one", folder)
    assert (named.model_id, named.fingerprint) == ("a name for the tiny one", clip.fingerprint)


def split_tokenizer(folder: Path) -> None:
    """Write a tokenizer in the older form of two files."""
    path = folder / "tokenizer.json"
    model = json.loads(path.read_text())["model"]
    merges = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("\n".join(merges) + "\n")
    path.unlink()


def test_a_tokenizer_in_two_files_reads_the_same(clip: Clip, own_folder: Path) -> None:
    split_tokenizer(own_folder)
    older = Clip("older", own_folder)
    np.testing.assert_allclose(older.encode_text(PROMPTS), clip.encode_text(PROMPTS), atol=1e-6)


# --- checkpoints that can't be used -----------------------------------------------------------


def refusal_of(model_id: str) -> str:
    with pytest.raises(ExplorerError) as refusal:
        load_clip(model_id)
    text = str(refusal.value)
    assert "\n" not in text
    return text


def test_a_missing_folder_says_so_and_what_to_do(tmp_path: Path) -> None:
    assert refusal_of(f"{tmp_path}/nowhere") == (
        f"Can't load the CLIP model {tmp_path}/nowhere: there is no such folder. Without the "
        "internet, set CLIP_MODEL or --model to a folder that holds a checkpoint, or to sample"
    )


def spoil_nothing_there(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def spoil_weights_cut_short(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def spoil_weights_that_are_a_web_page(folder: Path) -> None:
    (folder / "model.safetensors").write_text("<html>sign in</html>")


def spoil_weights_empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def spoil_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def spoil_no_tokenizer(folder: Path) -> None:
    for file in folder.glob("*token*"):
        file.unlink()


def spoil_half_a_tokenizer(folder: Path) -> None:
    split_tokenizer(folder)
    (folder / "merges.txt").unlink()


def spoil_tokenizer_is_not_one(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def spoil_a_layer_without_weights(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def spoil_older_weights_cut_short(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    weights = folder / "pytorch_model.bin"
    weights.write_bytes(weights.read_bytes()[:-1000])


def spoil_older_weights_that_are_a_web_page(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_text("<html>sign in</html>")


def spoil_a_weight_that_is_no_number(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["visual_projection.weight"][3, 5] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


class Harmful:
    """What a checkpoint may hold that runs code when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("this ran",))


def spoil_older_weights_that_run_code(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"weights": Harmful()}, folder / "pytorch_model.bin")


def spoil_no_preprocessor(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()


def spoil_config_is_not_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def spoil_another_kind_of_model(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))


def spoil_weights_of_other_shapes(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["hidden_size"] = 64
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    "spoil",
    [value for name, value in sorted(globals().items()) if name.startswith("spoil_")],
)
def test_a_spoilt_checkpoint_is_one_line_with_its_name_and_what_to_do(
    own_folder: Path, spoil: object
) -> None:
    assert callable(spoil)
    spoil(own_folder)
    text = refusal_of(str(own_folder))
    assert text.startswith(f"Can't load the CLIP model {own_folder}: ")
    assert text.endswith("--model to a folder that holds a checkpoint, or to sample")


def test_a_checkpoint_of_no_numbers_is_refused_by_the_weight(own_folder: Path) -> None:
    spoil_a_weight_that_is_no_number(own_folder)
    said = "1 of its weights hold no numbers, such as visual_projection.weight. "
    assert said in refusal_of(str(own_folder))


def test_nobody_is_told_to_let_a_checkpoint_run_code(
    own_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil_older_weights_that_run_code(own_folder)
    text = refusal_of(str(own_folder))
    assert "it holds more than weights, and may run code: take one with model.safetensors" in text
    said = capfd.readouterr()
    assert "this ran" not in said.out
    assert "weights_only" not in text + said.out + said.err


# --- the hub ----------------------------------------------------------------------------------

# The library reads the hub's address once, when it is imported: hence a process of its own.
_LOAD = """
import sys
from classifier import clip
from db.errors import ExplorerError
for line in sys.stdin:
    clip._loaded.clear()
    try:
        print(clip.load_clip(line.strip()).fingerprint, flush=True)
    except ExplorerError as error:
        print("refused:", str(error).replace(chr(10), "<new line>"), flush=True)
"""


class Elsewhere:
    """Another process, whose hub is on this machine and whose cache is in a folder of the test."""

    def __init__(self, home: Path) -> None:
        with hub({}) as running:
            self.port = running.port
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environ |= {
            "HOME": str(home),
            "HF_HOME": str(home / "cache"),
            "HF_ENDPOINT": running.url,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }
        self._errors = home / "stderr"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _LOAD],
                env=environ,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def load(self, model_id: str) -> str:
        """The fingerprint of a model, or why it was refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{model_id}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._errors.read_text()
        return line.strip()

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    process = Elsewhere(tmp_path_factory.mktemp("home"))
    yield process
    process.close()


def assert_refused(said: str, model_id: str) -> None:
    assert said.startswith(f"refused: Can't load the CLIP model {model_id}: ")
    assert said.endswith("--model to a folder that holds a checkpoint, or to sample")
    assert "<new line>" not in said


def test_a_hub_id_is_downloaded_once_and_then_needs_no_hub(
    folder: Path, clip: Clip, elsewhere: Elsewhere
) -> None:
    with hub({"someone/tiny": folder}, elsewhere.port) as running:
        assert elsewhere.load("someone/tiny") == clip.fingerprint
        assert elsewhere.load("someone/tiny") == clip.fingerprint
    assert running.downloads.count("model.safetensors") == 1
    assert elsewhere.load("someone/tiny") == clip.fingerprint


def test_a_model_that_has_only_the_older_format_is_loaded_too(
    own_folder: Path, clip: Clip, elsewhere: Elsewhere
) -> None:
    torch.save(load_file(own_folder / "model.safetensors"), own_folder / "pytorch_model.bin")
    (own_folder / "model.safetensors").unlink()
    with hub({"someone/older": own_folder}, elsewhere.port):
        assert elsewhere.load("someone/older") == clip.fingerprint
    assert elsewhere.load("someone/older") == clip.fingerprint


def test_weights_in_a_format_that_is_not_used_are_not_downloaded(
    own_folder: Path, elsewhere: Elsewhere
) -> None:
    for name in ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"):
        (own_folder / name).write_bytes(b"large")
    with hub({"someone/many": own_folder}, elsewhere.port) as running:
        elsewhere.load("someone/many")
    fetched = {name for name in running.downloads if not name.endswith(".json")}
    assert fetched == {"model.safetensors"}


def test_an_unknown_hub_id_is_one_line(elsewhere: Elsewhere) -> None:
    with hub({}, elsewhere.port):
        assert_refused(elsewhere.load("someone/unknown"), "someone/unknown")


def test_a_hub_that_can_not_be_reached_is_one_line(elsewhere: Elsewhere) -> None:
    assert_refused(elsewhere.load("someone/unreachable"), "someone/unreachable")


def test_a_download_that_breaks_off_is_one_line_and_is_made_good_later(
    folder: Path, clip: Clip, elsewhere: Elsewhere
) -> None:
    with hub({"someone/broken": folder}, elsewhere.port) as running:
        running.broken.add("model.safetensors")
        assert_refused(elsewhere.load("someone/broken"), "someone/broken")
    # The half that came can't be mistaken for the whole.
    assert_refused(elsewhere.load("someone/broken"), "someone/broken")
    with hub({"someone/broken": folder}, elsewhere.port):
        assert elsewhere.load("someone/broken") == clip.fingerprint


@pytest.mark.parametrize("name", ["two words", "a/b/c", "-x", "a//b", "x" * 200])
def test_a_name_that_no_hub_knows_is_one_line(name: str) -> None:
    assert refusal_of(name).startswith(f"Can't load the CLIP model {name}: ")
