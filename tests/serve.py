"""Serves a database to other processes: `python -m tests.serve FOLDER [PORT] [--dress NAME]`.

It prints the DSN of its database once it answers, and runs until it is ended.
"""

import argparse
import threading
from pathlib import Path

from tests.clickhouse_server import ClickHouseServer
from tests.dresses import ALONE, DRESSES
from tests.hasty_dress import StalledDress


def main() -> None:
    """Serve a folder until the process is ended."""
    parser = argparse.ArgumentParser(description="chDB behind ClickHouse's HTTP interface")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int, nargs="?", default=0)
    dresses = DRESSES | ALONE
    parser.add_argument("--dress", choices=dresses, default="none", help="what it claims to be")
    parser.add_argument("--stall", type=Path, help="searches wait while this file is there")
    options = parser.parse_args()
    dress = dresses[options.dress]()
    if options.stall is not None:
        dress = StalledDress(dress, options.stall)
    with ClickHouseServer(options.folder, dress=dress, port=options.port) as server:
        print(f"{server.url}/default", flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
