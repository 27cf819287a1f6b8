import re
from itertools import product

import pytest

from db.names import OWN
from ingest.names import table_name


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("holiday", "holiday"),
        ("My Photos (2024)", "My_Photos_2024"),
        ("2024", "photos_2024"),
        ("été", "ete"),
        ("", "photos"),
        ("_private_", "private"),
        ("a-b.c", "a_b_c"),
        ("Labels", "photos_Labels"),
    ],
)
def test_a_folders_name_becomes_a_tables(folder: str, name: str) -> None:
    assert table_name(folder) == name


SCRIPTS = ["写真", "Фото", "日本", "תמונות", "صور", "Φωτό", "사진", "🐶", "🐱"]


def test_names_of_other_scripts_stay_apart_and_the_same() -> None:
    folders = [*SCRIPTS, *(f"{one} {other}" for one, other in product(SCRIPTS, ["2024", "b"]))]
    names = [table_name(folder) for folder in folders]
    assert len(set(names)) == len(folders)
    assert table_name("\u5199\u771f") == "photos_cf274e41"
    assert table_name("caf\u0065\u0301 \u5199") == table_name("caf\u00e9 \u5199")
    assert table_name("x" * 70 + "1") != table_name("x" * 70 + "2")


@pytest.mark.parametrize(
    "folder",
    [
        *("9" * 300, "x" * 300, "\u00e9" * 300, "-" * 9, "1", "a b " * 80, "\udcff", "'; DROP"),
        *("\U0001f436", "\u5199" * 99, "\u00df\u0131\u2460", *sorted(OWN)),
    ],
)
def test_every_folder_gets_a_name_that_a_table_can_have(folder: str) -> None:
    assert re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,63}", table_name(folder))
    assert table_name(folder).lower() not in OWN
