"""What the tests' server can claim to be, by name."""

from collections.abc import Callable

from tests.clickhouse_server import Dress
from tests.cluster_dress import ClusterDress
from tests.myscale_dress import MyScaleDress
from tests.older_dress import OlderDress

DRESSES: dict[str, Callable[[], Dress]] = {
    "none": Dress,
    "old": lambda: OlderDress("24.3.1.1"),
    "myscale": MyScaleDress,
    "myscale-scann": lambda: MyScaleDress(mstg=False),
}

# These configure their engine, so they need a process of their own.
ALONE: dict[str, Callable[[], Dress]] = {
    "one-shard": ClusterDress,
    "two-shards": lambda: ClusterDress(shards=2),
    "replicated": lambda: ClusterDress(replicated=True),
}
