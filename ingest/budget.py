"""How much memory decoding may take, over all threads together."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

TOTAL = 900_000_000  # bytes: with what else a load needs for pictures, about a gigabyte


class Budget:
    """Bytes that are lent and given back; who asks for more than is left waits."""

    def __init__(self, total: int = TOTAL) -> None:
        self.total = total
        self._left = total
        self._changed = Condition()

    @contextmanager
    def hold(self, wanted: int) -> Iterator[None]:
        """Hold so many bytes while the context is open.

        Raises:
            ValueError: it is more than there is in all.
        """
        if wanted > self.total:
            raise ValueError(
                f"needs {wanted / 1e9:.1f} GB of memory: make it smaller, or save it as a JPEG"
            )
        with self._changed:
            self._changed.wait_for(lambda: self._left >= wanted)
            self._left -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._left += wanted
                self._changed.notify_all()


BUDGET = Budget()
