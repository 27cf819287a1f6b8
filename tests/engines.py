"""Runs the conformance suite on real ClickHouse engines of other versions.

    python -m tests.engines 25.8 26.7 two-shards

Wheels of chDB are ClickHouse of their time. Each gets an environment of its own in `.engines/`,
made once; a process there serves it as ClickHouse's HTTP interface (tests/serve.py). `one-shard`
and `two-shards` are clusters on the engine of this environment (tests/cluster_dress.py).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cluster_dress import CLUSTER

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".engines"

# By the version of ClickHouse: 23.6 is the nearest to MyScale's 23.3 that there is, 25.8 the oldest
# that is promised to be searched by an index, and was built without one.
WHEELS = {"23.6": "chdb==0.15.0", "25.8": "chdb==3.7.2", "26.7": "chdb-core==26.7.0"}
# MyScale's dress on the engine that is nearest to it.
MYSCALE = "23.6-myscale"
# Dresses of the server on the engine of this environment.
CLUSTERS = ("one-shard", "two-shards")
# Engines that grow slow with the databases they have: each file of tests gets a server of its own.
_GROWS_SLOW = ("25.8",)
# What these wheels import, and what packs answers, as they are here.
_BESIDE = ("pyarrow", "lz4", "backports.zstd")


def environment(name: str) -> Path:
    """The Python of an engine's environment, which is made if it isn't there."""
    folder = ENVIRONMENTS / name
    wanted = [WHEELS[name], *(f"{package}=={version(package)}" for package in _BESIDE)]
    # Written last: an environment that was not finished is made anew.
    done = folder / "requirements.txt"
    if not done.exists() or done.read_text().split() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        # Without what they depend on, since pandas and NumPy are not imported.
        install = [folder / "bin" / "pip", "install", "-q", "--no-deps", "--no-compile", *wanted]
        subprocess.run(install, check=True)
        done.write_text("\n".join(wanted))
    return folder / "bin" / "python"


@contextmanager
def served(python: str, *options: str) -> Iterator[str]:
    """The DSN of a server of an empty folder, as `tests.serve` makes one, while it runs."""
    with tempfile.TemporaryDirectory() as folder:
        # The engine's own files lie beside its configuration.
        command = [python, "-m", "tests.serve", f"{folder}/engine", *options]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().strip()
                assert url, f"{' '.join(command)} ended before it answered"
                yield url
            finally:
                # With the process that an old engine has.
                os.killpg(process.pid, signal.SIGTERM)


def conform(name: str, *arguments: str) -> int:
    """Run the suite on an engine; returns the worst of pytest's exit statuses."""
    suite = Path("tests/conformance")
    parts = sorted(suite.glob("test_*.py")) if name in _GROWS_SLOW else [suite]
    return max(_conform(name, part, *arguments) for part in parts)


def _conform(name: str, part: Path, *arguments: str) -> int:
    suite = [sys.executable, "-m", "pytest", "-q", str(part), "-k", "named", *arguments]
    if name == MYSCALE:
        server, option = served(str(environment("23.6")), "--dress", "myscale"), ""
    elif name in WHEELS:
        server, option = served(str(environment(name))), ""
    else:
        server, option = served(sys.executable, "--dress", name), f"?cluster={CLUSTER}"
    with server as url:
        told = {"CONFORMANCE_DATABASE_URL": url + option, "CONFORMANCE_ENGINE": name}
        status = subprocess.run(suite, cwd=ROOT, env={**os.environ, **told}, check=False).returncode
    # Not every file has tests for an engine that is named.
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else status


def main() -> int:
    """Run the suite on each engine that is named; what follows `--` is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, usage="%(prog)s ENGINE … [-- PYTEST …]")
    parser.add_argument("engines", nargs="+", choices=[*WHEELS, MYSCALE, *CLUSTERS])
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:split])
    return max(conform(name, *sys.argv[split + 1 :]) for name in options.engines)


if __name__ == "__main__":
    sys.exit(main())
