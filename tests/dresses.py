"""What the tests' server can claim to be, by name."""

from collections.abc import Callable

from tests.clickhouse_server import Dress
from tests.myscale_dress import MyScaleDress
from tests.older_dress import OlderDress

DRESSES: dict[str, Callable[[], Dress]] = {
    "none": Dress,
    "old": lambda: OlderDress("24.3.1.1"),
    "myscale": MyScaleDress,
    "myscale-scann": lambda: MyScaleDress(mstg=False),
}
