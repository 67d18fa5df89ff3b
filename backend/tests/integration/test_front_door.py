"""What answers somebody who has only the address: `/`, the documentation, the explanations of errors."""

import re
import time
from base64 import b64encode
from hashlib import sha256
from html import unescape

import httpx2
import pytest

from backend import __version__
from backend.http.explanations import EXPLANATIONS
from support import assert_problem, every_problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
CODES = sorted(kind.code for kind in EXPLANATIONS)


def varies(answer: httpx2.Response) -> set[str]:
    return set(answer.headers["vary"].split(", "))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_door_leads_a_browser_to_the_documentation(client: httpx2.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/", headers=BROWSER)

    assert (answer.status_code, answer.headers["location"]) == (302, "/docs")
    assert varies(answer) == {"Accept", "Origin"}
    page = await client.get(answer.headers["location"], headers=BROWSER)
    assert page.status_code == 200


async def test_the_door_gives_a_program_addresses_that_lead_somewhere(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/")

    document = answer.json()
    assert (document.pop("name"), document.pop("version")) == ("Tasks", __version__)
    assert document.keys() == {"docs", "openapi", "errors", "health"}
    for path in document.values():
        assert (await client.get(path)).status_code == 200
    assert varies(answer) == {"Accept", "Origin"}


async def test_the_door_answers_head_as_it_would_get(client: httpx2.AsyncClient) -> None:
    get, head = await client.get("/"), await client.head("/")

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("TEXT/HTML; level=1", True),
        ("text/html, */*", True),
        ("text/*", True),
        ("application/json;q=0.5, text/html;q=0.9", True),
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0", False),
        ("text/html;q=0, text/*", False),
        ("text/html;q=0.1, application/*", False),
        ("image/png", False),
        ("text/html,;q=nan,/,text", True),
    ],
)
async def test_who_prefers_html_gets_a_page(client: httpx2.AsyncClient, accept: str, *, page: bool) -> None:
    answer = await client.get("/errors", headers={"Accept": accept})

    expected = "text/html; charset=utf-8" if page else "application/json"
    assert answer.headers["content-type"] == expected


@pytest.mark.parametrize("code", CODES)
async def test_the_type_of_each_problem_opens_its_explanation(client: httpx2.AsyncClient, code: str) -> None:
    document = (await client.get(f"/errors/{code}")).json()
    page = await client.get(f"/errors/{code}", headers=BROWSER)

    (kind,) = [kind for kind in every_problem() if kind.code == code]
    explanation = EXPLANATIONS[kind]
    assert document == {
        "type": f"/errors/{code}",
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "when": explanation.when,
        "whatToDo": explanation.remedy,
    }
    text = unescape(re.sub(r"<[^>]+>", "", page.text))
    for part in (kind.title, str(kind.status), explanation.when, explanation.remedy):
        assert part.replace("`", "") in text


async def test_a_problem_leads_to_its_explanation(client: httpx2.AsyncClient) -> None:
    problem = assert_problem(await client.get("/api/me/tasks"), 401, "missing-token")

    explanation = await client.get(problem["type"])

    assert explanation.json()["title"] == problem["title"]


async def test_every_explanation_is_listed(client: httpx2.AsyncClient) -> None:
    listed = (await client.get("/errors")).json()
    page = await client.get("/errors", headers=BROWSER)

    assert sorted(item["code"] for item in listed) == CODES
    assert sorted(re.findall(r'<li><a href="/errors/([^"]+)"', page.text)) == CODES


@pytest.mark.parametrize("path", ["/errors", "/errors/not-ready"])
async def test_a_page_may_use_its_own_style_and_nothing_else(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers=BROWSER)

    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script|style=|https?://|src=", answer.text)
    assert varies(answer) == {"Accept", "Origin"}


async def test_only_the_documentation_may_run_scripts(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/docs")

    assert "script-src 'self' 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert len(answer.headers.get_list("content-security-policy")) == 1


async def test_an_explanation_that_does_not_exist_is_a_problem_for_a_browser_too(
    client: httpx2.AsyncClient,
) -> None:
    assert_problem(await client.get("/errors/%3Cscript%3E", headers=BROWSER), 404, "not-found")


async def test_an_endless_accept_header_takes_no_time(client: httpx2.AsyncClient) -> None:
    """It is read without a token. Twice the length may take twice the time, and not four times."""

    async def seconds(length: int) -> float:
        started = time.process_time()
        await client.get("/errors", headers={"Accept": "/" * length + " x"})
        return time.process_time() - started

    await seconds(1)
    short, long = [min([await seconds(length) for _ in range(5)]) for length in (1_500, 24_000)]

    assert long < 16 * 4 * short
