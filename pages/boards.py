"""Which boards there are behind the desks of the pages."""

from pages.classifiers.check_board import CheckBoard
from pages.desk.board import Boards
from pages.label.board import SessionBoard
from pages.services import Services


def boards(services: Services) -> Boards:
    """The boards of each kind, by their keys."""
    return {
        "session": lambda key: SessionBoard(services.sessions.get(key), services.database),
        "sharpen": lambda key: SessionBoard(
            services.sessions.get(key), services.database, SessionBoard.SHARPENING
        ),
        "check": lambda key: CheckBoard.of(services.database, key),
    }
