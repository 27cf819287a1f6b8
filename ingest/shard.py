"""One machine's part of a list that several machines share."""

import hashlib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """Part `number` of `of`, counted from 1. A photo's part depends on its id alone."""

    number: int
    of: int

    def takes(self, photo_id: str) -> bool:
        """Whether a photo belongs to this part."""
        digest = hashlib.blake2b(photo_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest) % self.of == self.number - 1


def parse_shard(text: str) -> Shard:
    """The part that `i/n` names.

    Raises:
        ValueError: it is not two numbers, or i is not from 1 to n.
    """
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"{text!r} is not a part of a whole: write i/n, from 1/n to n/n")
    return Shard(int(found[1]), int(found[2]))
