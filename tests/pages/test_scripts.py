"""The pages' JavaScript can be read; what it does, tests/browser sees."""

import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

PAGES = Path(__file__).resolve().parents[2] / "pages"
SCRIPTS = sorted(PAGES.rglob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_a_module(script: Path, tmp_path: Path) -> None:
    # By its name, node knows a module.
    module = tmp_path / f"{script.stem}.mjs"
    module.write_bytes(script.read_bytes())
    node = compute_driver_executable()[0]
    done = subprocess.run([node, "--check", module], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 2
