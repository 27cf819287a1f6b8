"""Who is what, by the setting ROLES."""

import pytest

from db.errors import ExplorerError
from pages.people.roles import Role, called, read_roles

ROLES = "owner: Ann@x.org, root; labeller: @x.org, bob@y.org; viewer: *"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("ann@x.org", Role.OWNER),
        ("root", Role.OWNER),
        ("cem@x.org", Role.LABELLER),
        ("bob@y.org", Role.LABELLER),
        ("cem@y.org", Role.VIEWER),
        ("cem@sub.x.org", Role.VIEWER),
        ("cem@x.org.evil.example", Role.VIEWER),
        ("@x.org", Role.LABELLER),
        ("ann@x.org@evil.example", Role.VIEWER),
        ("", Role.STRANGER),
    ],
)
def test_the_closest_entry_counts(name: str, role: Role) -> None:
    assert read_roles(ROLES).role(name) is role


def test_nobody_has_a_role_who_is_in_no_entry() -> None:
    roles = read_roles("owner: ann@x.org")
    assert roles.role("bob@x.org") is Role.STRANGER
    assert roles.role("*") is Role.STRANGER
    assert read_roles("viewer: bob@x.org; labeller: @x.org").role("bob@x.org") is Role.VIEWER


def test_capitals_are_the_same_and_letters_of_other_scripts_are_not_ours() -> None:
    roles = read_roles("owner: Mark@x.org; viewer: Ünal@x.org")
    assert roles.role(called(" MARK@X.ORG ")) is Role.OWNER
    assert roles.role(called("MAR\N{KELVIN SIGN}@X.ORG")) is Role.STRANGER
    assert roles.role(called("Ünal@x.org")) is Role.VIEWER


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ann@x.org", "ROLES has no role 'ann@x.org': write ROLES like: owner: ann@x.org; labe"),
        ("admin: ann@x.org", "ROLES has no role 'admin'"),
        ("stranger: *", "ROLES has no role 'stranger'"),
        ("owner", "ROLES has no role 'owner'"),
        ("owner:", "ROLES has '' as owner, which is no person, domain"),
        ("owner: ann@x.org,, bob@x.org", "ROLES has '' as owner"),
        ("owner: ann@", "ROLES has 'ann@' as owner"),
        ("owner: *@x.org", "ROLES has '*@x.org' as owner"),
        ("owner: ann bob", "ROLES has 'ann bob' as owner"),
        ("owner: a@b@c", "ROLES has 'a@b@c' as owner"),
        ("owner: ann@x.org; viewer: ANN@x.org", "gives 'ann@x.org' two roles, owner and viewer"),
        ("viewer: *; owner: *", "gives '*' two roles"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ExplorerError) as refused:
        read_roles(text)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
