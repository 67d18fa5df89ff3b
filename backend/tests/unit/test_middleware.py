"""Which requests are let through to the parsers of the application."""

import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from backend import logs
from backend.http.gate import MAX_HEADER_BYTES, MAX_PATH_BYTES, MAX_QUERY_BYTES
from backend.http.middleware import MAX_LOGGED_PATH_BYTES, Envelope

HOST = b"host", b"api"


async def inside(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


async def status_of(**changes: object) -> int:
    """The status of the response; 200 if the request gets through."""
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [HOST],
        **changes,
    }

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    await Envelope(inside)(scope, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(("length", "status"), [(0, 200), (8191, 200), (8192, 200), (8193, 414), (100_000, 414)])
async def test_a_query_string_is_up_to_8_kib(length: int, status: int) -> None:
    assert await status_of(query_string=b"x" * length) == status


@pytest.mark.parametrize(("length", "status"), [(1, 200), (2047, 200), (2048, 200), (2049, 414), (60_000, 414)])
async def test_a_path_is_up_to_2_kib(length: int, status: int) -> None:
    assert MAX_PATH_BYTES == 2048
    assert await status_of(path="/" * length, raw_path=b"/" * length) == status


@pytest.mark.parametrize(
    "host",
    [
        b"api.example.com",
        b"API.example.com:8000",
        b"localhost:",
        b"127.0.0.1:65535",
        b"[::1]",
        b"[2001:db8::1]:8000",
        b"[::ffff:192.0.2.1]",
        b"[v1.fe80:a]",
        b"xn--bcher-kva.example",
        b"b%C3%BCcher.example",
        b"under_score",
        b"a,b;c",
        b"x" * 255,
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_host_is_a_name_or_an_address(version: str, host: bytes) -> None:
    assert await status_of(http_version=version, headers=[(b"host", host)]) == 200


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b":8000",
        b"a b",
        b"a, b",
        b"a/b",
        b"http://a",
        b"user@a",
        b"a?b",
        b"a#b",
        b"a:b",
        b"a:80:80",
        b"a:123456",
        b"::1",
        b"[::1",
        b"[::g]",
        b"[:::]",
        b"[1.2.3.4]",
        b"[::1]x",
        b"[fe80::1%25eth0]",
        b"[v1.]",
        b"a%zz",
        b"b\xc3\xbccher",
        b"a\n",
        b"<a>",
        b"x" * 256,
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_any_other_host_is_malformed(version: str, host: bytes) -> None:
    assert await status_of(http_version=version, headers=[(b"host", host)]) == 400


@pytest.mark.parametrize(("version", "status"), [("1.0", 200), ("1.1", 400), ("2", 200)])
async def test_a_host_may_be_missing_in_http_1_0_only(version: str, status: int) -> None:
    """Servers for HTTP/2 give the authority as Host, if there is one."""
    assert await status_of(http_version=version, headers=[]) == status


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_host_is_there_once(version: str) -> None:
    assert await status_of(http_version=version, headers=[HOST, HOST]) == 400


async def test_a_preflight_needs_a_host_too() -> None:
    asking = [(b"origin", b"http://a"), (b"access-control-request-method", b"PUT")]

    assert await status_of(method="OPTIONS", headers=asking) == 400
    assert await status_of(method="OPTIONS", headers=[HOST, *asking]) == 403


@pytest.mark.parametrize(
    ("codings", "status"),
    [
        ([b"chunked"], 200),
        ([b" Chunked "], 200),
        ([b"gzip, chunked"], 501),
        ([b"gzip", b"chunked"], 501),
        ([b"chunked, chunked"], 501),
        ([b"identity"], 501),
        ([b""], 501),
    ],
)
async def test_the_only_transfer_coding_is_chunked(codings: list[bytes], status: int) -> None:
    assert await status_of(headers=[HOST, *((b"transfer-encoding", coding) for coding in codings)]) == status


@pytest.mark.parametrize(("excess", "status"), [(-1, 200), (0, 200), (1, 431)])
async def test_headers_are_up_to_32_kib_names_included(excess: int, status: int) -> None:
    names, values = [b"a" * 100, b"b" * 100], [b"x" * 20_000, b"x" * (12_561 + excess)]
    assert sum(map(len, [*HOST, *names, *values])) == MAX_HEADER_BYTES + excess

    assert await status_of(headers=[HOST, *zip(names, values, strict=True)]) == status


@pytest.mark.parametrize("part", ["raw_path", "query_string"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"/%FF", id="no UTF-8"),
        pytest.param(b"/\xff", id="no UTF-8, raw"),
        pytest.param(b"/%C3", id="half a character"),
        pytest.param(b"/%C3x%A4", id="a character interrupted"),
        pytest.param(b"/%C0%AF", id="overlong slash"),
        pytest.param(b"/%ED%A0%80", id="half a surrogate pair"),
        pytest.param(b"/%F5%80%80%80", id="beyond Unicode"),
    ],
)
async def test_what_is_not_utf8_is_malformed(part: str, text: bytes) -> None:
    """Each later decoder would replace it with something else."""
    assert await status_of(**{part: text}) == 400


@pytest.mark.parametrize("part", ["raw_path", "query_string"])
@pytest.mark.parametrize(
    "text", [b"/", b"/%C3%A4", b"/\xc3\xa4", b"/%F0%9F%8C%B9", b"/%", b"/%zz", b"/%00", b"/a+b"]
)
async def test_everything_else_gets_through(part: str, text: bytes) -> None:
    assert await status_of(**{part: text}) == 200


async def test_the_length_of_a_query_is_checked_first() -> None:
    """The longer a query is, the more it costs to decode."""
    assert await status_of(query_string=b"%FF" * MAX_QUERY_BYTES) == 414


async def logged_line(capsys: pytest.CaptureFixture[str], **changes: object) -> str:
    """What one request leaves in the log of a production."""
    logs.log.flush()
    capsys.readouterr()
    logs.configure(level="info", as_json=True)
    await status_of(**changes)
    logs.log.flush()
    logs.configure(level="warning", as_json=False)
    return capsys.readouterr().out.removesuffix("\n")


@pytest.mark.parametrize(
    ("length", "logged"),
    [(255, "x" * 255), (256, "x" * 256), (257, "x" * 256 + "..."), (60_000, "x" * 256 + "...")],
)
async def test_a_long_path_is_cut_in_the_log(capsys: pytest.CaptureFixture[str], length: int, logged: str) -> None:
    line = json.loads(await logged_line(capsys, raw_path=b"x" * length))

    assert MAX_LOGGED_PATH_BYTES == 256
    assert line["path"] == logged


@pytest.mark.parametrize("path", [b"x", b'"', b"\\"])
async def test_a_line_of_the_log_is_up_to_1_kib(capsys: pytest.CaptureFixture[str], path: bytes) -> None:
    """Whatever the client chooses: the path, its request's id, the user."""
    line = await logged_line(
        capsys,
        method="OPTIONS",
        raw_path=path * 60_000,
        headers=[HOST, (b"x-request-id", b"x" * 64)],
        state={"user_id": "x" * 128},
    )

    assert '"user_id"' in line
    assert len(line) <= 1024


async def test_other_scopes_than_http_pass() -> None:
    """Lifespan scopes have neither path nor headers."""
    passed: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        passed.append(scope["type"])

    async def nothing(*_: object) -> Message:
        return {}

    await Envelope(app)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type] # neither is called

    assert passed == ["lifespan"]
