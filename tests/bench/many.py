"""Many people label at once on two processes behind a proxy: `python -m tests.bench.many`.

Each has a session of their own and now and then labels in their neighbour's, as desks do: thumbs
one by one, questions for news in between, and a refinement after each round. Requests go to the
processes in turn, whoever sends them. In the end every thumb that was taken has to be in the
database as its person's vote. The server is tests/serve.py's: it tells nothing of how fast a
ClickHouse is.
"""

import argparse
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests

from classifier.marks import Marks
from classifier.session import Session
from db.database import Database, open_database
from db.sessions import DOWN, LABELLING, NONE, UP
from tests.app_process import AppProcess
from tests.bench.engines import database_urls
from tests.conftest import TextTower, filled
from tests.proxy import USER_HEADER, Proxy

PROCESSES = 2
WAIT = 60  # seconds for an answer
TEAM = {
    "TRUSTED_PROXIES": "127.0.0.1, ::1",
    "PROXY_USER_HEADER": USER_HEADER,
    "ROLES": "labeller: *",
    "STREAMLIT_SERVER_COOKIE_SECRET": "the same in all processes",
}
Votes = dict[tuple[str, str, str], int]  # what was taken, by session, photo and person


@dataclass
class Told:
    """What one person's requests came to.

    Attributes:
        seconds: how long answers took, by what was asked.
        errors: answers that were none.
        refused: thumbs that another person's had overtaken, which was said.
        votes: thumbs that were taken, the last one of each photo.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    refused: int = 0
    votes: Votes = field(default_factory=dict)


class Desk:
    """A person at the desk of one session."""

    def __init__(self, address: str, session: str, person: str, told: Told) -> None:
        self._url = f"{address}/desk/session/{session}"
        self._headers = {USER_HEADER: person}
        self._session = session
        self._person = person
        self._told = told
        self._clicks = 0
        token = requests.get(f"{address}/desk-token", headers=self._headers, timeout=WAIT)
        self._headers["x-explorer-token"] = token.json()["token"]
        self.state: dict[str, Any] = {}
        self.do("open")

    @property
    def photos(self) -> list[str]:
        """The ids of those on the desk."""
        return [photo["id"] for photo in self.state["photos"]]

    def mark(self, photo: str, label: int) -> None:
        """Give a thumb as the page shows it, and note whether it was taken."""
        seen = {photo: self.state["marks"].get(photo, NONE)}
        if self.do("thumb", {"do": "mark", "photos": [photo], "label": label, "seen": seen}):
            self._told.votes[self._session, photo, self._person] = label

    def refine(self) -> None:
        """Go on to the next round."""
        self.do("refinement", {"do": "refine", "after": self.state["rounds"]})

    def news(self) -> None:
        """Hear what others did."""
        answer = self._post("news", "/news", {"show": self._show(), "at": self.state["at"]})
        if answer is not None and answer.status_code == requests.codes.ok:
            self._take(answer.json()["state"])

    def do(self, what: str, *acts: dict[str, Any]) -> bool:
        """Send acts; whether they were done."""
        self._clicks += 1
        named = [{"click": f"{self._person} {self._clicks}", **act} for act in acts]
        answer = self._post(what, "", {"acts": named, "show": self._show() if acts else {}})
        if answer is None:
            return False
        told = answer.json()
        self._take(told["state"])
        overtaken = [why for why in told["refused"].values() if "press again" in why]
        self._told.refused += len(overtaken)
        others = [why for why in told["refused"].values() if why not in overtaken]
        trouble = told["state"]["trouble"]
        self._told.errors += [*others, *([trouble] if trouble else [])]
        return not told["refused"] and not trouble

    def _show(self) -> dict[str, Any]:
        return {"round": self.state["round"], "have": self.state["key"]}

    def _take(self, state: dict[str, Any]) -> None:
        photos = state["photos"] or self.state["photos"]
        self.state = {**state, "photos": photos}

    def _post(self, what: str, path: str, body: dict[str, Any]) -> requests.Response | None:
        start = time.monotonic()
        try:
            answer = requests.post(self._url + path, json=body, headers=self._headers, timeout=WAIT)
        except requests.RequestException as error:
            self._told.errors.append(f"{what}: {error}")
            return None
        self._told.seconds.setdefault(what, []).append(time.monotonic() - start)
        if answer.status_code not in (requests.codes.ok, requests.codes.no_content):
            self._told.errors.append(f"{what}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer


def main() -> None:
    """Label for a while, and tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(run(Path(folder), options.people, options.minutes * 60))


def run(folder: Path, people: int, seconds: float) -> str:
    """A table of what was asked, and lines of what went wrong."""
    with ExitStack() as stack:
        url = stack.enter_context(database_urls(["http"], folder))["http"]
        database = stack.enter_context(closing(open_database(url)))
        collection, _, _ = filled(database, 2000)
        names = [f"person{number:02d}@x.org" for number in range(people)]
        sessions = []
        for number, name in enumerate(names):
            tower: Any = TextTower(seed=number)
            started = Session.start(database, collection, tower, f"prompt {number}", owner=name)
            started.terms.share(LABELLING)
            sessions.append(started.row.id)
        apps = [
            AppProcess(_home(folder, n), {**TEAM, "DATABASE_URL": url}) for n in range(PROCESSES)
        ]
        for app in apps:
            app.start()
            stack.callback(app.stop)
        proxy = Proxy([urlsplit(app.address).port or 0 for app in apps])
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(people) as pool:
            jobs = [
                pool.submit(label, proxy.address, sessions, n, name, end)
                for n, name in enumerate(names)
            ]
            told = [job.result() for job in jobs]
        logged = sum("Traceback" in app.log.read_text() for app in apps)
        return report(told, lost(database, told), logged, seconds)


def label(address: str, sessions: list[str], number: int, name: str, end: float) -> Told:
    """Label until the time is over, every tenth thumb in the neighbour's session."""
    told, chance = Told(), np.random.default_rng(number)
    own = Desk(address, sessions[number], name, told)
    neighbour = Desk(address, sessions[(number + 1) % len(sessions)], name, told)
    while time.monotonic() < end:
        for photo in own.photos:
            if time.monotonic() > end:
                break
            own.mark(photo, int(chance.choice((UP, DOWN))))
            time.sleep(chance.uniform(0.2, 0.8))
            own.news()
            if chance.random() < 0.1:
                place = int(chance.integers(len(neighbour.photos)))
                neighbour.mark(neighbour.photos[place], int(chance.choice((UP, DOWN))))
        own.refine()
        neighbour.news()
    return told


def lost(database: Database, told: list[Told]) -> list[str]:
    """The thumbs that were taken and are not there as their person's vote."""
    taken: Votes = {key: label for each in told for key, label in each.votes.items()}
    marks = {}
    for session in {session for session, _, _ in taken}:
        marks[session] = Marks()
        marks[session].replay(database.sessions.labels(session))
    return [
        f"{session}, {photo}, {person}: taken {label}"
        for (session, photo, person), label in taken.items()
        if (vote := marks[session].votes(photo).get(person)) is None or vote.label != label
    ]


def report(told: list[Told], lost: list[str], logged: int, seconds: float) -> str:
    """Markdown: one row for each kind of request, and what is to be known besides."""
    lines = [
        "| asked for | answers | median | 95 % within | longest |",
        "| --- | --- | --- | --- | --- |",
    ]
    for what in ("open", "thumb", "news", "refinement"):
        took = np.asarray([wait for each in told for wait in each.seconds.get(what, [])])
        if len(took):
            shares = [f"{1000 * np.quantile(took, q):.0f} ms" for q in (0.5, 0.95, 1)]
            lines.append(f"| {what} | {len(took):,} | {' | '.join(shares)} |")
    errors = Counter(error for each in told for error in each.errors)
    thumbs = sum(len(each.votes) for each in told)
    return "\n".join(
        [
            *lines,
            "",
            f"{len(told)} people in as many sessions, {seconds:.0f} s, {PROCESSES} processes: "
            f"{sum(errors.values())} errors, {logged} logs with a traceback, {len(lost)} of "
            f"{thumbs:,} thumbs lost, {sum(each.refused for each in told)} told that another's "
            "had come before",
            *(f"{n} times: {error}" for error, n in errors.most_common(10)),
            *lost[:10],
        ]
    )


def _home(folder: Path, number: int) -> Path:
    home = folder / f"app-{number}"
    home.mkdir()
    return home


if __name__ == "__main__":
    main()
