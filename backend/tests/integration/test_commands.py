"""`tasks serve` and `tasks migrate`, and what only the real server can show of HTTP."""

import asyncio
import json
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import psutil
import pytest

import support
from backend.commands import development, embedded
from backend.http.server import url_of
from databases import connected, eventually, scratch, scratch_role
from in_process import run
from processes import UNMEASURED, Command, Start, Workplace, free_port, workplace
from support import Connection, Json, User, assert_problem

ISSUER = "https://app.example.net"
UNREACHABLE = "postgresql://somebody:hunter2@127.0.0.1:1/tasks"


class Service(NamedTuple):
    command: Command
    port: int
    secret: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/health/live", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def logs(self) -> list[Json]:
        """Every line must be JSON."""
        return [json.loads(line) for line in self.command.stdout.splitlines()]


def serve(start: Start, database_url: str, **variables: str) -> Service:
    """In production."""
    port, secret = free_port(), secrets.token_urlsafe(32)
    command = start(
        "serve",
        ENVIRONMENT="production",
        DATABASE_URL=database_url,
        BETTER_AUTH_SECRET=secret,
        BETTER_AUTH_URL=ISSUER,
        API_PORT=str(port),
        **variables,
    )
    service = Service(command, port, secret)
    command.until(service.answers)
    return service


@pytest.fixture
def place() -> Iterator[Workplace]:
    with workplace() as place:
        yield place


@pytest.fixture
def start(place: Workplace) -> Start:
    return place.start


@pytest.fixture(scope="module")
def service(service_url: str) -> Iterator[Service]:
    """One for all tests that leave it running, on the database of the worker."""
    with workplace() as place:
        service = serve(place.start, service_url)
        yield service
        service.command.signal(SIGTERM)
        assert service.command.status() == 0


async def new_user(service: Service, owner: Connection, client: httpx2.AsyncClient) -> User:
    user = await support.new_user(client, owner)
    claims = support.claims_of(user.id, iss=ISSUER, aud=ISSUER)
    return User(client, user.id, support.sign(claims, secret=service.secret))


@pytest.fixture
async def user(service: Service, owner: Connection) -> AsyncIterator[User]:
    async with httpx2.AsyncClient(base_url=service.url, trust_env=False) as client:
        yield await new_user(service, owner, client)


# The command line


def test_without_arguments_the_commands_are_listed(tmp_path: Path) -> None:
    command = run(tmp_path)

    assert command.status == 2
    assert re.findall(r"^    (\w+) ", command.stdout, re.MULTILINE) == [
        "serve",
        "migrate",
        "doctor",
        "openapi",
        "dev",
        "token",
    ]


# Serving


def test_each_setting_that_is_missing_is_named(tmp_path: Path) -> None:
    nothing, no_source = run(tmp_path, "serve"), run(tmp_path, "serve", DATABASE_URL=UNREACHABLE)

    assert nothing.complaint() == "DATABASE_URL is not set; docs/configuration.md says what it is for."
    assert no_source.complaint() == (
        "set BETTER_AUTH_SECRET for HS256 tokens, or BETTER_AUTH_URL for those of Better Auth's keys"
    )


def test_each_setting_that_is_invalid_is_named_without_its_value(tmp_path: Path) -> None:
    invalid = {
        "ENVIRONMENT": "hunter2",
        "DATABASE_URL": "mysql://somebody:hunter2@localhost/tasks",
        "BETTER_AUTH_SECRET": "hunter2",
        "BETTER_AUTH_URL": "hunter2",
        "CORS_ORIGINS": "*",
        "API_PORT": "hunter2",
        "LOG_LEVEL": "hunter2",
        "JWT_MAX_LIFETIME": "hunter2",
    }

    command = run(tmp_path, "serve", **invalid)

    assert command.status == 1
    assert sorted(re.findall(r"^tasks: (\w+) (?:must|should) .+$", command.stderr, re.MULTILINE)) == sorted(
        invalid
    )
    assert len(command.stderr.splitlines()) == len(invalid)
    assert "hunter2" not in command.stderr


def test_a_port_in_use_is_said(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = start(
            "serve",
            DATABASE_URL=UNREACHABLE,
            BETTER_AUTH_SECRET=support.SECRET,
            API_PORT=str(taken.getsockname()[1]),
        )

        assert command.complaint().startswith("Cannot listen on 127.0.0.1:")


def test_a_role_that_policies_do_not_bind_ends_it(start: Start, owner_url: str) -> None:
    command = start("serve", DATABASE_URL=owner_url, BETTER_AUTH_SECRET=support.SECRET, API_PORT="0")

    assert command.status() == 1
    assert "Refusing to serve: row-level security does not bind the role postgres" in command.stdout
    assert "Traceback" not in command.stdout + command.stderr


def test_without_a_database_it_lives_but_is_not_ready(start: Start) -> None:
    service = serve(start, UNREACHABLE, **UNMEASURED)

    ready = httpx2.get(f"{service.url}/health/ready", trust_env=False)

    assert_problem(ready, 503, "database-unavailable")
    service.command.signal(SIGINT)
    assert service.command.status() == 0
    assert service.logs()[-1]["event"] == "stopped"
    assert "hunter2" not in service.command.stdout + service.command.stderr


IS_WAITING_FOR_A_LOCK = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.mark.usefixtures("server")  # whose locks can be seen
async def test_requests_under_way_are_finished_before_it_ends(
    start: Start, owner: Connection, owner_url: str, service_url: str
) -> None:
    service = serve(start, service_url, **UNMEASURED)
    async with (
        httpx2.AsyncClient(base_url=service.url, trust_env=False) as client,
        connected(owner_url) as somebody_else,
    ):
        user = await new_user(service, owner, client)
        task = await user.add_task()

        async with somebody_else.transaction():
            await somebody_else.execute("SELECT FROM tasks WHERE id = $1 FOR UPDATE", task["id"])
            under_way = asyncio.create_task(user.patch(f"tasks/{task['id']}", json={"title": "Feed the cat"}))
            await eventually(lambda: owner.fetchval(IS_WAITING_FOR_A_LOCK))
            service.command.signal(SIGTERM)
            await asyncio.to_thread(service.command.until, lambda: not service.answers())

        answer = await under_way

    assert answer.status_code == 200
    assert answer.json()["title"] == "Feed the cat"
    assert await asyncio.to_thread(service.command.status) == 0


async def test_the_log_is_json_with_a_line_for_each_request(service: Service, user: User) -> None:
    request_id = uuid4().hex

    await user.post(
        "tasks?search=hidden-query", json={"title": "hidden-title"}, headers={"X-Request-Id": request_id}
    )
    await user.client.get("/hidden%0apath", headers={"Authorization": "Bearer hidden-token"})

    service.command.until(lambda: [line for line in service.logs() if line.get("path") == "/hidden%0apath"])
    lines = [line for line in service.logs() if line.get("request_id") == request_id]
    assert len(lines) == 1
    assert lines[0].pop("duration_ms") > 0
    assert lines[0].pop("timestamp").endswith("Z")
    assert lines[0] == {
        "event": "request",
        "level": "info",
        "method": "POST",
        "path": f"/api/{user.id}/tasks",
        "status": 201,
        "request_id": request_id,
        "user_id": user.id,
    }
    for secret in ("hidden-query", "hidden-title", "hidden-token", user.token, service.secret):
        assert secret not in service.command.stdout
    assert service.command.stderr == ""


# Migrating


def test_migrating_needs_a_database_url(tmp_path: Path) -> None:
    command = run(tmp_path, "migrate")

    assert command.complaint() == "DATABASE_URL is not set; docs/configuration.md says what it is for."


async def add_better_auths_tables(owner_url: str) -> None:
    async with connected(owner_url) as owner:
        await owner.execute(files("backend.commands").joinpath("better_auth.sql").read_text())


def test_the_owners_url_is_enough_to_migrate_and_gives_one_to_serve_with(place: Workplace) -> None:
    with embedded.postgres(place.folder) as socket_directory:
        owner_url = development.database_url("postgres", socket_directory, "postgres")
        asyncio.run(add_better_auths_tables(owner_url))

        first, again = (run(place.folder, "migrate", DATABASE_URL=owner_url) for _ in range(2))

        assert (first.status, again.status) == (0, 0), first.stderr + again.stderr
        schema, serve_with, url = first.stdout.splitlines()
        assert re.fullmatch(r"The schema is at \d{4}\. The service's role is tasks_service\.", schema)
        assert serve_with == "Serve with this URL; its password is not shown again:"
        same_schema, where_it_is = again.stdout.splitlines()
        assert same_schema == schema
        assert where_it_is.startswith("Its password was shown when the role was created")
        service = serve(place.start, url.removeprefix("  DATABASE_URL="), **UNMEASURED)
        ready = httpx2.get(f"{service.url}/health/ready", trust_env=False)
        assert ready.status_code == 200, ready.text


async def test_two_urls_choose_the_role_to_serve_with(
    start: Start, server: Connection, socket_directory: Path
) -> None:
    async with scratch_role(server) as role, scratch(server) as database:
        command = start(
            "migrate",
            DATABASE_URL=development.database_url(role, socket_directory, database),
            MIGRATION_DATABASE_URL=development.database_url("postgres", socket_directory, database),
            **UNMEASURED,
        )

        assert await asyncio.to_thread(command.status) == 0, command.stderr
    assert re.fullmatch(rf"The schema is at \d{{4}}\. The service's role is {role}\.\n", command.stdout)


def test_a_database_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    command = run(tmp_path, "migrate", DATABASE_URL=UNREACHABLE)

    complaint = command.complaint()
    assert complaint.startswith("Cannot connect to the database as its owner: ")
    assert "hunter2" not in complaint


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        (("0.0.0.0", 8000), "http://localhost:8000"),
        (("::1", 8000, 0, 0), "http://[::1]:8000"),
        (("::", 8000, 0, 0), "http://localhost:8000"),
    ],
)
def test_a_url_for_somebody_on_this_machine(address: tuple[Any, ...], url: str) -> None:
    class Listener(socket.socket):
        def getsockname(self) -> tuple[Any, ...]:
            return address

    with Listener() as listener:
        assert url_of(listener) == url


# HTTP


class Answer(NamedTuple):
    status: int
    headers: str
    body: bytes


class Wire:
    """A connection on which anything can be sent."""

    def __init__(self, service: Service) -> None:
        self.socket = socket.create_connection(("127.0.0.1", service.port), timeout=10)
        self.port: int = self.socket.getsockname()[1]
        self._incoming = self.socket.makefile("rb")

    def send(self, *head: str, body: bytes = b"") -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in (*head, "")).encode() + body)

    def send_in_pieces(self, pieces: int, *head: str, body: bytes) -> None:
        """As one, the head before the body, or byte by byte."""
        sent = "".join(f"{line}\r\n" for line in head).encode()
        each = {1: [sent + body], 2: [sent, body]}.get(pieces) or [bytes([byte]) for byte in sent + body]
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in each:
            self.socket.sendall(piece)
            time.sleep(0.05 if pieces == 2 else 0)

    def answer(self) -> Answer:
        status = int(self._incoming.readline().split()[1])
        headers = "".join(line.decode() for line in iter(self._incoming.readline, b"\r\n")).lower()
        length = re.search(r"^content-length: (\d+)", headers, re.MULTILINE)
        assert length, headers
        return Answer(status, headers, self._incoming.read(int(length[1])))

    def is_closed(self) -> bool:
        return self._incoming.read() == b""

    def close(self) -> None:
        self._incoming.close()
        self.socket.close()


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    with closing(Wire(service)) as wire:
        yield wire


LIVE = ("GET /health/live HTTP/1.1", "Host: api")
POST = ("POST /api/me/tasks HTTP/1.1", "Host: api", "Content-Type: application/json")
MEGABYTE = b"x" * 1_000_000


def test_requests_may_be_pipelined_and_the_connection_is_kept(wire: Wire) -> None:
    wire.send(*LIVE, "", *LIVE, "", "GET /nope HTTP/1.1", "Host: api", "", *LIVE)
    first = [wire.answer().status for _ in range(4)]

    wire.send(*LIVE)

    assert first == [200, 200, 404, 200]
    assert wire.answer().status == 200


def test_a_connection_may_carry_any_number_of_requests(wire: Wire) -> None:
    for _ in range(50):
        wire.send(*LIVE, "X-Large: " + "x" * 30_000)

        answer = wire.answer()
        assert answer.status == 200
        assert "server: " not in answer.headers


async def test_a_crash_leaves_the_connection_usable(user: User, owner: Connection, wire: Wire) -> None:
    request = ("GET /api/me/tasks HTTP/1.1", "Host: api", f"Authorization: Bearer {user.token}")
    await owner.execute("ALTER TABLE tasks RENAME COLUMN description TO gone")
    try:
        wire.send(*request)
        crash = wire.answer()
    finally:
        await owner.execute("ALTER TABLE tasks RENAME COLUMN gone TO description")

    wire.send(*request)

    assert crash.status == 500
    assert json.loads(crash.body)["code"] == "internal-error"
    assert wire.answer().status == 200


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")


@pytest.mark.parametrize("pieces", [1, 2, 1000], ids=["at once", "head first", "byte by byte"])
@pytest.mark.parametrize(
    "upgrade",
    [UPGRADE, ("Connection: upgrade", "Upgrade: websocket"), ("Upgrade: x", "Connection: close, Upgrade")],
    ids=["h2c", "websocket", "closing"],
)
async def test_an_offer_of_another_protocol_changes_nothing(
    user: User, wire: Wire, upgrade: tuple[str, ...], pieces: int
) -> None:
    """HTTP clients of curl and Java make one with the first request (RFC 9110, section 7.8)."""
    task = await user.add_task()
    await user.patch(f"tasks/{task['id']}/complete")
    body = b'{"completed": true}'  # without it the request would be a toggle
    head = (
        f"PATCH /api/me/tasks/{task['id']}/complete HTTP/1.1",
        "Host: api",
        f"Authorization: Bearer {user.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )

    for _ in range(2):
        wire.send_in_pieces(pieces, *head, *upgrade, "", body=body)
        answer = wire.answer()
        assert answer.status == 200
        assert json.loads(answer.body)["status"] == "completed"
        if "close" in upgrade[1]:
            assert wire.is_closed()
            return
    wire.send(*LIVE)
    assert wire.answer().body == b'{"status":"ok"}'


async def test_the_body_of_an_offer_is_no_request(user: User, wire: Wire) -> None:
    smuggled = f"GET /api/me/stats HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {user.token}\r\n\r\n".encode()
    wire.send(*POST, f"Authorization: Bearer {user.token}", *UPGRADE, f"Content-Length: {len(smuggled)}")
    await asyncio.sleep(0.1)
    wire.socket.sendall(smuggled)

    assert wire.answer().status == 400
    wire.send(*LIVE)
    assert wire.answer().body == b'{"status":"ok"}'


def test_offers_may_be_pipelined_in_any_number(wire: Wire) -> None:
    wire.socket.sendall("".join(f"{line}\r\n" for line in (*LIVE, *UPGRADE, "")).encode() * 2000)

    assert {wire.answer().status for _ in range(2000)} == {200}


def test_a_connect_is_a_405_and_leads_nowhere(wire: Wire) -> None:
    wire.send("CONNECT example.com:443 HTTP/1.1", "Host: example.com:443")

    assert wire.answer().status in {400, 404, 405}


def list_requests(service: Service, user: User) -> list[Json]:
    """The log lines of requests for the user's lists."""
    return [line for line in service.logs() if line.get("method") == "GET" and line.get("user_id") == user.id]


def peers(service: Service) -> set[int]:
    """The ports that clients of the service are connected from."""
    connections = psutil.Process(service.command.process.pid).net_connections("tcp")
    return {connection.raddr.port for connection in connections if connection.status != psutil.CONN_LISTEN}


async def test_who_leaves_before_the_answers_come_leaves_no_trace(user: User, service: Service) -> None:
    for _ in range(30):
        await user.add_task(description="x" * 9_000)
    head = ("GET /api/me/tasks HTTP/1.1", "Host: api", f"Authorization: Bearer {user.token}", "")
    with closing(Wire(service)) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.socket.sendall("".join(f"{line}\r\n" for line in head).encode() * 20)
        # Nobody reads the answers, and the socket's buffers do not hold all of them.
        service.command.until(lambda: list_requests(service, user))
    service.command.until(lambda: wire.port not in peers(service))

    assert (await user.get("tasks")).status_code == 200
    assert "Exception" not in service.command.stdout + service.command.stderr


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: 2", "Content-Length: 2"),
        ("Content-Length: +2",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding : chunked",),
        ("X-Zero: \0",),
    ],
)
def test_what_a_proxy_might_read_in_another_way_is_refused(wire: Wire, headers: tuple[str, ...]) -> None:
    wire.send(*POST, *headers, body=b"{}")

    assert wire.answer().status == 400
    assert wire.is_closed()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (("GET /health/live HTTP/1.1",), 400),
        (("GET /health/live HTTP/1.1", "Host: api", "Host: api"), 400),
        (("GET /health/live HTTP/1.1", "Host: a b"), 400),
        (("GET /health/live HTTP/1.1", "Host:"), 400),
        (("GET /health/live HTTP/1.1", "HOST:  api:80  "), 200),
        (("GET http://api/health/live HTTP/1.1",), 400),
        (("GET http://other/health/live HTTP/1.1", "Host: api"), 200),
        (("GET /health/live HTTP/1.0",), 200),
        (("GET /health/live HTTP/1.0", "Host: a b"), 400),
        (("HEAD /health/live HTTP/1.1", "Host: api"), 200),
        (("OPTIONS /health/live HTTP/1.1", "Host: api"), 405),
        ((f"GET /{'x' * 2047} HTTP/1.1", "Host: api"), 404),
        ((f"GET /{'x' * 2048} HTTP/1.1", "Host: api"), 414),
        (("GET /health/live HTTP/1.1", "Host: api", "Transfer-Encoding: gzip"), 400),  # no end can be told
    ],
    ids=lambda value: str(value)[:80],
)
def test_a_request_is_taken_by_the_letter_of_http(wire: Wire, head: tuple[str, ...], status: int) -> None:
    wire.send(*head, "Connection: close")

    assert wire.answer().status == status


def test_a_transfer_coding_beyond_chunked_is_a_501(wire: Wire) -> None:
    wire.send(*POST, "Transfer-Encoding: gzip, chunked", body=b"3\r\nabc\r\n0\r\n\r\n")

    answer = wire.answer()
    assert answer.status == 501
    assert json.loads(answer.body)["code"] == "unsupported-transfer-coding"
    wire.send(*LIVE)
    assert wire.answer().body == b'{"status":"ok"}'


def test_a_forged_host_is_sent_nowhere(wire: Wire) -> None:
    wire.send("GET /api/me/tasks/ HTTP/1.1", "Host: evil.example.com")

    answer = wire.answer()
    assert answer.status == 404
    assert "evil" not in answer.headers


def test_a_large_header_is_a_431(wire: Wire) -> None:
    wire.send(*LIVE, "X-Large: " + "x" * 200_000)

    answer = wire.answer()
    assert answer.status == 431
    assert json.loads(answer.body)["code"] == "headers-too-large"


@pytest.mark.parametrize("beginning", ["GET /", "GET / HTTP/1.1\r\nX-Large: ", "GET / HTTP/1.1\r\nX-"])
def test_a_head_without_end_is_cut_off_and_holds_up_nobody(service: Service, wire: Wire, beginning: str) -> None:
    """The parser gathers a header until it ends, and takes longer for each piece than for the one before."""
    started = time.monotonic()

    with pytest.raises(ConnectionError):
        wire.socket.sendall(beginning.encode() + 100 * MEGABYTE)

    assert service.answers()
    assert time.monotonic() - started < 5


def memory(service: Service) -> int:
    return psutil.Process(service.command.process.pid).memory_info().rss


def test_a_large_body_is_refused_before_it_has_come(wire: Wire, user: User) -> None:
    wire.send(*POST, f"Authorization: Bearer {user.token}", "Content-Length: 50000000", body=b"{")

    answer = wire.answer()
    assert answer.status == 413
    assert json.loads(answer.body)["code"] == "content-too-large"


CHUNK = b"f4240\r\n" + MEGABYTE + b"\r\n"


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        ("Content-Length: 50000000", [MEGABYTE] * 50),
        ("Transfer-Encoding: chunked", [CHUNK] * 50 + [b"0\r\n\r\n"]),
    ],
    ids=["announced", "chunked"],
)
def test_a_large_body_is_not_kept(
    service: Service, wire: Wire, user: User, length: str, pieces: list[bytes]
) -> None:
    before = memory(service)

    wire.send(*POST, f"Authorization: Bearer {user.token}", length, body=pieces[0])
    refusal = wire.answer()
    for piece in pieces[1:]:
        wire.socket.sendall(piece)
    wire.send(*LIVE)

    assert refusal.status == 413
    assert wire.answer().status == 200
    assert memory(service) - before < 10_000_000
