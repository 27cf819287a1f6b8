"""Everybody tries everything: each deed is asked for where it is done."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from db.classifiers import SavedClassifier
from db.collections import Collection
from pages.people import acting
from pages.people.acting import authorize, hindrance
from pages.people.deeds import LEAST, Deed
from pages.people.person import NotAllowedError, Person
from pages.people.roles import Role
from pages.people.team import Team
from pages.services import Services
from tests.pages.people.conftest import BEHIND_PROXY

PAGES = Path(__file__).resolve().parents[3] / "pages"
EVERYBODY = [Person(f"{role.title}@x.org", role) for role in Role]


@pytest.fixture
def be(
    monkeypatch: pytest.MonkeyPatch, use_team: Callable[..., Team]
) -> Iterator[Callable[[Person], None]]:
    """Has somebody be at the page."""
    use_team(**BEHIND_PROXY)

    def at(person: Person) -> None:
        monkeypatch.setattr(acting, "current", lambda: person)

    return at


def test_every_deed_has_a_least_role_and_is_let_from_it_on(
    services: Services, be: Callable[[Person], None]
) -> None:
    assert set(LEAST) == set(Deed)
    for deed, person in product(Deed, EVERYBODY):
        be(person)
        if person.role >= LEAST[deed] > Role.STRANGER:
            assert authorize(services.database, deed, "it") == person
            assert hindrance(deed) == ""
            continue
        with pytest.raises(NotAllowedError) as refused:
            authorize(services.database, deed, "it")
        assert hindrance(deed) == f"This takes a role that you have not: {LEAST[deed].title}"
        n = "n" if LEAST[deed] is Role.OWNER else ""
        assert str(refused.value) == (
            "You are not signed in here any more: reload the page, and sign in"
            if person.role is Role.STRANGER
            else f"A {person.role.title} may not {deed.value}, which takes a{n} "
            f"{LEAST[deed].title}: ask ann@x.org"
        )


def test_a_deed_of_owners_is_written_down_and_others_are_not(
    services: Services, be: Callable[[Person], None]
) -> None:
    be(Person("ann@x.org", Role.OWNER))
    for deed in Deed:
        authorize(services.database, deed, "drawings")
    found = services.database.audit.latest(99)
    owners = [deed for deed in Deed if LEAST[deed] is Role.OWNER]
    assert {entry.did for entry in found} == {deed.value for deed in owners}
    assert services.database.audit.count() == len(owners)
    assert {(entry.who, entry.target) for entry in found} == {("ann@x.org", "drawings")}


def test_what_is_anothers_is_the_owners_to_change_and_that_is_written_down(
    services: Services, be: Callable[[Person], None]
) -> None:
    be(Person("lea@x.org", Role.LABELLER))
    authorize(services.database, Deed.SAVE, "“Lakes”", "lea@x.org")
    authorize(services.database, Deed.SAVE, "“Lakes”", "")
    be(Person("leo@x.org", Role.LABELLER))
    with pytest.raises(NotAllowedError, match="“Lakes” belongs to lea@x"):
        authorize(services.database, Deed.SAVE, "“Lakes”", "lea@x.org")
    assert hindrance(Deed.SAVE, "lea@x.org") == "It belongs to lea@x.org"
    assert services.database.audit.count() == 0
    be(Person("ann@x.org", Role.OWNER))
    authorize(services.database, Deed.SAVE, "“Lakes”", "lea@x.org")
    entry = services.database.audit.latest(1)[0]
    assert (entry.did, entry.target) == ("save classifiers", "“Lakes” (of lea@x.org)")


def test_on_ones_own_machine_nothing_is_written_down(
    services: Services, use_team: Callable[..., Team]
) -> None:
    use_team()
    authorize(services.database, Deed.DELETE, "drawings")
    assert services.database.audit.count() == 0


# ---- where it is done

# What changes something, as it is called in pages/, and the deed that is asked for before.
CHANGES = {
    "loader.start": Deed.LOAD,
    "exporter.start": Deed.EXPORT_FOLDER,
    "mapper.start": Deed.LAY_OUT,
    "database.drop": Deed.DELETE,
    "database.remove": Deed.TAKE_OUT,
    "database.delete": Deed.SAVE,
    "views.publish": Deed.PUBLISH,
    "views.drop": Deed.PUBLISH,
    "label_tables.publish": Deed.PUBLISH,
    "label_tables.drop": Deed.PUBLISH,
    "classifiers.save": Deed.SAVE,
    "classifiers.rename": Deed.SAVE,
    "classifiers.use": Deed.SAVE,
    "use_version": Deed.SAVE,
    "add_version": Deed.SAVE,
    "learn_from": Deed.SAVE,
    "checks.draw": Deed.LABEL,
    "checks.extend": Deed.LABEL,
    "session.show": Deed.LABEL,
    "Session.start": Deed.SEARCH,
}
# A board asks for each of its acts before it does any: see test_forged.py. The first load of an
# empty database is nobody's.
ASKED_ELSEWHERE = {
    "pages/label/board.py": {"classifiers.save"},
    "pages/services.py": {"loader.start"},
}


def calls(function: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            parts = ast.unparse(node.func).split(".")
            yield ".".join(parts[-2:]), node
            yield parts[-1], node


def test_nothing_is_changed_where_nobody_asked_whether_it_may_be() -> None:
    found = set()
    for path in PAGES.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        known = ASKED_ELSEWHERE.get(str(path.relative_to(PAGES.parent)), set())
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            asked = {
                ast.unparse(node.args[1]): node.lineno
                for name, node in calls(function)
                if name == "authorize"
            }
            for name, node in calls(function):
                deed = CHANGES.get(name)
                if deed is None or name in known:
                    continue
                found.add(name)
                line = asked.get(f"Deed.{deed.name}", node.lineno)
                assert line < node.lineno, f"{path}:{node.lineno}: {name} without {deed}"
    assert found == set(CHANGES), "a name changed: nothing would be looked for any more"


def test_no_deed_is_asked_for_nowhere() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES.rglob("*.py"))
    for deed in Deed:
        assert text.count(f"Deed.{deed.name}") > 1, deed


def test_classifiers_remember_who_made_them(
    services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    classifiers = services.database.classifiers
    assert saved.owner == ""
    classifiers.save(replace(saved, id="b", name="Boats", owner="lea@x.org"))
    boats = classifiers.find("b")
    assert boats is not None
    assert boats.owner == "lea@x.org"
    version = classifiers.add_version(boats, replace(saved, owner="leo@x.org"))
    assert version.owner == "lea@x.org", "whoever makes a version, it stays hers"
    classifiers.rename(version, "Ships")
    assert {one.owner for one in classifiers.all() if one.name == "Ships"} == {"lea@x.org"}
