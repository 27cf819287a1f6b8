"""Tables of text: the first rows to look at, and all of them to take away.

Streamlit's own download leaves formulas in the cells as they are, so `.streamlit/config.toml` turns
it off.
"""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from classifier.exports.cells import csv_text

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
    offer_csv("Download the list (CSV)", lambda: to_csv(rows), file, key=f"list-{file}")


def offer_csv(words: str, write: Callable[[], str], file: str, key: str | None = None) -> None:
    """Offer a CSV file, which is written when it is asked for.

    Args:
        words: on the button.
        write: makes its text.
        file: its name, without its ending.
        key: of the button, where its words don't tell it from others.
    """
    st.download_button(
        words,
        write,
        file_name=f"{file}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def to_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """A table as text, of the same columns."""
    return csv_text([list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)])
