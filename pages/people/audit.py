"""What owners did, for owners to look through."""

import streamlit as st

from db.audit import Audit
from pages.people.team import team
from pages.tables import show_table

PAGE = 50


def show_audit(audit: Audit) -> None:
    """List it, the latest first; nothing where nobody signs in."""
    if team().is_private:
        return
    box = st.expander(
        "What owners did", icon=":material/history_edu:", key="audit", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        total = audit.count()
        if not total:
            st.caption("Nothing so far.")
            return
        pages = -(-total // PAGE)
        page = st.pagination(pages, key=f"audit-page-{pages}") if pages > 1 else 1
        entries = audit.latest(PAGE, (page - 1) * PAGE)
        rows = [{"when": e.at, "who": e.who, "did": e.did, "what": e.target} for e in entries]
        show_table(rows, "audit")
