"""What the conformance suite leaves out on an engine of another version, and why.

By the engine's name in tests/engines.py: names of tests, and the quirk that they meet.
"""

from collections.abc import Mapping

QUIRKS: Mapping[str, Mapping[str, str]] = {
    "23.6": {
        "test_rows_that_were_deleted_by_sql_are_never_found_nor_in_the_way": (
            "chDB 0.15 never runs a mutation, which a DELETE FROM is"
        )
    }
}
