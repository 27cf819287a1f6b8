"""Every odd file has its right colours, whether it is read whole or reduced."""

from io import BytesIO

import numpy as np
import pytest

from ingest.images import decode
from tests.ingest.zoo import animals

ZOO = list(animals())


def test_no_two_have_one_name() -> None:
    assert len({animal.name for animal in ZOO}) == len(ZOO)


@pytest.mark.parametrize("side", [None, 224])
def test_every_odd_file_has_its_right_colours(side: int | None) -> None:
    wrong = {}
    for animal in ZOO:
        try:
            mean = np.asarray(decode(BytesIO(animal.content), side)).reshape(-1, 3).mean(axis=0)
        except ValueError as error:
            wrong[animal.name] = str(error)
        else:
            if np.abs(mean - animal.mean).max() > animal.tolerance:
                wrong[animal.name] = f"{mean.round(1)} and not {np.round(animal.mean, 1)}"
    assert wrong == {}
