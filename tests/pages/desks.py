"""What an AppTest page sends to its desks."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def desks(page: AppTest) -> list[dict[str, Any]]:
    """The data of every desk on the page."""
    sent = [
        json.loads(element.proto.json or "null")  # type: ignore[attr-defined]
        for element in page.get("bidi_component")
    ]
    # The page's ears for pasted pictures are a component too, which is sent nothing.
    return [data for data in sent if data]


def desk(page: AppTest) -> dict[str, Any]:
    """The state of the one desk on the page."""
    (data,) = desks(page)
    state: dict[str, Any] = data["state"]
    return state
