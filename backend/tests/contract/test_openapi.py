"""The API's description says what the API does."""

import json
import re
from signal import SIGINT, getsignal, signal

import httpx2
import pytest
from pydantic import SecretStr

from backend import errors
from backend.commands import cli
from backend.config import Settings
from backend.main import create_api
from backend.schemas.tasks import TaskPatch
from support import Json, every_problem

SETTINGS = Settings(
    database_url=SecretStr("postgresql://x"), better_auth_secret=SecretStr("x" * 32), _env_file=None
)
DOCUMENT: Json = create_api(SETTINGS).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
TASK_OPERATIONS = {name: operation for name, operation in OPERATIONS.items() if " /api/" in name}


def references(part: Json) -> set[str]:
    if isinstance(part, dict):
        return {part["$ref"]} if "$ref" in part else set().union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        part = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_every_component_is_used() -> None:
    used = {reference.removeprefix("#/components/") for reference in references(DOCUMENT)}

    assert {f"{kind}/{name}" for kind in ("schemas", "examples") for name in DOCUMENT["components"][kind]} == used


def test_every_member_of_an_answer_is_required() -> None:
    """So that generated types have no needless question marks."""
    for name in ("TaskRead", "Stats"):
        schema = DOCUMENT["components"]["schemas"][name]

        assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("name", TASK_OPERATIONS)
def test_every_error_is_described_as_problem_details(name: str) -> None:
    responses = TASK_OPERATIONS[name]["responses"]
    failures = {status: response for status, response in responses.items() if status >= "400"}

    assert {"400", "401", "403", "414", "422", "431", "500", "503"} <= set(failures)
    for status, response in failures.items():
        (content,) = response["content"].items()
        assert content[0] == "application/problem+json"
        assert content[1]["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert content[1]["examples"]
        for example in content[1]["examples"]:
            assert DOCUMENT["components"]["examples"][example]["value"]["status"] == int(status)


@pytest.mark.parametrize("name", TASK_OPERATIONS)
def test_every_task_route_asks_for_a_token(name: str) -> None:
    assert TASK_OPERATIONS[name]["security"] == [{"token": []}]


@pytest.mark.parametrize("name", TASK_OPERATIONS)
def test_the_page_starts_from_the_callers_own_tasks(name: str) -> None:
    """A suggestion for who tries an operation; to leave the id out is still not possible."""
    (user_id,) = [part for part in TASK_OPERATIONS[name]["parameters"] if part["name"] == "user_id"]

    assert user_id["example"] == "me"
    assert user_id["required"] is True
    assert "default" not in user_id["schema"]


def test_the_page_suggests_a_patch_that_is_valid() -> None:
    """Without a suggestion it would send every member at once, of which some exclude each other."""
    for body in TASK_OPERATIONS["PATCH /api/{user_id}/tasks/{task_id}"]["requestBody"]["content"].values():
        (example,) = body["schema"]["examples"]

        assert TaskPatch.model_validate(example).model_fields_set


def test_whoever_is_asked_for_a_token_reads_how_to_get_one() -> None:
    description = DOCUMENT["components"]["securitySchemes"]["token"]["description"]

    assert "`make token`" in description
    assert "`GET /api/auth/token`" in description


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_described_to_its_user(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["description"].endswith(".")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_header_is_a_string(name: str) -> None:
    """Generators of clients leave out an operation with a list in a header."""
    headers = [part for part in OPERATIONS[name].get("parameters", []) if part["in"] == "header"]

    assert [part["name"] for part in headers if part["schema"].get("type") != "string"] == []


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [name for name in TASK_OPERATIONS if name.startswith(("POST", "PUT", "PATCH"))])
def test_every_body_is_described(name: str) -> None:
    body = TASK_OPERATIONS[name]["requestBody"]

    assert "application/json" in body["content"]
    assert body.get("required", False) is not name.endswith("/complete")


def test_fields_to_change_have_no_defaults() -> None:
    for name in ("TaskPut", "TaskPatch"):
        schema = DOCUMENT["components"]["schemas"][name]

        assert "required" not in schema
        assert not [field for field, rules in schema["properties"].items() if "default" in rules]


async def test_the_description_is_served_with_a_page_to_read_it(client: httpx2.AsyncClient) -> None:
    document = await client.get("/openapi.json")
    page = await client.get("/docs")
    assets = [await client.get(path) for path in re.findall(r'"(/docs/assets/[^"]+)"', page.text)]

    assert document.json() == DOCUMENT
    assert len(assets) >= 2
    assert {answer.status_code for answer in assets} == {200}
    assert "//cdn" not in page.text


def test_the_description_can_be_printed_without_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_PORT", "none")
    before = getsignal(SIGINT)

    status = cli.main(["openapi"])

    signal(SIGINT, before)
    assert status == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def test_every_problem_has_a_status_a_code_a_title_and_a_sentence() -> None:
    problems = every_problem()

    for kind in problems:
        problem = errors.InvalidValues(errors.Fault("/x", "is odd.")) if kind is errors.InvalidValues else kind()
        assert 400 <= problem.status < 600
        assert re.fullmatch(r"[a-z-]+", problem.code)
        assert problem.title
        assert re.fullmatch(r"[A-Z].*\.", problem.detail.removeprefix("/")) or kind is errors.InvalidValues
    assert len({kind.code for kind in problems}) == len(problems)
