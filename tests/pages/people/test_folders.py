"""Folders of the server: only those below roots that the operator names."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from db.errors import ExplorerError
from ingest.sources import FolderSource
from pages.people.folders import (
    folder_to_load,
    folder_to_write,
    may_load_folders,
    may_write_folders,
    model_to_load,
)
from pages.people.person import NotAllowedError
from pages.people.team import Team, read_team
from tests.pages.people.conftest import BEHIND_PROXY


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    """A folder that may be loaded, and one beside it."""
    inside, outside = tmp_path / "photos", tmp_path / "photos-of-others"
    for folder in (inside / "2020", outside):
        folder.mkdir(parents=True)
    for place in (inside / "2020", inside, outside):
        Image.new("RGB", (9, 9), "red").save(place / "a.png")
    (inside / "away").symlink_to(outside)
    (inside / "within.png").symlink_to(inside / "a.png")
    (inside / "out.png").symlink_to(outside / "a.png")
    return inside, outside


def test_below_the_roots_and_nowhere_else(
    use_team: Callable[..., Team], roots: tuple[Path, Path]
) -> None:
    inside, outside = roots
    use_team(**BEHIND_PROXY, PHOTO_ROOTS=f"{inside}", EXPORT_ROOTS=f"{outside}")
    for typed in (inside, f" {inside}/2020 ", inside / "2020" / ".." / "2020", inside / "new"):
        assert folder_to_load(str(typed)).is_relative_to(inside)
    for typed in (
        *(outside, inside.parent, inside / "..", inside / "away", inside / ".." / outside.name),
        *("/", "/etc", "~", ".", "/proc/self/cwd", f"{inside}-of-others"),
    ):
        with pytest.raises(NotAllowedError) as refused:
            folder_to_load(str(typed))
        assert "can't be loaded: name a folder in" in str(refused.value)
        assert str(inside) in str(refused.value)
        assert "\n" not in str(refused.value)
    assert folder_to_write(str(outside / "lakes")) == outside / "lakes"
    with pytest.raises(NotAllowedError, match="can't be written into: name a folder in"):
        folder_to_write(str(inside / "lakes"))


def test_a_team_without_roots_names_no_folders(
    use_team: Callable[..., Team], tmp_path: Path
) -> None:
    use_team(**BEHIND_PROXY)
    assert not may_load_folders()
    assert not may_write_folders()
    with pytest.raises(NotAllowedError, match="be loaded here, since PHOTO_ROOTS names none: ask"):
        folder_to_load(str(tmp_path))
    with pytest.raises(NotAllowedError, match="written into here, since EXPORT_ROOTS names none"):
        folder_to_write(str(tmp_path))


def test_on_ones_own_machine_every_folder_is_ones_own(
    use_team: Callable[..., Team], tmp_path: Path
) -> None:
    use_team()
    assert folder_to_load(str(tmp_path)) == tmp_path
    assert folder_to_write(str(tmp_path)) == tmp_path
    use_team(PHOTO_ROOTS=str(tmp_path))
    with pytest.raises(NotAllowedError):
        folder_to_load("/etc")


def test_a_model_is_no_way_to_other_folders(use_team: Callable[..., Team], tmp_path: Path) -> None:
    use_team(**BEHIND_PROXY, PHOTO_ROOTS=str(tmp_path))
    for typed in ("openai/clip-vit-base-patch32", "sample", str(tmp_path)):
        assert model_to_load(typed) == typed
    for typed in ("/etc", "../x", "~/x", "ingest/sample"):
        with pytest.raises(NotAllowedError):
            model_to_load(typed)


def test_links_that_lead_out_of_the_roots_are_not_followed(roots: tuple[Path, Path]) -> None:
    inside, _ = roots
    source = FolderSource(inside, within=[inside])
    names = {photo.url.rsplit("/", 1)[-1] for photo in source.photos()}
    assert names == {"a.png", "within.png"}
    assert source.left_out["links to files that may not be loaded"] == 1
    assert len(FolderSource(inside).photos()) == 4, "anywhere, where nobody says where"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"PHOTO_ROOTS": "photos"}, "PHOTO_ROOTS has photos, which is no folder here: write whole"),
        ({"PHOTO_ROOTS": "/nowhere/at/all"}, "PHOTO_ROOTS has /nowhere/at/all, which is no folder"),
        ({"EXPORT_ROOTS": "/etc/passwd"}, "EXPORT_ROOTS has /etc/passwd, which is no folder here"),
        (
            {"UPLOAD_MAX_MB": "much"},
            "UPLOAD_MAX_MB=much is no number from 1 on: write such as",
        ),
        ({"UPLOAD_MAX_FILES": "0"}, "UPLOAD_MAX_FILES=0 is no number from 1 on"),
        ({"UPLOAD_MAX_FILES": "-1"}, "UPLOAD_MAX_FILES=-1 is no number from 1 on"),
    ],
)
def test_roots_that_can_not_be_meant(given: dict[str, str], says: str) -> None:
    with pytest.raises(ExplorerError) as refused:
        read_team(given, oidc=False)
    assert says in str(refused.value)


def test_several_roots(roots: tuple[Path, Path]) -> None:
    inside, outside = roots
    made = read_team({"PHOTO_ROOTS": f"{inside}: {outside} :"}, oidc=False)
    assert made.photo_roots == roots
    linked = inside.parent / "link"
    linked.symlink_to(inside)
    assert read_team({"PHOTO_ROOTS": str(linked)}, oidc=False).photo_roots == (inside,)
