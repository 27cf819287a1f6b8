"""What a screen shows while photos come in."""

import time
from dataclasses import replace

import streamlit as st

from ingest.job import Job
from pages.markdown import escaped
from pages.messages import show_error
from pages.people.acting import authorize, hindrance
from pages.people.deeds import Deed
from pages.services import Services


def show_loading(services: Services) -> bool:
    """Show the first load of an empty database; False while there is nothing else to show yet."""
    job = services.first_load
    if job is None:
        return True
    if job.error:
        show_error(job.error)
    if not job.running:
        return True
    st.title("Welcome")
    st.markdown(
        "The database is empty, so a **sample collection** is being made: small scenes drawn in "
        "code, searched with a tiny CLIP model that was trained on drawings like them. "
        "That is done once. Real photos can be loaded afterwards, on the **Collection** page."
    )
    progress_of_job(services)
    return False


@st.fragment(run_every=0.5)
def progress_of_job(services: Services) -> None:
    """A bar that follows the job by itself, and redraws the page when it is done."""
    job = services.loader.job
    if job is None or not job.running:
        st.rerun()
    progress = job.progress
    if job.order.stop.is_set():
        progress = replace(progress, step="Stopping: what was read still comes in")
    counted = f" · {progress.done:,} of {progress.total:,}" if progress.total else ""
    seconds = time.monotonic() - job.started
    text = f"{escaped(progress.step)}{counted} · {seconds:.0f} s so far"
    st.progress(progress.share or 0.0, text=text)


def in_words(job: Job) -> str:
    """What is loaded, in Markdown, and who ordered it."""
    order = job.order
    by = f", ordered by {escaped(job.by)}" if job.by else ""
    return f"**{escaped(order.collection)}** from {escaped(order.source.name)}{by}"


def show_line(services: Services) -> None:
    """The loads that wait, in their order."""
    for place, job in enumerate(services.loader.waiting, 1):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{place}. in line: {in_words(job)}")
            why_not = hindrance(Deed.LOAD, job.by)
            if st.button("Take it out", key=f"leave_line_{place}", disabled=bool(why_not)):
                stop_load(services, job)


def stop_load(services: Services, job: Job) -> None:
    """End a load, or take it out of the line, where that is this person's to do."""
    target = f"into {job.order.collection} from {job.order.source.name}: stop"
    authorize(services.database, Deed.LOAD, target, job.by)
    services.loader.stop(job)
    st.rerun()
