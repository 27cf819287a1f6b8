"""The code that is shown beside a weight: scoring images with transformers alone."""

from pathlib import Path

_CODE = """\
import pathlib, sys, torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from transformers import AutoImageProcessor, AutoModel
weight, model = load_file({file!r})["weight"], AutoModel.from_pretrained({checkpoint})
prepare = AutoImageProcessor.from_pretrained({checkpoint})
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.[jJ][pP]*[gG]")):
    try: image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    except Exception as error: print("skipped", path, error, file=sys.stderr); continue
    found = model.get_image_features(**prepare(image, return_tensors="pt"))
    score = torch.cosine_similarity(getattr(found, "pooler_output", found), weight).item()
    print(f"{{score:.6f}}", "kept" if score >= {threshold:.6f} else "left out", path, sep="\\t")
"""


def scoring_code(file: str, model: str, threshold: float, folder: Path | None = None) -> str:
    """Twelve lines of Python that score the JPEG files below the folder that they are given.

    Args:
        file: the name of the weight's file.
        model: the CLIP checkpoint: a hub id, which may name a revision, or a folder.
        threshold: the score from which on images are kept.
        folder: where the checkpoint is, for a model that is neither.
    """
    place = str(folder or model)
    name, _, revision = (place, "", "") if Path(place).is_dir() else place.partition("@")
    checkpoint = f"{name!r}, revision={revision!r}" if revision else repr(name)
    return _CODE.format(file=file, checkpoint=checkpoint, threshold=threshold)
