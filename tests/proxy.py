"""A small proxy in front of several processes of the app, as an operator's would be.

It names one person to all of them, takes the processes in turn, one request a connection, and
hands web sockets through.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle

USER_HEADER = "X-Forwarded-User"
_CHUNK = 1 << 16


class Proxy:
    """Listens on a port of its own until the process ends.

    Args:
        ports: of the processes, on this machine.
        person: whom its requests are from; "" leaves the header as the client sent it.
    """

    def __init__(self, ports: Sequence[int], person: str = "") -> None:
        self._turn = cycle(ports)
        self._person = person
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None] | None] = set()  # the loop alone would let them go
        self.port = 0
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        assert self._ready.wait(20)

    @property
    def address(self) -> str:
        """What a browser opens."""
        return f"http://localhost:{self.port}"

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass_on, "localhost", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            there, to = await asyncio.open_connection("localhost", next(self._turn))
            to.write(self._named(head))
            await asyncio.gather(_copy(reader, to), _copy(there, writer))
            await _closed(to)
        await _closed(writer)
        self._tasks.discard(task)

    def _named(self, head: bytes) -> bytes:
        first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        dropped = {b"connection"} if b"upgrade: websocket" not in head.lower() else set()
        dropped |= {USER_HEADER.lower().encode()} if self._person else set()
        kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in dropped]
        kept += [b"Connection: close"] if b"connection" in dropped else []
        kept += [f"{USER_HEADER}: {self._person}".encode()] if self._person else []
        return b"\r\n".join([first, *kept]) + b"\r\n\r\n"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):  # the other side may be gone already
        writer.write_eof()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
