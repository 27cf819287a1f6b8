"""Which boards there are behind the desks of the pages."""

from pages.classifiers.check_board import CheckBoard
from pages.desk.board import Boards
from pages.label.board import SessionBoard
from pages.people.person import Person
from pages.services import Services


def boards(services: Services, person: Person) -> Boards:
    """The boards of each kind as a person may use them, by their keys."""
    return {
        "session": lambda key: SessionBoard(services.sessions.get(key), services.database, person),
        "sharpen": lambda key: SessionBoard(
            services.sessions.get(key), services.database, person, SessionBoard.SHARPENING
        ),
        "check": lambda key: CheckBoard.of(services.database, key, person),
    }
