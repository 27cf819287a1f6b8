"""Photos on their way into a folder, on the Classifiers page."""

import time

import streamlit as st

from classifier.exports.job import FolderJob
from pages.markdown import escaped
from pages.messages import show_error, show_info, show_success, show_warning
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.services import Services
from pages.tables import show_table


def show_job(services: Services, job: FolderJob) -> None:
    """Show how far it is, or what it did."""
    folder = str(job.order.folder)
    if job.running:
        st.markdown(f"Writing to **{escaped(folder)}**")
        _progress(services)
        if st.button("Stop", icon=":material/stop:", key="out_stop", disabled=job.stopping):
            authorize(services.database, Deed.EXPORT_FOLDER, f"{folder}: stop", job.by)
            job.stop()
            st.rerun()
    elif job.error:
        show_error(job.error)
    elif job.report is not None and job.report.stopped:
        show_info(
            f"Stopped: {job.report.summary()}. Write to {folder} again to go on",
            ":material/stop:",
        )
    elif job.report is not None:
        show = show_warning if job.report.missing else show_success
        show(f"{folder}: {job.report.summary()}")
    if job.report is not None and job.report.missing:
        st.markdown(f"Could not be had: {len(job.report.missing):,}")
        rows = [{"photo": each.url, "reason": why} for each, why in job.report.missing]
        show_table(rows, "missing")


@st.fragment(run_every=0.5)
def _progress(services: Services) -> None:
    """A bar that follows the job by itself, and redraws the page when it is done."""
    job = services.exporter.job
    if job is None or not job.running:
        st.rerun()
    total = len(job.order.selection.entries)
    seconds = time.monotonic() - job.started
    st.progress(
        job.done / max(total, 1), text=f"{job.done:,} of {total:,} photos · {seconds:.0f} s so far"
    )
