"""What Next.js and Better Auth write, in the form of our log."""

import io
import json
import re

import pytest

from backend.commands.frontend_log import FrontEndLog

BANNER = [
    "▲ Next.js 16.4.6",
    "- Local:         http://localhost:3000",
    "- Network:       http://192.0.2.2:3000",
    "- Experiments (use with caution):",
    "  · optimizePackageImports",
    "",
    "✓ Starting...",
    "✓ Running next.config.ts took 74ms",
]
INFO, WARNING, ERROR = "web │ TIME [info     ] ", "web │ TIME [warning  ] ", "web │ TIME [error    ] "


@pytest.fixture(autouse=True)
def _without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def follow(*lines: str, level: str = "info", as_json: bool = False, unmarked: str = "info") -> None:
    stream = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
    FrontEndLog(level=level, as_json=as_json, unmarked=unmarked).follow(stream)


def written(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().out.splitlines()
    return [re.sub(r"\d\d:\d\d:\d\d", "TIME", line).rstrip() for line in lines]


def test_the_banner_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    follow(*BANNER, "✓ Ready in 377ms")

    assert written(capsys) == [f"{INFO}Ready in 377ms"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Oh no", f"{INFO}Oh no"),
        ("- Lists are no banner", f"{INFO}- Lists are no banner"),
        (" ⚠ Slow filesystem detected", f"{WARNING}Slow filesystem detected"),
        ("⨯ Error: connect ECONNREFUSED", f"{ERROR}Error: connect ECONNREFUSED"),
        (" ○ Compiling /sign-in ...", f"{INFO}Compiling /sign-in ..."),
        (
            "\033[2m2026-11-24T21:36:27.382Z\033[0m \033[33mWARN\033[0m \033[1m[Better Auth]:\033[0m low entropy",
            f"{WARNING}[Better Auth]: low entropy",
        ),
        ("2026-11-24T21:36:27.382Z ERROR [Better Auth]: no table", f"{ERROR}[Better Auth]: no table"),
        (
            "(node:12) [DEP0040] DeprecationWarning: punycode",
            f"{WARNING}(node:12) [DEP0040] DeprecationWarning: pu",
        ),
    ],
)
def test_a_line_has_the_level_that_it_tells(capsys: pytest.CaptureFixture[str], line: str, shown: str) -> None:
    follow(line)

    (found,) = written(capsys)
    assert found.startswith(shown)


def test_a_line_that_tells_none_has_that_of_its_stream(capsys: pytest.CaptureFixture[str]) -> None:
    follow("The front end cannot start: no database", unmarked="error")

    assert written(capsys) == [f"{ERROR}The front end cannot start: no database"]


@pytest.mark.parametrize(
    ("duration", "shown"), [("45ms", "45.0"), ("1.2s", "1200.0"), ("870µs", "0.9"), ("2.0min", "120000.0")]
)
def test_a_request_looks_like_one_to_the_api(
    capsys: pytest.CaptureFixture[str], duration: str, shown: str
) -> None:
    follow(f" GET /?search=somebody's \033[32m200\033[0m in {duration} (next.js: 2ms, application-code: 43ms)")

    assert written(capsys) == [f"{INFO}request  method=GET path=/ status=200 duration_ms={shown}"]


def test_a_stack_trace_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    follow("⨯ Error: boom", "    at page (src/app/page.tsx:3:9)", "  digest: '42'", "}", "✓ Ready in 1s")

    assert written(capsys) == [
        f"{ERROR}Error: boom",
        "web │     at page (src/app/page.tsx:3:9)",
        "web │   digest: '42'",
        "web │ }",
        f"{INFO}Ready in 1s",
    ]


def test_less_important_lines_are_left_out_with_what_belongs_to_them(capsys: pytest.CaptureFixture[str]) -> None:
    follow("Loaded", "  from .env", "⚠ Careful", "  there", level="warning")

    assert written(capsys) == [f"{WARNING}Careful", "web │   there"]


def test_as_json_each_line_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    follow("⨯ Error: boom", "    at page", as_json=True)

    events = [json.loads(line.removeprefix("web │ ")) for line in written(capsys)]
    assert [(event["level"], event["event"]) for event in events] == [
        ("error", "Error: boom"),
        ("error", "    at page"),
    ]


def test_lines_go_on_when_nobody_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the front end would be stuck as soon as its pipe is full."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())

    follow("⨯ Error: boom", "    at page", "")
