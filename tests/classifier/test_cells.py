import csv
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.exports.cells import guarded, plain, write_rows

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\t\r\n'"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-AbC1",
        "@SUM(1)",
        "\t=1",
        "\rx",
        "\nx",
        "  =1",
        "\u00a0-1",
        "\uff1d1",
        "'",
        "'=1",
    ],
)
def test_what_a_spreadsheet_takes_for_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert plain(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "a", "a=1", "file:///-a", "https://a/=b", "1-2", " a", "é"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text == plain(text)


@given(st.lists(st.lists(st.text(alphabet=st.sampled_from(SIGNS + 'a ",;é\u2028')), min_size=1)))
def test_reading_back_undoes_it(rows: list[list[str]]) -> None:
    rows = [row for row in rows if row != [""]]  # csv can't tell it from no row
    file = StringIO(newline="")
    write_rows(file, rows)
    read = list(csv.reader(StringIO(file.getvalue(), newline="")))
    assert [[plain(cell) for cell in row] for row in read] == rows
    for row in read:
        assert all(not cell.lstrip().startswith(tuple(SIGNS[:8])) for cell in row)


def test_numbers_stay_numbers() -> None:
    file = StringIO()
    write_rows(file, [["-a", -1, -0.5, Decimal("-0.250000")]])
    assert file.getvalue() == "'-a,-1,-0.5,-0.250000\r\n"


def test_the_lines_for_pandas_in_the_readme_undo_it() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    code = readme.partition("One apostrophe less is what was written:\n\n```python\n")[2]
    code = code.partition("```")[0]
    file = StringIO(newline="")
    write_rows(file, [["id", "score"], ["-a", Decimal("-0.5")], ["'b", 1]])
    file.seek(0)
    names = {"pd": pd, "open_csv": file}
    exec(code.replace('"lakes.csv"', "open_csv"), names)  # noqa: S102 -- the README's own
    table = names["table"]
    assert isinstance(table, pd.DataFrame)
    assert table.to_dict("list") == {"id": ["-a", "'b"], "score": ["-0.5", "1"]}
