"""The sample collection: drawn scenes, words for them, and a small CLIP trained on such scenes."""

from pathlib import Path
from typing import Final

from ingest.sample.captions import EXAMPLE_PROMPTS
from ingest.sample.scenes import SAMPLE_SIZE

__all__ = ["CHECKPOINT", "EXAMPLE_PROMPTS", "SAMPLE_SIZE"]

CHECKPOINT: Final = Path(__file__).resolve().parent / "checkpoint"
