"""A classifier that comes in a file, for a collection of the same model."""

import secrets
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from classifier.weight import MAX_BYTES, Carried, from_safetensors
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from pages.markdown import escaped
from pages.messages import show_error
from pages.people.acting import authorize, hindrance
from pages.people.deeds import Deed
from pages.services import Services

_BROUGHT = "brought"  # how many came in while the page was open


def show_bring_in(services: Services) -> None:
    """Offer to read a file, and to save what is in it."""
    if hindrance(Deed.SAVE):
        return
    # What is saved is done with: the next one starts anew, out of the way.
    number = st.session_state.get(_BROUGHT, 0)
    with st.popover("Bring a classifier in", icon=":material/upload:", key=f"bring-in-{number}"):
        file = st.file_uploader(
            "A classifier's file (safetensors)", key=f"bring_file-{number}", max_upload_size=1
        )
        if file is None:
            st.caption("One that was downloaded here, or where this program runs elsewhere.")
            return
        try:
            carried = _read(file)
            fitting = _fitting(carried, services.database.collections.all())
        except ExplorerError as error:
            show_error(error)
            return
        _offer(services, carried, fitting)


def _read(file: UploadedFile) -> Carried:
    # One byte more tells that it is too large.
    return from_safetensors(bytes(file.getbuffer()[: MAX_BYTES + 1]), file.name)


def _fitting(carried: Carried, collections: Sequence[Collection]) -> list[Collection]:
    """The collections whose photos it can score.

    Raises:
        ExplorerError: there is none; the text says why.
    """
    fitting = [each for each in collections if carried.fits(each)]
    if fitting:
        return fitting
    for each in collections:
        if each.model == carried.model:
            carried.refuse_other(each.model, each.fingerprint, each.dimension)
    raise ExplorerError(
        f"{carried.name} was trained on vectors of {carried.model}, and no collection here has "
        "such: load photos with that model first"
    )


def _offer(services: Services, carried: Carried, fitting: list[Collection]) -> None:
    by_name = {each.name: each for each in fitting}
    collection = st.selectbox("For the collection", list(by_name), key="bring_to")
    name = st.text_input("Name", carried.name, key=f"bring_name-{carried.name}")
    if not st.button("Save", key="bring", type="primary"):
        return
    try:
        person = authorize(services.database, Deed.SAVE, f"the classifier {name}: bring in")
        classifier = _classifier(carried, name, by_name[collection], person.name)
        services.database.classifiers.save(classifier)
    except ExplorerError as error:
        show_error(error)
        return
    st.session_state["classifier"] = classifier.id
    st.session_state[_BROUGHT] = st.session_state.get(_BROUGHT, 0) + 1
    st.toast(f"{escaped(classifier.name)} is saved for {escaped(classifier.collection)}")
    st.rerun()


def _classifier(carried: Carried, name: str, collection: Collection, owner: str) -> SavedClassifier:
    """The classifier in a collection; its session is none, since its thumbs stayed behind."""
    return SavedClassifier(
        id=secrets.token_urlsafe(9),
        name=name,
        collection=collection.name,
        model=collection.model,
        fingerprint=carried.fingerprint,
        prompt=carried.prompt,
        session="",
        method=carried.method,
        rounds=carried.counts["rounds"],
        ups=carried.counts["ups"],
        downs=carried.counts["downs"],
        weight=carried.weight,
        threshold=carried.threshold,
        owner=owner,
    )
