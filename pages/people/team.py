"""The settings of an app that several people use."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from db.errors import ExplorerError
from db.settings import is_on, read_given, typed_path
from pages.people import oidc
from pages.people.roles import Roles, called, read_roles
from pages.uploads import Limits

Network = IPv4Network | IPv6Network
_HEADER = re.compile(r"[A-Za-z0-9-]+")
# A browser, or the way there, sends these to everybody.
_NOBODYS = frozenset({"host", "cookie", "origin", "authorization", "referer", "user-agent"})


class SignIn(Enum):
    """How people sign in."""

    NONE = "nobody signs in"
    OIDC = "by a provider of OpenID Connect"
    PROXY = "a proxy in front signs them in"


@dataclass(frozen=True)
class Team:
    """Who may use the app, and how it learns who somebody is.

    Attributes:
        sign_in: how people sign in.
        roles: what each may do.
        proxies: whose word on who somebody is counts.
        user_header: in which header they say it, in small letters.
        anonymous: whether people may come from elsewhere without any sign-in.
        photo_roots: the folders of the server that people may load from, if not all.
        export_roots: those that they may write photos into, if not all.
        uploads: how much of their own they may send at once.
    """

    sign_in: SignIn = SignIn.NONE
    roles: Roles = field(default_factory=Roles)
    proxies: tuple[Network, ...] = ()
    user_header: str = ""
    anonymous: bool = False
    photo_roots: tuple[Path, ...] = ()
    export_roots: tuple[Path, ...] = ()
    uploads: Limits = field(default_factory=Limits)

    @property
    def is_private(self) -> bool:
        """Whether nobody but this machine's people can be at the app."""
        return self.sign_in is SignIn.NONE and not self.anonymous

    def trusts(self, peer: str) -> bool:
        """Whether an address is that of a proxy whose word counts."""
        address = _address(peer)
        return address is not None and any(address in network for network in self.proxies)

    def named_by_proxy(self, values: list[str]) -> str:
        """The person that a header names; "" unless it does so exactly once.

        Whoever else sent one, the proxy should have taken it away; two may be one of each.
        """
        return called(values[0]) if len(values) == 1 else ""


def is_this_machine(peer: str) -> bool:
    """Whether an address is a loopback one."""
    address = _address(peer)
    return address is not None and address.is_loopback


def _address(peer: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@cache
def team() -> Team:
    """The settings of this process.

    Raises:
        ExplorerError: they can't be used.
    """
    return read_team(read_given(os.environ), oidc=oidc.is_configured())


def read_team(given: Mapping[str, str], *, oidc: bool) -> Team:
    """Read the settings.

    Args:
        given: by their names.
        oidc: whether Streamlit has been told a provider.

    Raises:
        ExplorerError: one can't be understood, or two don't go together; better than to let in
            whom nobody meant.
    """
    proxies = _networks(given.get("TRUSTED_PROXIES", ""))
    header = given.get("PROXY_USER_HEADER", "").lower()
    roles, anonymous = given.get("ROLES", ""), is_on("ALLOW_ANONYMOUS", given)
    if bool(proxies) != bool(header):
        raise ExplorerError(
            "TRUSTED_PROXIES and PROXY_USER_HEADER go together: set both, or neither"
        )
    if header and (not _HEADER.fullmatch(header) or header in _NOBODYS):
        raise ExplorerError(
            f"PROXY_USER_HEADER={header[:80]} is no header that a proxy names people in: write "
            "one such as X-Forwarded-User"
        )
    if header and oidc:
        raise ExplorerError(
            "PROXY_USER_HEADER is set and [auth] in .streamlit/secrets.toml too: delete one of them"
        )
    sign_in = SignIn.OIDC if oidc else SignIn.PROXY if header else SignIn.NONE
    if sign_in is SignIn.NONE and roles:
        raise ExplorerError(
            "ROLES is set and nobody signs in: add [auth] to .streamlit/secrets.toml, or set "
            "TRUSTED_PROXIES and PROXY_USER_HEADER"
        )
    if sign_in is not SignIn.NONE and not roles:
        raise ExplorerError(
            "People sign in and ROLES is not set, so that nobody could do anything: set it, as in "
            "ROLES='owner: ann@x.org; viewer: *'"
        )
    if sign_in is not SignIn.NONE and anonymous:
        raise ExplorerError(
            "ALLOW_ANONYMOUS is set and people sign in: delete one of them (ROLES='viewer: *' lets "
            "everybody look who signs in)"
        )
    return Team(
        sign_in,
        read_roles(roles),
        proxies,
        header,
        anonymous,
        _folders("PHOTO_ROOTS", given),
        _folders("EXPORT_ROOTS", given),
        Limits(
            _number("UPLOAD_MAX_FILES", given, Limits.files),
            _number("UPLOAD_MAX_MB", given, Limits.megabytes),
        ),
    )


def _folders(name: str, given: Mapping[str, str]) -> tuple[Path, ...]:
    """Folders that are separated as in PATH, without the links that lead to them."""
    found = []
    for typed in filter(None, map(str.strip, given.get(name, "").split(os.pathsep))):
        path = typed_path(typed)
        if path is None or not path.is_absolute() or not path.is_dir():
            raise ExplorerError(
                f"{name} has {typed[:80]}, which is no folder here: write whole paths, separated "
                f"by {os.pathsep}"
            )
        found.append(path.resolve())
    return tuple(found)


def _number(name: str, given: Mapping[str, str], default: int) -> int:
    text = given.get(name, "") or str(default)
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise ExplorerError(f"{name}={text[:80]} is no number from 1 on: write such as {default}")
    return int(text)


def _networks(text: str) -> tuple[Network, ...]:
    found = []
    for name in filter(None, map(str.strip, re.split(r"[,\s]+", text))):
        try:
            network = ip_network(name)
        except ValueError as error:
            raise ExplorerError(
                f"TRUSTED_PROXIES has {name[:80]}, which is no address or network: write such as "
                "10.0.0.5 or 10.0.0.0/28"
            ) from error
        if not network.prefixlen:
            raise ExplorerError(f"TRUSTED_PROXIES has {name}, which is everybody: name the proxies")
        found.append(network)
    return tuple(found)
