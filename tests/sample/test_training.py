"""Training: the loss knows the truth, steps lower it, and interruptions leave no trace."""

# Random captions and layouts are no secrets.
# ruff: noqa: S311
from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from transformers import CLIPTokenizer

from ingest.sample.captions import captioned
from ingest.sample.lessons import Stock, open_stock, stock_scene
from ingest.sample.scenes import KINDS
from ingest.sample.towers import Encoder, Shape, save_checkpoint
from ingest.sample.train import (
    Phase,
    Recipe,
    Stocks,
    Trainer,
    contrastive_loss,
    main,
    make_tokenizer,
)
from ingest.sample.vocabulary import CONTEXT_LENGTH

SHAPE = Shape(
    image_size=32, patch_size=16, image_width=64, image_layers=1, text_width=64, text_layers=1
)
PHASES = (
    Phase(start=0, pairs=6, hard=0.0, rate=2e-3),
    Phase(start=3, pairs=6, hard=0.5, rate=2e-3, close=0.5),
)
RECIPE = Recipe(steps=8, scenes=32, close_ups=16, captions=2, warmup=1, phases=PHASES, shape=SHAPE)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """At this size, threads cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return open_stock(tmp_path_factory.mktemp("stock") / "stock.npy", 32, 32, 1)


@pytest.fixture(scope="module")
def stocks(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Stocks:
    folder = tmp_path_factory.mktemp("stock")
    return stock, open_stock(folder / "close.npy", 16, 32, 1, close=True)


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return make_tokenizer(400)


def _weights(trainer: Trainer) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in trainer.model.parameters()]


@pytest.mark.parametrize("hard", [False, True])
def test_a_batch_holds_the_truth_about_every_caption(stock: Stock, hard: bool) -> None:
    lesson = stock.lesson(Random(1), pairs=6, captions=3, hard=hard)
    assert lesson.pixels.shape == (12, 32, 32, 3)
    assert lesson.truth.shape == (len(lesson.texts), 12) == (36, 12)
    own = [lesson.truth[index, index // 3] for index in range(36)]
    assert all(own)
    assert lesson.truth.sum() > 36
    assert not lesson.truth.all()


def test_hard_batches_are_mostly_of_one_place_and_time(stock: Stock) -> None:
    def shared(hard: bool) -> float:
        lessons = [stock.lesson(Random(n), pairs=6, captions=3, hard=hard) for n in range(20)]
        return float(np.mean([lesson.truth.mean() for lesson in lessons]))

    assert shared(True) > 1.5 * shared(False)


def test_variations_of_the_stock_share_the_seed_of_their_scene() -> None:
    assert stock_scene(10).seed == stock_scene(11).seed
    assert stock_scene(10) != stock_scene(11)


def test_the_loss_does_not_punish_a_caption_for_fitting_two_pictures() -> None:
    truth = torch.tensor([[True, True, False]])
    both = contrastive_loss(torch.tensor([[9.0, 9.0, -9.0]]), truth)
    wrong = contrastive_loss(torch.tensor([[9.0, -9.0, 9.0]]), truth)
    assert both.item() < 1e-3
    assert wrong.item() > 1


def test_the_loss_of_equal_scores_is_that_of_guessing() -> None:
    # One true pair against three false ones in its row and three in its column.
    loss = contrastive_loss(torch.zeros(4, 4), torch.eye(4, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log(4), abs=1e-5)


def test_a_caption_that_fits_every_picture_teaches_nothing() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    contrastive_loss(logits, torch.ones(1, 3, dtype=torch.bool)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros(1, 3))


def test_steps_lower_the_loss(stocks: Stocks, tokenizer: CLIPTokenizer) -> None:
    trainer = Trainer(replace(RECIPE, steps=100, phases=PHASES[:1]), tokenizer)
    losses = [trainer.step(stocks) for _ in range(16)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) - 0.1


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    stocks: Stocks, tokenizer: CLIPTokenizer, tmp_path: Path
) -> None:
    whole = Trainer(RECIPE, tokenizer)
    for _ in range(8):
        whole.step(stocks)
    first = Trainer(RECIPE, tokenizer)
    for _ in range(5):
        first.step(stocks)
    torch.save(first.state(), tmp_path / "state.pt")
    second = Trainer(RECIPE, tokenizer)
    second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    while second.done < 8:
        second.step(stocks)
    for expected, got in zip(_weights(whole), _weights(second), strict=True):
        assert torch.equal(expected, got)


def test_a_state_of_another_recipe_is_refused(stocks: Stocks, tokenizer: CLIPTokenizer) -> None:
    first = Trainer(RECIPE, tokenizer)
    first.step(stocks)
    other = Trainer(replace(RECIPE, captions=5), tokenizer)
    with pytest.raises(ValueError, match="belongs to another recipe"):
        other.restore(first.state())


def test_a_run_may_be_made_longer_until_its_learning_rate_falls(
    stocks: Stocks, tokenizer: CLIPTokenizer
) -> None:
    short, steps = Trainer(RECIPE, tokenizer), RECIPE.cooldown
    for _ in range(steps):
        short.step(stocks)
    longer = Trainer(replace(RECIPE, steps=20), tokenizer)
    longer.restore(short.state())
    assert longer.done == steps
    short.step(stocks)
    with pytest.raises(ValueError, match="belongs to another recipe"):
        longer.restore(short.state())


def test_the_learning_rate_warms_up_stays_and_falls() -> None:
    phases = (Phase(start=0, pairs=6, hard=0.0, rate=1.0),)
    recipe = Recipe(steps=100, warmup=10, phases=phases)
    assert recipe.rate_at(0) == pytest.approx(0.1)
    assert recipe.rate_at(30) == 1.0
    assert recipe.rate_at(85) == pytest.approx(0.5)
    assert 0 < recipe.rate_at(99) < 0.05


def test_a_step_belongs_to_the_phase_that_started_last() -> None:
    assert RECIPE.phase_at(2) is PHASES[0]
    assert RECIPE.phase_at(3) is PHASES[1]


def test_a_close_up_has_one_kind_of_object_and_it_is_large() -> None:
    for index in range(0, 200, 2):
        scene, near = stock_scene(index), stock_scene(index, close=True)
        if not scene.groups:
            assert near == scene
            continue
        (group,) = near.groups
        kind = KINDS[group.kind]
        original = scene.group(group.kind)
        assert original is not None
        assert group.count == min(2, original.count)
        assert group.placements[0].scale * max(kind.width, kind.height) > 0.25


def test_the_tokenizer_writes_any_word_and_keeps_known_ones_whole(
    tokenizer: CLIPTokenizer,
) -> None:
    assert tokenizer.tokenize("a house by a lake") == [
        "a</w>",
        "house</w>",
        "by</w>",
        "a</w>",
        "lake</w>",
    ]
    strange = tokenizer("Zürich, 42 quokkas! \N{SNOWMAN}")["input_ids"]
    assert strange[0] == tokenizer.bos_token_id
    assert strange.count(tokenizer.eos_token_id) == 1
    cut = tokenizer("boat " * 100, truncation=True)["input_ids"]
    assert len(cut) == CONTEXT_LENGTH
    assert cut[-1] == tokenizer.eos_token_id


def test_no_caption_is_longer_than_the_context(tokenizer: CLIPTokenizer) -> None:
    rng = Random(3)
    texts = [captioned(stock_scene(index), rng).text for index in range(600)]
    lengths = [len(ids) for ids in tokenizer(texts)["input_ids"]]
    assert max(lengths) <= CONTEXT_LENGTH


def test_a_saved_model_gives_unit_vectors(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    trainer = Trainer(RECIPE, tokenizer)
    save_checkpoint(trainer.model, tokenizer, tmp_path)
    vectors = Encoder(tmp_path).encode_texts(["snow", "a house by a lake at night"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # What was trained is untouched by being saved in half precision.
    assert next(trainer.model.parameters()).dtype == torch.float32


def test_the_command_trains_draws_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sample.train.Recipe", lambda: RECIPE)
    common = ["--scenes", "32", "--out", f"{tmp_path}/model", "--work", f"{tmp_path}/work"]
    main(["--steps", "4", "--processes", "1", "--save-every", "2", *common])
    drawn = (tmp_path / "work" / "stock.npy").stat().st_mtime_ns
    assert torch.load(tmp_path / "work" / "state.pt", weights_only=True)["done"] == 4
    main(["--steps", "4", "--processes", "1", *common])
    assert (tmp_path / "work" / "stock.npy").stat().st_mtime_ns == drawn
    assert Encoder(tmp_path / "model").image_size == 32
