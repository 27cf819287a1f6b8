"""Tables of text: the first rows to look at, and all of them to take away.

Streamlit's own download leaves formulas in the cells as they are, so `.streamlit/config.toml` turns
it off.
"""

from collections.abc import Mapping, Sequence
from io import StringIO

import streamlit as st

from classifier.exports.cells import write_rows

_SHOWN = 200


def show_table(rows: Sequence[Mapping[str, object]], file: str) -> None:
    """Show a table, and offer it as a CSV file.

    Args:
        rows: at least one, all with the same columns.
        file: the name of the CSV file, without its ending.
    """
    st.dataframe(rows[:_SHOWN], hide_index=True)
    if len(rows) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(rows):,}")
    st.download_button(
        "Download the list (CSV)",
        lambda: to_csv(rows),
        file_name=f"{file}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"list-{file}",
    )


def to_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """A table as text, of the same columns."""
    text = StringIO(newline="")
    write_rows(text, [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)])
    return text.getvalue()
