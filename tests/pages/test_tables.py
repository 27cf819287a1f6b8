import csv
import tomllib
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from streamlit.testing.v1 import AppTest

from classifier.exports.cells import plain
from pages.tables import to_csv

ROOT = Path(__file__).parents[2]


def test_all_rows_leave_and_none_as_a_formula() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    rows = [{"photo": f"=HYPERLINK({n})", "when": at} for n in range(300)]
    header, *read = csv.reader(StringIO(to_csv(rows)))
    assert header == ["photo", "when"]
    assert read[299] == ["'=HYPERLINK(299)", str(at)]
    assert [plain(photo) for photo, _ in read] == [row["photo"] for row in rows]


def script() -> None:
    from pages.tables import show_table

    show_table([{"photo": n} for n in range(201)], "some")


def test_a_long_table_says_that_it_is_cut() -> None:
    page = AppTest.from_function(script).run()
    assert len(page.dataframe[0].value) == 200
    assert page.caption[0].value == "The first 200 of 201"
    assert [button.label for button in page.get("download_button")] == ["Download the list (CSV)"]


def test_no_table_of_streamlits_has_a_download_of_its_own() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["client"]["disableDataExport"] is True
