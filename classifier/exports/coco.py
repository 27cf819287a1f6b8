"""The COCO format: images, and a category for each.

Its specification (cocodataset.org, format-data) has no kind of annotation for a whole image: of
its object detection, an annotation's box and area are the image's. Where the image's size is not
known, it has neither, and `pycocotools` reads its category all the same.
"""

import json
from typing import Any

from classifier.exports.entries import Entry, Selection
from db.addresses import is_file, is_web, path_of
from db.photo import Photo

_FIRST = 1


def to_json(selection: Selection) -> str:
    """One image and one annotation a photo; those of the classifier alone have a `score`."""
    categories = [
        {"id": number, "name": name, "supercategory": "classifier"}
        for number, name in enumerate(selection.classes, _FIRST)
    ]
    numbered = list(enumerate(selection.entries, _FIRST))
    return json.dumps(
        {
            "info": {"description": selection.name, "version": "1.0"},
            "licenses": [],
            "categories": categories,
            "images": [_image(number, each.photo) for number, each in numbered],
            "annotations": [_annotation(number, each) for number, each in numbered],
        }
    )


def _image(number: int, photo: Photo) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": str(path_of(photo.url)) if is_file(photo.url) else f"{photo.id}.jpg",
        "width": photo.width,
        "height": photo.height,
        "coco_url": photo.url if is_web(photo.url) else "",
        "photo_id": photo.id,
    }


def _annotation(number: int, entry: Entry) -> dict[str, Any]:
    width, height = entry.photo.width, entry.photo.height
    told: dict[str, Any] = {
        "id": number,
        "image_id": number,
        "category_id": _FIRST if entry.is_yes else _FIRST + 1,
        "iscrowd": 0,
    }
    if width and height:
        corners = [0, 0, width, 0, width, height, 0, height]
        told |= {
            "bbox": [0, 0, width, height],
            "area": width * height,
            "segmentation": [corners],
        }
    if entry.label is None:
        told["score"] = round(entry.score, 6)
    return told
