"""Label Studio's tasks: thumbs are annotations, what the classifier says is a prediction.

The format is that of labelstud.io/guide/tasks and /guide/predictions. Files of this machine are
served by Label Studio itself, as /guide/storage says of local storage, with the root folder `/`.
"""

import json
from typing import Any
from urllib.parse import quote_from_bytes
from xml.sax.saxutils import quoteattr

from classifier.exports.entries import Entry, Selection, classes
from db.addresses import is_file, path_of


def labelling_config(name: str) -> str:
    """What to paste as the labelling interface of a project, for a classifier of that name."""
    choices = "".join(f"\n    <Choice value={quoteattr(each)}/>" for each in classes(name))
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="choice" toName="image" choice="single">{choices}\n'
        "  </Choices>\n</View>"
    )


def to_json(selection: Selection) -> str:
    """One task a photo."""
    return json.dumps([_task(selection, each) for each in selection.entries])


def _task(selection: Selection, entry: Entry) -> dict[str, Any]:
    choice = {
        "from_name": "choice",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [selection.class_of(entry)]},
    }
    data = {"image": _address(entry.photo.url), "photo_id": entry.photo.id}
    if entry.label is not None:
        return {"data": data, "annotations": [{"result": [choice]}]}
    # It takes no score outside of 0 to 1.
    score = round(min(max(entry.score, 0.0), 1.0), 6)
    said = {"model_version": selection.name, "score": score, "result": [choice]}
    return {"data": data, "predictions": [said]}


def _address(url: str) -> str:
    """Where Label Studio finds a photo."""
    if not is_file(url):
        return url
    path = quote_from_bytes(bytes(path_of(url))).lstrip("/")
    return f"/data/local-files/?d={path}"
