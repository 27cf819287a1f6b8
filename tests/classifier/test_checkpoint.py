from pathlib import Path
from typing import Any

import pytest

from classifier import checkpoint
from classifier.checkpoint import TEXT, find_checkpoint
from db.errors import ExplorerError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Any]]:
    """What the hub's library was asked for: names, and revisions."""
    calls: list[tuple[str, Any]] = []

    def download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        calls.append((name, revision))
        (tmp_path / "model.safetensors").touch()
        return str(tmp_path)

    monkeypatch.setattr(checkpoint, "snapshot_download", download)
    return calls


@pytest.mark.parametrize(
    ("model_id", "name", "revision"),
    [
        ("org/name", "org/name", None),
        ("org/name@v1.0", "org/name", "v1.0"),
        ("org/name@refs/pr/3", "org/name", "refs/pr/3"),
        ("gpt2@0123abc", "gpt2", "0123abc"),
    ],
)
def test_a_revision_is_pinned(
    asked: list[tuple[str, Any]], tmp_path: Path, model_id: str, name: str, revision: str | None
) -> None:
    assert find_checkpoint(model_id) == tmp_path
    assert asked == [(name, revision)]


def test_a_folder_may_have_an_at_sign(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert find_checkpoint(str(folder)) == folder
    assert asked == []


@pytest.mark.parametrize("model_id", ["a b", "org/name@", "http://h/x", "a/b/c", "x" * 20 + "?"])
def test_what_is_no_name_is_not_asked_for(asked: list[tuple[str, Any]], model_id: str) -> None:
    with pytest.raises(ExplorerError) as raised:
        find_checkpoint(model_id)
    assert str(raised.value) == (
        f"Can't load the CLIP model {model_id}: that is neither a folder nor a hub id, such as "
        "org/name or org/name@revision. Without the internet, set CLIP_MODEL or --model to a "
        "folder that holds a checkpoint, or to sample"
    )
    assert asked == []


def test_a_text_model_is_called_one() -> None:
    with pytest.raises(ExplorerError) as raised:
        find_checkpoint("/nowhere/x", TEXT)
    assert str(raised.value) == (
        "Can't load the text model /nowhere/x: there is no such folder. Without the internet, set "
        "CLIP_TEXT_MODEL to a folder that holds one"
    )
