"""What a session starts with: a prompt, read for one collection and one model."""

import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from classifier.centring import centred, prompt_mean, usual_share
from classifier.learner import Learner
from classifier.prompt import combine, complete, parse, titled
from classifier.refit import ARTICLE, METHODS
from classifier.whitening import Matrix
from db.collections import Collection
from db.database import Database
from db.dialect import Vector
from db.errors import ExplorerError, GoneError
from db.photos import Filter
from db.pictures import Picture
from db.sessions import SessionRow

if TYPE_CHECKING:
    # It imports torch, which takes seconds; a page that only reopens a session doesn't need it.
    from classifier.clip import Clip

# Characters of a session's name.
NAME_LIMIT = 80


def asked(
    database: Database,
    collection: Collection,
    clip: "Clip",
    prompt: str,
    page_size: int,
    only: Filter | None,
    method: str,
    centring: float | None,
    pictures: Sequence[Picture],
    owner: str,
) -> tuple[SessionRow, Callable[[Learner], Vector]]:
    """The row of a new session, not stored yet, and what makes its first weight.

    See classifier.session.Session.start for the arguments.

    Raises:
        ExplorerError: the model is not the collection's, or there is no such method; the function
            raises it for a prompt that is blank or can't be understood.
    """
    _check(collection, clip, method)
    measured = prompt_mean(database.prompt_means, clip)
    share = usual_share(measured) if centring is None else centring
    row = SessionRow(
        id=secrets.token_urlsafe(9),
        collection=collection.name,
        fingerprint=collection.fingerprint,
        prompt=complete(prompt, len(pictures)),
        page_size=page_size,
        only=only or Filter(),
        method=method,
        centring=0.0 if method == ARTICLE else share,
        name=titled(prompt, [p.name for p in pictures])[:NAME_LIMIT] if pictures else "",
        owner=owner,
    )

    def encode_text(texts: list[str]) -> Matrix:
        return centred(clip.encode_text(texts), measured.mean, row.centring)

    def weight(learner: Learner) -> Vector:
        apart = [learner.set_apart(picture.vector) for picture in pictures]
        return combine(parse(prompt, len(pictures)), encode_text, learner.apart, apart)

    return row, weight


def asked_before(database: Database, session_id: str) -> tuple[SessionRow, Collection]:
    """What a stored session started with, and its collection.

    Raises:
        GoneError: there is no such session, or its collection is gone or was made anew.
    """
    row = database.sessions.find(session_id)
    if row is None:
        raise GoneError(
            f"There is no session {session_id!r} in this database: type a prompt to start one"
        )
    collection = database.collections.find(row.collection)
    if collection is None or collection.fingerprint != row.fingerprint:
        raise GoneError(
            f"The session {row.prompt!r} belongs to a collection that is gone "
            f"or was made anew with another model ({row.collection}): start a new one"
        )
    return row, collection


def _check(collection: Collection, clip: "Clip", method: str) -> None:
    if method not in METHODS:
        raise ExplorerError(f"There is no method {method!r}: use {' or '.join(METHODS)}")
    if clip.fingerprint != collection.fingerprint:
        raise ExplorerError(
            f"{collection.name} can't be searched with {clip.model_id}: its vectors were made "
            f"with another version of {collection.model}. Delete it on the Collection page, "
            "and load its photos again"
        )
