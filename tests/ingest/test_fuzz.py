"""Damaged files of every kind end in a picture or in a refusal, and in nothing else."""

from io import BytesIO

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.images import decode
from tests.ingest.zoo import Animal, animals

# libtiff tells of damage on standard error, a line for each fault.
ZOO = [animal for animal in animals() if not animal.name.endswith(".tif")]
REASONS = ("image cut short", "broken image", "not a ", "more than ", "needs ")
PLACE = st.integers(0, 1 << 20)


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    animal=st.sampled_from(ZOO),
    changes=st.lists(st.tuples(PLACE, st.integers(0, 255)), max_size=4),
    cut=st.one_of(st.none(), PLACE),
    doubled=st.one_of(st.none(), PLACE),
)
def test_whatever_is_damaged_ends_in_a_picture_or_in_a_refusal(
    animal: Animal, changes: list[tuple[int, int]], cut: int | None, doubled: int | None
) -> None:
    body = bytearray(animal.content)
    for place, value in changes:
        # The first bytes say the most: sizes, kinds, places.
        body[place % (len(body) if place % 2 else min(len(body), 120))] = value
    if doubled is not None:
        place = doubled % len(body)
        body[place:place] = body[place : place + 40]
    if cut is not None:
        del body[cut % len(body) :]
    said = ""
    try:
        assert decode(BytesIO(bytes(body)), 224).mode == "RGB"
    except ValueError as error:
        said = str(error)
    assert not said or said.startswith(REASONS)
