import pytest

from ingest.shard import Shard, parse_shard
from tests.conftest import photo_ids


def test_every_photo_is_in_one_part() -> None:
    shards = [Shard(number, 7) for number in range(1, 8)]
    taken = [[shard for shard in shards if shard.takes(photo)] for photo in photo_ids(2000)]
    assert all(len(takers) == 1 for takers in taken)
    sizes = [sum(shard.takes(photo) for photo in photo_ids(2000)) for shard in shards]
    assert min(sizes) > 2000 / 7 * 0.8


def test_a_part_is_the_same_on_every_machine_and_in_every_year() -> None:
    taken = [photo for photo in photo_ids(12) if Shard(2, 3).takes(photo)]
    assert taken == ["photo-00002", "photo-00005", "photo-00007", "photo-00011"]


def test_the_whole_is_one_part() -> None:
    assert all(Shard(1, 1).takes(photo) for photo in photo_ids(50))


def test_a_part_is_written_with_a_slash() -> None:
    assert parse_shard("3/16") == Shard(3, 16)


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/3/5", " 1/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a part of a whole: write i/n, from 1/n to n/n$"):
        parse_shard(text)
