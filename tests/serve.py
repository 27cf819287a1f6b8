"""The test server as a process of its own, for benchmarks and for trying things out.

    python -m tests.serve FOLDER [PORT] [--dress myscale | myscale-scann | clickhouse-24.3]

It prints its address, and serves the database `default` of the folder until it is ended.
"""

import argparse
import threading
from collections.abc import Callable
from pathlib import Path

from tests.clickhouse_server import ClickHouseServer, Dress
from tests.myscale_dress import MyScaleDress
from tests.older_dress import OlderDress

DRESSES: dict[str, Callable[[], Dress]] = {
    "none": Dress,
    "myscale": MyScaleDress,
    "myscale-scann": lambda: MyScaleDress(mstg=False),
    "clickhouse-24.3": lambda: OlderDress("24.3.1.1"),
}


def main() -> None:
    """Serve a folder until the process is ended."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.serve", description="chDB behind ClickHouse's HTTP interface"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int, nargs="?", default=0, help="default: any free one")
    parser.add_argument("--dress", choices=DRESSES, default="none", help="what it claims to be")
    options = parser.parse_args()
    dress = DRESSES[options.dress]()
    with ClickHouseServer(options.folder, port=options.port, dress=dress) as server:
        print(server.url, flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
