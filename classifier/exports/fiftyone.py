"""FiftyOne's FiftyOneImageClassificationDataset, of photos that are files on this machine.

Its importer (docs.voxel51.com, user_guide/import_datasets) takes the labels alone where their keys
are the images' whole paths.
"""

import json

from classifier.exports.entries import Entry, Selection
from db.addresses import is_file, path_of


def to_json(selection: Selection) -> str:
    """A label for each file; photos without a thumb have the score as their confidence."""
    files = [each for each in selection.entries if is_file(each.photo.url)]
    labels = {str(path_of(each.photo.url)): _label(selection, each) for each in files}
    return json.dumps({"classes": list(selection.classes), "labels": labels})


def _label(selection: Selection, entry: Entry) -> dict[str, object]:
    told: dict[str, object] = {"label": selection.class_of(entry)}
    if entry.label is None:
        told["confidence"] = round(entry.score, 6)
    return told
