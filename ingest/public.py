"""Connections to public addresses alone.

Whoever can type an address, write a table of photos or answer with a redirect could otherwise
have this machine ask its own services, its router, or a cloud's store of credentials. What a name
resolves to is checked when the connection is made, and that same address is connected to: a name
can't mean one machine when it is checked and another one a moment later.
"""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from ingest.deadline import WatchedAdapter, watched_pools, watched_session

# Where all public addresses of version 6 are, and what Python 3.11 does not know of it.
_PUBLIC = ip_network("2000::/3")
_RESERVED = ip_network("3fff::/20")
# Translators put an address of version 4 into the last 32 bits.
_TRANSLATED = ip_network("64:ff9b::/96")


class PrivateError(ValueError):
    """An address is this machine's or its network's; the text says which, and what to do."""


def public_session(*, private: bool = False) -> requests.Session:
    """A session of requests that connects to public addresses alone, redirects included.

    Behind a proxy it is the proxy that looks names up; what is an address as it stands is
    refused all the same.

    Args:
        private: whether others are allowed too.
    """
    return watched_session(None if private else _PublicAdapter())


def refuse_private(address: str, host: str) -> None:
    """Check an address of the internet protocol.

    Args:
        address: of version 4 or 6, as text.
        host: what it was looked up for.

    Raises:
        PrivateError: it is no public one.
    """
    if not all(_is_public(each) for each in _meant(ip_address(address.partition("%")[0]))):
        raise PrivateError(
            f"{host[:80]} is on this machine or its own network: set PRIVATE_HOSTS=true to allow "
            "that"
        )


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in _PUBLIC or address in _RESERVED):
        return False
    return address.is_global and not address.is_multicast


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses that one stands for: itself, or those of version 4 that it holds."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _TRANSLATED:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    else:
        yield from filter(None, (address, address.sixtofour, *(address.teredo or ())))


class _Checked:
    """A connection of urllib3's that is made to an address which was checked."""

    host: str
    port: int
    timeout: Any
    source_address: tuple[str, int] | None
    socket_options: Any
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from error  # type: ignore[arg-type]
        for *_, target in found:
            refuse_private(str(target[0]), self.host)
        return self._first_of(found)

    def _first_of(self, found: list[Any]) -> socket.socket:
        """A connection to the first address that answers."""
        trouble: OSError = OSError("it has no address")
        for family, kind, protocol, _, target in found:
            connected = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    connected.setsockopt(*option)
                if isinstance(self.timeout, (int, float)):
                    connected.settimeout(self.timeout)
                connected.connect(target)
            except OSError as error:
                connected.close()
                trouble = error
            else:
                return connected
        if isinstance(trouble, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from trouble
        raise NewConnectionError(self, str(trouble)) from trouble  # type: ignore[arg-type]


class _PublicAdapter(WatchedAdapter):
    """Makes checked connections, and refuses literal addresses before a proxy is asked."""

    pools: Any = watched_pools(_Checked)

    def send(
        self, request: requests.PreparedRequest, *arguments: Any, **options: Any
    ) -> requests.Response:
        """See HTTPAdapter."""
        host = urlsplit(request.url or "").hostname or ""
        address = _literal(host)
        if address:
            refuse_private(address, host)
        return super().send(request, *arguments, **options)


def _literal(host: str) -> str:
    """The address that a host is without a look at any name; "" where it is a name."""
    if host.rstrip(".").rpartition(".")[2] == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # Also 2130706433, 0x7f.1 and the rest of what C reads.
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeError):
        return ""
