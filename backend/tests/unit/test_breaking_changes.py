"""The check for breaking changes of the API, on the committed description and changes of it."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support import Json
from tooling import breaking
from tooling.changes import breaking_changes

ROOT = Path(__file__).parents[3]
DOCUMENT: Json = json.loads((ROOT / breaking.DESCRIPTION).read_text())
TASKS = "/api/{user_id}/tasks"
TASK = f"{TASKS}/{{task_id}}"

type Change = Callable[[Json], object]


def changed(change: Change) -> Json:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def member(document: Json, path: str) -> Json:
    name, _, key = path.partition(".")
    found: Json = schema(document, name)["properties"][key]
    return found


def parameter(document: Json, name: str, path: str = TASKS) -> Json:
    found: Json = next(each for each in document["paths"][path]["get"]["parameters"] if each["name"] == name)
    return found


# What the description has no example of any more.
parameter(DOCUMENT, "if-none-match", TASK)["schema"] = {"type": "array", "items": {"type": "string"}}
del schema(DOCUMENT, "TaskCreate")["additionalProperties"]


def rename_path_parameter(document: Json) -> None:
    text = json.dumps(document).replace("{user_id}", "{owner}").replace('"name": "user_id"', '"name": "owner"')
    document |= json.loads(text)


def add_parameter(document: Json, *, required: bool) -> None:
    document["paths"][TASKS]["get"]["parameters"].append(
        {"name": "list", "in": "query", "required": required, "schema": {"type": "string"}}
    )


def add_body(document: Json, *, required: bool) -> None:
    document["paths"][TASK]["delete"]["requestBody"] = {
        "required": required,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


BREAKING: dict[str, tuple[Change, str]] = {
    "a path": (lambda d: d["paths"].pop(TASK), "DELETE /api/{user_id}/tasks/{task_id}: is gone"),
    "an operation": (lambda d: d["paths"][TASK].pop("put"), "PUT /api/{user_id}/tasks/{task_id}: is gone"),
    "a parameter": (
        lambda d: d["paths"][TASKS]["get"]["parameters"].remove(parameter(d, "search")),
        "GET /api/{user_id}/tasks: query parameter search: is gone",
    ),
    "a new required parameter": (
        lambda d: add_parameter(d, required=True),
        "GET /api/{user_id}/tasks: query parameter list: is required now",
    ),
    "a parameter becomes required": (
        lambda d: parameter(d, "search").update(required=True),
        "GET /api/{user_id}/tasks: query parameter search: is required now",
    ),
    "an upper bound of a parameter": (
        lambda d: parameter(d, "limit")["schema"].update(maximum=100),
        "GET /api/{user_id}/tasks: query parameter limit: maximum is 100, and was 1000",
    ),
    "a lower bound of a parameter": (
        lambda d: parameter(d, "limit")["schema"].update(minimum=2),
        "GET /api/{user_id}/tasks: query parameter limit: minimum is 2, and was 1",
    ),
    "a new bound": (
        lambda d: parameter(d, "search")["schema"].update(maxLength=9),
        "GET /api/{user_id}/tasks: query parameter search: maxLength is 9, and was not set",
    ),
    "a pattern": (
        lambda d: parameter(d, "search")["schema"].update(pattern="^a"),
        "GET /api/{user_id}/tasks: query parameter search: pattern is '^a', and was not set",
    ),
    "a format of a parameter": (
        lambda d: parameter(d, "due_after")["schema"]["anyOf"].pop(0),
        "GET /api/{user_id}/tasks: query parameter due_after: format is 'date-time', and was 'date'",
    ),
    "the type of a parameter": (
        lambda d: parameter(d, "search")["schema"].update(type="integer"),
        "GET /api/{user_id}/tasks: query parameter search: string is no longer accepted",
    ),
    "the items of a parameter": (
        lambda d: parameter(d, "if-none-match", TASK)["schema"]["items"].update(type="integer"),
        "GET /api/{user_id}/tasks/{task_id}: header parameter if-none-match/*: string is no longer accepted",
    ),
    "a value of a parameter": (
        lambda d: schema(d, "SortBy")["enum"].remove("title"),
        "GET /api/{user_id}/tasks: query parameter sort_by: 'title' is no longer accepted",
    ),
    "values where any was accepted": (
        lambda d: parameter(d, "search")["schema"].update(enum=["plants"]),
        "GET /api/{user_id}/tasks: query parameter search: only 'plants' is accepted",
    ),
    "a value of a request's member": (
        lambda d: schema(d, "Priority")["enum"].remove("low"),
        "POST /api/{user_id}/tasks: request body/priority: 'low' is no longer accepted",
    ),
    "a member of a request": (
        lambda d: schema(d, "TaskCreate")["properties"].pop("category"),
        "POST /api/{user_id}/tasks: request body/category: is gone",
    ),
    "a new required member of a request": (
        lambda d: schema(d, "TaskCreate")["required"].append("priority"),
        "POST /api/{user_id}/tasks: request body/priority: is required now",
    ),
    "a bound of a request's member": (
        lambda d: member(d, "TaskCreate.title").update(maxLength=100),
        "POST /api/{user_id}/tasks: request body/title: maxLength is 100, and was 255",
    ),
    "null in a request": (
        lambda d: member(d, "TaskPatch.dueDate")["anyOf"].pop(),
        "PATCH /api/{user_id}/tasks/{task_id}: request body/dueDate: null is no longer accepted",
    ),
    "the type of a request's member": (
        lambda d: member(d, "Completion.completed").update(type="string"),
        "PATCH /api/{user_id}/tasks/{task_id}/complete: request body/completed: boolean is no longer accepted",
    ),
    "unknown members of a request": (
        lambda d: schema(d, "TaskCreate").update(additionalProperties=False),
        "POST /api/{user_id}/tasks: request body: unknown members are no longer accepted",
    ),
    "other types of unknown members": (
        lambda d: schema(d, "TaskCreate").update(additionalProperties={"type": "string"}),
        "POST /api/{user_id}/tasks: request body/*: any value is no longer accepted",
    ),
    "a body becomes required": (
        lambda d: d["paths"][f"{TASK}/complete"]["patch"]["requestBody"].update(required=True),
        "PATCH /api/{user_id}/tasks/{task_id}/complete: request body: is required now",
    ),
    "a new required body": (
        lambda d: add_body(d, required=True),
        "DELETE /api/{user_id}/tasks/{task_id}: request body: is required now",
    ),
    "a body": (
        lambda d: d["paths"][TASKS]["post"].pop("requestBody"),
        "POST /api/{user_id}/tasks: request body: is gone",
    ),
    "a media type of a request": (
        lambda d: d["paths"][TASK]["patch"]["requestBody"]["content"].pop("application/merge-patch+json"),
        "PATCH /api/{user_id}/tasks/{task_id}: request body: application/merge-patch+json is gone",
    ),
    "a media type of a response": (
        lambda d: d["paths"][TASK]["get"]["responses"]["404"]["content"].pop("application/problem+json"),
        "GET /api/{user_id}/tasks/{task_id}: response 404: application/problem+json is gone",
    ),
    "a successful response": (
        lambda d: d["paths"][TASK]["get"]["responses"].pop("304"),
        "GET /api/{user_id}/tasks/{task_id}: response 304: is gone",
    ),
    "a header of a response": (
        lambda d: d["paths"][TASK]["get"]["responses"]["200"]["headers"].pop("ETag"),
        "GET /api/{user_id}/tasks/{task_id}: response 200 header ETag: is gone",
    ),
    "a member of a response": (
        lambda d: schema(d, "TaskRead")["properties"].pop("version"),
        "GET /api/{user_id}/tasks: response 200/*/version: is gone",
    ),
    "a member of a response that may be missing": (
        lambda d: schema(d, "TaskRead")["required"].remove("version"),
        "GET /api/{user_id}/tasks/{task_id}: response 200/version: may be missing now",
    ),
    "a member of a problem": (
        lambda d: schema(d, "Problem")["properties"].pop("code"),
        "GET /api/{user_id}/stats: response 401/code: is gone",
    ),
    "null in a response": (
        lambda d: member(d, "TaskRead.category").update(type=["string", "null"]),
        "GET /api/{user_id}/tasks/{task_id}: response 200/category: may now be null",
    ),
    "the type of a response's member": (
        lambda d: member(d, "Stats.total").update(type="number"),
        "GET /api/{user_id}/stats: response 200/total: may now be number",
    ),
    "a format of a response's member": (
        lambda d: member(d, "TaskRead.id").pop("format"),
        "GET /api/{user_id}/tasks/{task_id}: response 200/id: format is not set, and was 'uuid'",
    ),
    "a new value in a response": (
        lambda d: schema(d, "Status")["enum"].append("started"),
        "GET /api/{user_id}/tasks/{task_id}: response 200/status: may now be 'started'",
    ),
    "any value in a response": (
        lambda d: schema(d, "Status").pop("enum"),
        "GET /api/{user_id}/tasks/{task_id}: response 200/status: may now be other than 'pending', 'completed'",
    ),
    "credentials": (
        lambda d: d["paths"]["/health/live"]["get"].update(security=[{"token": []}]),
        "GET /health/live: security: a request without new credentials is refused",
    ),
}

COMPATIBLE: dict[str, Change] = {
    "nothing": lambda _: None,
    "a new operation": lambda d: d["paths"].update({"/api/{user_id}/lists": d["paths"][TASKS]}),
    "the name of a path parameter": rename_path_parameter,
    "a new parameter": lambda d: add_parameter(d, required=False),
    "a new body": lambda d: add_body(d, required=False),
    "a wider bound": lambda d: parameter(d, "limit")["schema"].update(maximum=2000, minimum=0),
    "a bound that is gone": lambda d: member(d, "TaskCreate.title").pop("maxLength"),
    "a wider type of a request": lambda d: parameter(d, "limit")["schema"].update(type="number"),
    "null in a request": lambda d: member(d, "TaskPatch.category").update(type=["string", "null"]),
    "a new value of a parameter": lambda d: schema(d, "SortBy")["enum"].append("category"),
    "a new member of a request": lambda d: schema(d, "TaskPatch")["properties"].update(color={"type": "string"}),
    "a member of a request that became optional": lambda d: schema(d, "TaskCreate").pop("required"),
    "unknown members of a request": lambda d: schema(d, "TaskPatch").pop("additionalProperties"),
    "a new media type": lambda d: d["paths"][TASKS]["post"]["requestBody"]["content"].update({"text/plain": {}}),
    "a new status": lambda d: d["paths"][TASKS]["get"]["responses"].update({"429": {"description": "Slow down."}}),
    "an error that is gone": lambda d: d["paths"][TASKS]["get"]["responses"].pop("503"),
    "a new member of a response": lambda d: schema(d, "TaskRead")["properties"].update(color={"type": "string"}),
    "no more null in a response": lambda d: member(d, "TaskRead.description")["anyOf"].pop(),
    "a narrower format of a response": lambda d: member(d, "TaskRead.userId").update(format="uuid"),
    "other words": lambda d: schema(d, "TaskRead").update(title="Task", description="A task.", examples=[]),
    "other defaults": lambda d: member(d, "TaskCreate.category").update(default="inbox"),
}


@pytest.mark.parametrize("kind", BREAKING)
def test_what_breaks_a_client_is_found(kind: str) -> None:
    change, finding = BREAKING[kind]

    assert finding in breaking_changes(DOCUMENT, changed(change))


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_what_breaks_no_client_is_passed(kind: str) -> None:
    assert breaking_changes(DOCUMENT, changed(COMPATIBLE[kind])) == []


def test_one_change_is_one_finding_for_each_place() -> None:
    def change(document: Json) -> None:
        member(document, "TaskCreate.title")["maxLength"] = 100

    assert breaking_changes(DOCUMENT, changed(change)) == [
        "POST /api/{user_id}/tasks: request body/title: maxLength is 100, and was 255"
    ]


def test_a_change_of_two_media_types_is_one_finding() -> None:
    assert breaking_changes(DOCUMENT, changed(lambda d: member(d, "TaskPatch.title").update(maxLength=100))) == [
        "PATCH /api/{user_id}/tasks/{task_id}: request body/title: maxLength is 100, and was 255"
    ]


def test_a_schema_that_holds_itself_is_compared() -> None:
    def hold_itself(document: Json) -> None:
        children = {"type": "array", "items": {"$ref": "#/components/schemas/TaskRead"}}
        schema(document, "TaskRead")["properties"]["children"] = children

    old = changed(hold_itself)
    new = copy.deepcopy(old)
    del schema(new, "TaskRead")["properties"]["version"]

    assert "GET /api/{user_id}/tasks/{task_id}: response 200/version: is gone" in breaking_changes(old, new)


def test_unnamed_members_of_a_response_are_compared() -> None:
    old = changed(lambda d: schema(d, "Stats").update(additionalProperties={"type": "integer"}))
    new = changed(lambda d: schema(d, "Stats").update(additionalProperties={"type": "number"}))

    assert breaking_changes(old, new) == ["GET /api/{user_id}/stats: response 200/*: may now be number"]
    assert breaking_changes(new, old) == []


def test_a_schema_that_it_cannot_compare_is_an_error() -> None:
    new = changed(lambda d: schema(d, "TaskCreate").update(allOf=[{"type": "object"}]))

    with pytest.raises(NotImplementedError, match="allOf"):
        breaking_changes(DOCUMENT, new)


CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Changed\n\n- Faster.\n{}\n## [0.1.0]\n\n- **Breaking:** All.\n"
ANNOUNCEMENT = "- **Breaking:** A title has at most 100 characters,\n  and no line breaks.\n"


@pytest.mark.parametrize(
    "changelog",
    [
        "",
        CHANGELOG.format(""),
        CHANGELOG.format("- Not **Breaking:** at all.\n"),
        CHANGELOG.replace("[Unreleased]", "[0.2.0]").format(ANNOUNCEMENT),
    ],
)
def test_only_an_unreleased_entry_announces(changelog: str) -> None:
    assert breaking.announcements(changelog) == set()


def test_an_announcement_is_read_whole() -> None:
    assert breaking.announcements(CHANGELOG.format(ANNOUNCEMENT)) == {ANNOUNCEMENT[2:-1]}


class Repository:
    """A clone of a repository whose main has one commit, with the description and a changelog."""

    def __init__(self, folder: Path) -> None:
        self._origin, self.root = folder / "origin", folder / "clone"
        (self._origin / "backend").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", where=self._origin)
        self.root = self._origin
        self.describe(lambda _: None)
        self.announce("")
        self.commit()
        self.root = folder / "clone"
        self.git("clone", "--quiet", str(self._origin), str(self.root), where=folder)

    def git(self, *arguments: str, where: Path | None = None) -> None:
        author = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(["git", *author, *arguments], cwd=where or self.root, check=True, capture_output=True)

    def describe(self, change: Change) -> None:
        (self.root / breaking.DESCRIPTION).write_text(json.dumps(changed(change)))

    def announce(self, entry: str) -> None:
        (self.root / breaking.CHANGELOG).write_text(CHANGELOG.format(entry))

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change")

    def check(self) -> int:
        return breaking.main(self.root)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def narrow(document: Json) -> None:
    member(document, "TaskCreate.title")["maxLength"] = 100


def narrow_more(document: Json) -> None:
    member(document, "TaskCreate.title")["maxLength"] = 50


def test_nothing_breaks_without_a_change(repository: Repository) -> None:
    assert repository.check() == 0


def test_a_change_fails_before_it_is_committed(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.describe(narrow)

    assert repository.check() == 1
    assert "request body/title: maxLength is 100, and was 255" in capsys.readouterr().out


def test_a_change_passes_once_it_is_announced(repository: Repository) -> None:
    repository.describe(narrow)
    repository.announce(ANNOUNCEMENT)

    assert repository.check() == 0


def test_a_branch_is_compared_with_where_it_left_main(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.describe(narrow)
    repository.commit()
    repository.commit()

    assert repository.check() == 1


def test_main_is_compared_with_the_commit_before(repository: Repository) -> None:
    repository.describe(narrow)
    repository.commit()
    repository.git("push", "--quiet", "origin", "HEAD:refs/heads/merged")
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")

    assert repository.check() == 1


def test_an_announcement_counts_once(repository: Repository) -> None:
    repository.describe(narrow)
    repository.announce(ANNOUNCEMENT)
    repository.commit()
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.describe(narrow_more)

    assert repository.check() == 1


def test_a_repository_without_a_remote_is_compared_with_the_commit_before(repository: Repository) -> None:
    repository.git("remote", "remove", "origin")
    repository.describe(narrow)
    repository.commit()

    assert repository.check() == 1


def test_the_first_description_breaks_nothing(repository: Repository) -> None:
    repository.git("rm", "--quiet", "--cached", breaking.DESCRIPTION)
    repository.git("commit", "--quiet", "--message", "Describe nothing")
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.describe(narrow)

    assert repository.check() == 0


def test_the_first_commit_breaks_nothing(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "new")
    repository.git("remote", "remove", "origin")
    repository.commit()

    assert repository.check() == 0


def test_a_shallow_clone_says_that_nothing_was_compared(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit()
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(shallow))

    assert breaking.main(shallow) == 0
    assert capsys.readouterr().out.startswith("NOT RUN")


def test_a_folder_without_a_history_says_that_nothing_was_compared(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("archive", "--output", str(tmp_path / "release.tar"), "HEAD")
    release = tmp_path / "release"
    release.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "release.tar", "-C", release], check=True)

    assert breaking.main(release) == 0
    assert capsys.readouterr().out.startswith("NOT RUN")


def test_a_folder_in_another_repository_has_no_history(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert breaking.main(repository.root / "backend") == 0
    assert capsys.readouterr().out.startswith("NOT RUN")
