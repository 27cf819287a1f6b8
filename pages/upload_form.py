"""Photos of a person's own computer, on the Collection page of a server."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from db.errors import ExplorerError
from db.names import checked_name
from ingest.formats.kinds import SUFFIXES
from ingest.names import table_name
from ingest.sources import FolderSource
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.people.team import team
from pages.services import Services
from pages.uploads import keep


def choose_files() -> Sequence[UploadedFile]:
    """Let somebody choose a folder, within a form."""
    limits = team().uploads
    return st.file_uploader(
        "A folder of photos on your computer",
        type=[ending.removeprefix(".") for ending in sorted(SUFFIXES)],
        accept_multiple_files="directory",
        key="upload_files",
        help=f"At most {limits.files:,} files and {limits.megabytes:,} MB at once",
    )


def kept(services: Services, files: Sequence[UploadedFile], collection: str) -> FolderSource:
    """Keep what came, beside what came for that collection before, as a folder to load.

    Raises:
        ExplorerError: nothing came, or too much, or this person may not load it.
    """
    if not files:
        raise ExplorerError("No photos came: choose a folder first")
    checked_name(collection)
    target = f"upload of {len(files):,} files for {collection}"
    authorize(services.database, Deed.LOAD, target)
    folder = services.settings.data / "uploads" / table_name(collection)
    keep(files, folder, team().uploads)
    return FolderSource(folder, (), [folder.resolve()])
