"""Photos that leave, with all that may be odd about them."""

from classifier.exports.entries import Entry, Selection
from db.photo import Photo
from db.sessions import DOWN, UP


def selection(*entries: Entry, name: str = "Lakes") -> Selection:
    return Selection(name, 0.25, entries)


def odd() -> Selection:
    """One photo of every kind, each with another thumb."""
    return selection(
        Entry(Photo("-Abc1", "https://images.test/a?b=1", width=300, height=200), 0.9, UP),
        Entry(Photo("b", "file:///photos/a%20b%2C%22c%22.jpg", width=4, height=3), 0.8, None),
        Entry(Photo("c", "file:///photos/line%0Aend.jpg"), 0.7, DOWN),
        Entry(Photo("d", "file:///photos/caf%E9.jpg", photographer="=1+1"), -0.25, None),
        Entry(Photo("e", "sample:scene-000001"), 0.5, DOWN),
    )
