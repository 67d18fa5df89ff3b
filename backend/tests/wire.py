"""Counts what goes over the wire to PostgreSQL, by standing in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

SOCKET = ".s.PGSQL.5432"
# The messages at the end of a statement: all rows were sent, or as many as were asked for.
COMMAND_COMPLETE, PORTAL_SUSPENDED = b"C", b"s"
# Comes after the commit, where a statement is a transaction of its own.
READY = b"Z"


class Traffic(NamedTuple):
    round_trips: int
    statements: int


class Wire:
    """A socket that passes everything on to PostgreSQL's.

    A round trip begins whenever the client speaks after the server did. That is exact as long as one connection is
    used at a time.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._round_trips = 0
        self._statements = 0
        self._server_spoke = True
        self._clients: set[asyncio.StreamWriter] = set()
        self._cuts_at_answer = False

    @asynccontextmanager
    async def open(self, server: Path) -> AsyncIterator["Wire"]:
        async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._clients.add(writer)
            from_server, to_server = await asyncio.open_unix_connection(str(server / SOCKET))
            await asyncio.gather(
                self._listen_to_client(reader, to_server), self._listen_to_server(from_server, writer)
            )

        async with await asyncio.start_unix_server(admit, str(self.directory / SOCKET)):
            yield self

    def count(self) -> Traffic:
        """Since the last time."""
        traffic = Traffic(self._round_trips, self._statements)
        self._round_trips = self._statements = 0
        return traffic

    def cut(self) -> None:
        """Part from the clients without a word."""
        for client in self._clients:
            client.transport.abort()
        self._clients.clear()

    def cut_at_answer(self) -> None:
        """Part from the clients when the server has done the next statement, instead of passing that on."""
        self._cuts_at_answer = True

    async def _listen_to_client(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await client.read(65536):
                self._round_trips += self._server_spoke
                self._server_spoke = False
                server.write(chunk)
        server.close()

    async def _listen_to_server(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await server.readexactly(5)
                content = await server.readexactly(int.from_bytes(head[1:]) - 4)
                self._statements += head[:1] in {COMMAND_COMPLETE, PORTAL_SUSPENDED}
                self._server_spoke = True
                if self._cuts_at_answer and head[:1] == READY:
                    self._cuts_at_answer = False
                    self.cut()
                client.write(head + content)
        client.close()
