"""Which requests are let through to the parsers of the application."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from backend.http.gate import MAX_HEADER_BYTES, MAX_QUERY_BYTES
from backend.http.middleware import Envelope


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
        "headers": [],
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


@pytest.mark.parametrize(("excess", "status"), [(-1, 200), (0, 200), (1, 431)])
async def test_headers_are_up_to_32_kib_names_included(excess: int, status: int) -> None:
    names, values = [b"a" * 100, b"b" * 100], [b"x" * 20_000, b"x" * (12_568 + excess)]
    assert sum(map(len, names + values)) == MAX_HEADER_BYTES + excess

    assert await status_of(headers=list(zip(names, values, strict=True))) == status


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


async def test_other_scopes_than_http_pass() -> None:
    """Lifespan scopes have neither path nor headers."""
    passed: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        passed.append(scope["type"])

    async def nothing(*_: object) -> Message:
        return {}

    await Envelope(app)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type] # neither is called

    assert passed == ["lifespan"]
