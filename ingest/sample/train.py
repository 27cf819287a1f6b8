"""Trains the sample's CLIP: ``python -m ingest.sample.train``.

Plain contrastive training of a ``CLIPModel``, with one difference: whether a caption is true of a
picture is known for every pair of a batch, so a caption that also fits another picture counts
as a positive there, never as a negative. Everything is decided by the step's number, so a run
that was interrupted and resumed ends with the weights of one that was not.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from tqdm import tqdm
from transformers import CLIPModel, CLIPTokenizer

from ingest.sample import CHECKPOINT
from ingest.sample.captions import captioned
from ingest.sample.evaluate import evaluate
from ingest.sample.lessons import Lesson, Stock, open_stock, stock_scene
from ingest.sample.towers import PIXEL_MEAN, PIXEL_STD, Shape, build_model, save_checkpoint
from ingest.sample.vocabulary import learn_tokenizer

_MAX_LOG_SCALE = math.log(100.0)
# Finite, so that a caption that fits the whole batch gets a gradient of zero, not of NaN.
_NEVER = -1e9


# Of whole scenes, and of close-ups.
Stocks = tuple[Stock, Stock]


@dataclass(frozen=True, slots=True)
class Phase:
    """What the steps from ``start`` on are like, until the next phase starts.

    A batch has ``2 * pairs`` pictures; ``hard`` is the share of hard batches, ``close`` that of
    batches of close-ups, and ``rate`` the learning rate.
    """

    start: int
    pairs: int
    hard: float
    rate: float
    close: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the trained weights.

    A step averages the gradients of ``shards`` batches with ``captions`` captions a picture;
    ``scenes`` and ``close_ups`` are the sizes of the two stocks they are taken from. Places and
    times are learnt first, from easy batches; then come hard ones, smaller ones that make for more
    steps, and close-ups, which teach colours and kinds of objects sooner.
    """

    steps: int = 4900
    scenes: int = 40_000
    close_ups: int = 8_000
    captions: int = 3
    shards: int = 2
    warmup: int = 300
    decay: float = 0.05
    seed: int = 20
    phases: tuple[Phase, ...] = (
        Phase(start=0, pairs=40, hard=0.0, rate=1.2e-3),
        Phase(start=700, pairs=40, hard=1.0, rate=1.2e-3),
        Phase(start=1100, pairs=24, hard=0.6, rate=2.0e-3),
        Phase(start=2000, pairs=24, hard=0.6, rate=2.0e-3, close=0.6),
        Phase(start=3400, pairs=24, hard=0.5, rate=2.0e-3, close=0.15),
    )
    shape: Shape = field(default_factory=Shape)

    def phase_at(self, step: int) -> Phase:
        """Return the phase a step belongs to."""
        return [phase for phase in self.phases if phase.start <= step][-1]

    @property
    def cooldown(self) -> int:
        """The step from which the learning rate falls; before it, ``steps`` decides nothing."""
        return self.steps - self.steps * 3 // 10

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: a linear warm-up, a plateau, a linear cool-down."""
        if step < self.cooldown:
            return self.phase_at(step).rate * min(1.0, (step + 1) / self.warmup)
        return self.phase_at(step).rate * (self.steps - step) / (self.steps - self.cooldown)


def contrastive_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the loss of a batch in which the truth of every pair is known.

    Every true pair competes with the false pairs of its row (pictures its caption does not fit)
    and of its column (captions that do not fit its picture), not with other true ones.

    Args:
        logits: float (texts, images), scaled similarities.
        truth: bool, the same shape.
    """
    return (_rows_loss(logits, truth) + _rows_loss(logits.T, truth.T)) / 2


def _rows_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    against = logits.masked_fill(truth, _NEVER).logsumexp(dim=1, keepdim=True)
    pairs = functional.softplus(against - logits).masked_fill(~truth, 0.0)
    return (pairs.sum(dim=1) / truth.sum(dim=1).clamp(min=1)).mean()


class Trainer:
    """A model in training: its weights, its optimizer, and the number of steps done."""

    def __init__(self, recipe: Recipe, tokenizer: CLIPTokenizer) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.tokenizer = tokenizer
        self.model: CLIPModel = build_model(recipe.shape, tokenizer)
        # On a CPU in half precision this is twice as fast as the fused attention at this size.
        self.model.set_attn_implementation("eager")
        self.done = 0
        weights = list(self.model.parameters())
        groups: list[dict[str, Any]] = [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": recipe.decay},
            {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))

    def step(self, stocks: Stocks, rank: int = 0, ranks: int = 1) -> float:
        """Do one step, this process taking its share of the shards, and return the loss."""
        recipe, phase = self.recipe, self.recipe.phase_at(self.done)
        self._optimizer.zero_grad(set_to_none=False)
        total = 0.0
        for shard in range(rank, recipe.shards, ranks):
            name = f"{recipe.seed}/{self.done}/{shard}"
            hard = Random(f"{name}/hard").random() < phase.hard
            close = Random(f"{name}/close").random() < phase.close
            stock = stocks[close]
            lesson = stock.lesson(Random(name), phase.pairs, recipe.captions, hard=hard)
            loss = self._loss(lesson) / recipe.shards
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        if ranks > 1:
            total = _sum_gradients(self.model, total)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.rate_at(self.done)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=_MAX_LOG_SCALE)
        self.done += 1
        return total

    def state(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here."""
        return {
            "recipe": _name(self.recipe),
            "steps": self.recipe.steps,
            "done": self.done,
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a saved state.

        Raises:
            ValueError: if a run of this recipe would not have come through that state.
        """
        recipe = replace(self.recipe, steps=state["steps"])
        longest = min(recipe.cooldown, self.recipe.cooldown)
        shared = state["steps"] == self.recipe.steps or state["done"] <= longest
        if state["recipe"] != _name(recipe) or not shared:
            raise ValueError(
                f"the state after {state['done']} of {state['steps']} steps belongs to another "
                f"recipe: {state['recipe']}, not {_name(self.recipe)}"
            )
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.done = state["done"]

    def _loss(self, lesson: Lesson) -> torch.Tensor:
        pixels = torch.from_numpy(lesson.pixels).permute(0, 3, 1, 2).float()
        pixels = (pixels / 255 - PIXEL_MEAN) / PIXEL_STD
        with torch.autocast("cpu", torch.bfloat16):
            images = self.model.get_image_features(pixel_values=pixels).pooler_output
            texts = self._encode(lesson.texts)
        images = functional.normalize(images.float(), dim=-1)
        texts = functional.normalize(texts.float(), dim=-1)
        logits = texts @ images.T * self.model.logit_scale.exp()
        return contrastive_loss(logits, torch.from_numpy(lesson.truth))

    def _encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the texts' vectors; few are long, so the long ones are padded by themselves."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        split = len(order) * 4 // 5
        parts = []
        for chosen in (order[:split], order[split:]):
            tokens = self.tokenizer(
                [texts[index] for index in chosen],
                padding=True,
                truncation=True,
                return_tensors="pt",
            )
            parts.append(self.model.get_text_features(**tokens).pooler_output)
        places = torch.tensor(order).argsort()
        return torch.cat(parts)[places]


def _name(recipe: Recipe) -> str:
    """Return what tells recipes apart, whatever their number of steps."""
    return repr(replace(recipe, steps=0))


def make_tokenizer(scenes: int) -> CLIPTokenizer:
    """Return the tokenizer learnt from captions of the first training scenes."""
    rng = Random(0)
    indices = range(0, min(scenes, 20_000), 2)
    return learn_tokenizer(captioned(stock_scene(index), rng).text for index in indices)


def train(recipe: Recipe, out: Path, work: Path, processes: int, save_every: int) -> None:
    """Train to the recipe's last step, going on from the state in ``work`` if there is one.

    Args:
        recipe: what to train.
        out: folder for the model, written anew every ``save_every`` steps and at the end.
        work: folder for the drawn stock and the state of the training.
        processes: how many processes share the shards of a step.
        save_every: steps between two saves.
    """
    work.mkdir(parents=True, exist_ok=True)
    _open_stocks(recipe, work, processes)
    if processes == 1:
        _run(0, 1, recipe, out, work, save_every)
        return
    with tempfile.TemporaryDirectory() as meeting:
        arguments = (processes, recipe, out, work, save_every, f"file://{meeting}/meeting")
        spawn(_run_rank, arguments, nprocs=processes)  # type: ignore[no-untyped-call]


def _open_stocks(recipe: Recipe, work: Path, processes: int) -> Stocks:
    side = recipe.shape.image_size
    return (
        open_stock(work / "stock.npy", recipe.scenes, side, processes),
        open_stock(work / "close.npy", recipe.close_ups, side, processes, close=True),
    )


def _run_rank(
    rank: int, ranks: int, recipe: Recipe, out: Path, work: Path, save_every: int, meeting: str
) -> None:
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=ranks)
    _run(rank, ranks, recipe, out, work, save_every)
    dist.destroy_process_group()


def _run(rank: int, ranks: int, recipe: Recipe, out: Path, work: Path, save_every: int) -> None:
    torch.set_num_threads(1)
    stocks = _open_stocks(recipe, work, 1)
    trainer = Trainer(recipe, make_tokenizer(recipe.scenes))
    state = work / "state.pt"
    if state.exists():
        trainer.restore(torch.load(state, weights_only=True))
    if ranks > 1:
        dist.barrier()
    bar = tqdm(total=recipe.steps, initial=trainer.done, unit="step", disable=rank > 0)
    smooth = 0.0
    while trainer.done < recipe.steps:
        loss = trainer.step(stocks, rank, ranks)
        smooth = loss if not smooth else 0.98 * smooth + 0.02 * loss
        bar.set_postfix(loss=f"{smooth:.3f}", refresh=False)
        bar.update()
        if rank == 0 and (trainer.done % save_every == 0 or trainer.done == recipe.steps):
            _save(trainer, out, state)
    bar.close()


def _save(trainer: Trainer, out: Path, state: Path) -> None:
    partial = state.with_suffix(".partial")
    torch.save(trainer.state(), partial)
    partial.rename(state)
    save_checkpoint(trainer.model, trainer.tokenizer, out)


def _sum_gradients(model: CLIPModel, total: float) -> float:
    """Sum the gradients of all processes in place, and return the summed loss."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [torch.tensor([total])])
    dist.all_reduce(flat)
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
    return float(flat[-1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m ingest.sample.train", description=__doc__)
    recipe = Recipe()
    parser.add_argument("--steps", type=int, default=recipe.steps)
    parser.add_argument("--scenes", type=int, default=recipe.scenes, help="drawn for training")
    parser.add_argument("--out", type=Path, default=CHECKPOINT, help="where the model goes")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "sample-train",
        help="where drawings and state are kept; a run started again goes on from there",
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=250, metavar="STEPS")
    options = parser.parse_args(arguments)
    recipe = replace(recipe, steps=options.steps, scenes=options.scenes)
    train(recipe, options.out, options.work, options.processes, options.save_every)
    print(evaluate(options.out))


if __name__ == "__main__":
    main()
