"""Answers that came whole: one that breaks off among its headers is none.

Python takes an answer whose headers break off for one without a body, and the client that for one
without rows: nobody would know a server that was killed from one that has nothing.
"""

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError
from urllib3.response import HTTPResponse

_OLD = 10  # HTTP/1.0, whose answers end where the connection does
_ENDS = ("content-length", "transfer-encoding")  # one of them says where an answer ends


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        return _checked(super().getresponse())


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        return _checked(super().getresponse())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


def refuse_what_breaks_off(manager: PoolManager) -> None:
    """Have the connections of a manager raise a ProtocolError for an answer that is not whole."""
    if manager.pool_classes_by_scheme is not _POOLS:
        manager.pool_classes_by_scheme = _POOLS
        manager.clear()


def _checked(answer: HTTPResponse) -> HTTPResponse:
    if answer.version != _OLD and not any(name in answer.headers for name in _ENDS):
        answer.close()
        raise ProtocolError("The answer broke off among its headers")
    return answer
