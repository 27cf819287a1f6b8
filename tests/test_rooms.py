"""The rooms of the house: who may import whom, and what stays out of the first page."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_NOT = {
    "db": {"classifier", "ingest", "pages", "streamlit", "torch", "transformers"},
    "classifier": {"ingest", "pages", "streamlit"},
    "ingest": {"pages", "streamlit"},
    "pages": set(),
}


def imported(path: Path) -> set[str]:
    """The first names of all modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("room", MAY_NOT)
def test_a_room_imports_no_room_above_it(room: str) -> None:
    files = list((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        # Like app.py, the command line of classifiers brings rooms together.
        free = {"ingest"} if path == ROOT / "classifier" / "__main__.py" else set()
        assert not imported(path) & (MAY_NOT[room] | {"app"}) - free, path


def test_sql_is_written_in_db_alone() -> None:
    verbs = ("SELECT ", "INSERT INTO ", "ALTER TABLE ", "CREATE TABLE ", "DROP TABLE ")
    for room in ("classifier", "ingest", "pages"):
        for path in (ROOT / room).rglob("*.py"):
            assert not any(verb in path.read_text(encoding="utf-8") for verb in verbs), path


def test_the_first_page_is_drawn_without_torch() -> None:
    script = (
        "import sys; from pages import classifiers, collection, label, services; "
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_top_level_is_the_owners() -> None:
    allowed = {
        *("app.py", "ingest", "classifier", "db", "pages", "tests"),
        *("requirements.txt", "README.md", ".streamlit"),
        *("pyproject.toml", ".gitignore", "LICENSE", ".ci"),
    }
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= allowed
