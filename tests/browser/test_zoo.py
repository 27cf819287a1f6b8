"""Odd picture files have the colours that a browser gives them."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import pytest
from playwright.sync_api import Page

from ingest.images import decode
from tests.ingest.zoo import animals

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FARTHEST = 6  # of a mean colour's channels
MEAN = """async (urls) => Promise.all(urls.map(async (url) => {
    const image = new Image();
    image.src = url;
    try { await image.decode(); } catch { /* what is there of it may be shown */ }
    if (!image.naturalWidth) return null;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const sums = [0, 0, 0];
    data.forEach((value, at) => { if (at % 4 < 3) sums[at % 4] += value; });
    return sums.map((sum) => sum / (data.length / 4));
}))"""


def test_every_odd_file_looks_as_in_a_browser(page: Page) -> None:
    shown = [animal for animal in animals() if animal.shown]
    urls = []
    for animal in shown:
        kind = "avif" if animal.name.endswith("avif") else "png"  # the bytes tell the others
        urls.append(f"data:image/{kind};base64,{b64encode(animal.content).decode()}")
    page.set_content("<p>")
    wrong = {}
    for animal, theirs in zip(shown, page.evaluate(MEAN, urls), strict=True):
        ours = np.asarray(decode(BytesIO(animal.content))).reshape(-1, 3).mean(axis=0)
        if theirs is None or np.abs(ours - theirs).max() > FARTHEST:
            wrong[animal.name] = f"{ours.round(1)}, in the browser {theirs}"
    assert wrong == {}
