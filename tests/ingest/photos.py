"""Small photos, each of other pixels, and what is no photo."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def photo_bytes(number: int) -> bytes:
    """A JPEG, wider than high, whose pixels are its number's own."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((60 + number % 5, 40), Image.Resampling.BICUBIC)
    file = BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


def write_photos(folder: Path, n: int) -> Path:
    """Write n photos into a folder; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        (folder / f"{number:03d}.jpg").write_bytes(photo_bytes(number))
    return folder


def write_broken(folder: Path) -> None:
    """Write four files with the name of an image that can't be read as one."""
    (folder / "000-note.jpg").write_text("not a photo")
    (folder / "004-empty.png").write_bytes(b"")
    (folder / "005-cut.jpg").write_bytes(photo_bytes(5)[:900])
    (folder / "999-gone.jpg").symlink_to(folder / "nowhere.jpg")
