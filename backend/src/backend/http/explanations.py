"""What each error means and what to do about it, served where the `type` of a problem leads.

docs/errors.md has the same table; a test compares the two.
"""

from html import escape
from typing import NamedTuple

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from backend import errors
from backend.http import responses
from backend.http.pages import page, prefers_html, to_html


class Explanation(NamedTuple):
    """Two short texts for the client's developer, with code in backticks."""

    when: str
    remedy: str


EXPLANATIONS: dict[type[errors.Problem], Explanation] = {
    errors.MalformedRequest: Explanation(
        "The body is not JSON or not UTF-8, is nested too deeply, or names a member twice; the path or the query "
        "string is not UTF-8; the header `Host` is missing, there twice or not valid; or `Idempotency-Key` is not "
        "one string of 1 to 255 ASCII characters.",
        "Fix the client; `detail` names the place.",
    ),
    errors.MissingToken: Explanation(
        "There is no `Authorization` header, and no session cookie that the service would accept.",
        "Send `Authorization: Bearer <token>`.",
    ),
    errors.InvalidToken: Explanation(
        "The token has expired, was not signed with a trusted key, is for another issuer or audience, is of "
        "another kind, names a session that has ended, or is no token at all. With `ENVIRONMENT=development`, "
        "`detail` says which; otherwise only the log does.",
        "Fetch a new token from Better Auth and try once more. If that is refused too, the operator runs "
        "`tasks doctor --token`.",
    ),
    errors.AccountGone: Explanation(
        "The token is genuine, but its user has been deleted. Only creating a task reveals that; until the token "
        "expires, reads find no tasks.",
        "Sign the user out.",
    ),
    errors.NotTheCaller: Explanation(
        "The user id in the path is not the token's. The answer is the same for an id that does not exist.",
        "Use the caller's own id, or `me`.",
    ),
    errors.OriginNotAllowed: Explanation(
        "A browser asks on behalf of a page (a preflight) whose origin is not in `CORS_ORIGINS`; or a write came "
        "with a session cookie and without an `Origin` from there. Nothing was written.",
        "The operator adds the origin to `CORS_ORIGINS`.",
    ),
    errors.NotFound: Explanation(
        "There is nothing at this path. An extra slash at the end makes a different path.",
        "Correct the path.",
    ),
    errors.TaskNotFound: Explanation(
        "There is no such task, or it is another user's; the two look the same.",
        "Remove it from the list on the screen.",
    ),
    errors.MethodNotAllowed: Explanation(
        "The path exists, but not with this method.",
        "See the header `Allow`.",
    ),
    errors.TooManyTasks: Explanation(
        "The user has as many tasks as `MAX_TASKS_PER_USER` allows.",
        "Let the user delete some.",
    ),
    errors.PreconditionFailed: Explanation(
        "`If-Match` does not name the task's current version, or `If-None-Match` of a write does, as `*` always "
        "does; or one of them is not a list of entity tags.",
        "Fetch the task again, apply the change to it, and send the new `ETag`.",
    ),
    errors.ContentTooLarge: Explanation("The body is larger than 128 KiB.", "Send less."),
    errors.URITooLong: Explanation(
        "The path is longer than 2 KiB, or the query string is longer than 8 KiB.", "Send less."
    ),
    errors.UnsupportedMediaType: Explanation(
        "A body came without `Content-Type: application/json` (for `PATCH` of a task also "
        "`application/merge-patch+json`), or in a charset other than UTF-8.",
        "Set the header.",
    ),
    errors.UnsupportedContentCoding: Explanation(
        "The body came with a `Content-Encoding`, such as gzip.",
        "Send the body as it is. Bodies are small here.",
    ),
    errors.InvalidValues: Explanation(
        "A value is missing, unknown, there twice, of the wrong type or out of bounds; a cursor is for another "
        "order; the id of a task is not a UUID.",
        "Show each `detail` of `errors` beside its field.",
    ),
    errors.IdempotencyKeyReused: Explanation(
        "The same `Idempotency-Key` came with another method, path or body within 24 hours. Nothing was done.",
        "Send a new key with each new request, and the same one only to repeat a request unchanged.",
    ),
    errors.HeadersTooLarge: Explanation(
        "All request headers together are larger than 32 KiB.",
        "Send fewer or smaller headers. Often the cause is cookies, which this service needs for `session` only.",
    ),
    errors.InternalError: Explanation(
        "A bug in the service. A write may or may not have been done.",
        "Report it with the `requestId`.",
    ),
    errors.UnsupportedTransferCoding: Explanation(
        "The request came with a `Transfer-Encoding` other than `chunked`, such as `gzip, chunked`.",
        "Send the body as it is, with its length or chunked.",
    ),
    errors.DatabaseUnavailable: Explanation(
        "The database cannot be reached, does not answer in time, has no connection to spare, or a row is locked. "
        "A write may or may not have been done.",
        "Wait as long as `Retry-After` says and try again. Before you repeat a `POST` without an "
        "`Idempotency-Key`, or `/complete` without a body, look whether the first one was done.",
    ),
    errors.KeysUnavailable: Explanation(
        "The keys that verify tokens are not available: Better Auth is down, or lists none that can be fetched. "
        "The token may be good.",
        "Wait as long as `Retry-After` says and try again; do not sign the user out.",
    ),
    errors.NotReady: Explanation(
        "The database has no tables of this service, or they are older than this release needs, or the role lacks "
        "its rights, on them or on those tables of Better Auth that `AUTH_SOURCES` needs. `/health/ready` answers "
        "it, and so does a request that needs a new connection; `detail` says what is missing.",
        "The operator runs `tasks migrate`.",
    ),
}

_BY_CODE = {kind.code: kind for kind in EXPLANATIONS}


def install(api: FastAPI) -> None:
    @api.get("/errors", include_in_schema=False)
    async def every_error(request: Request) -> Response:
        if prefers_html(request):
            return page(request, "Errors", _list(request))
        return responses.document([_document(kind) for kind in EXPLANATIONS], {"Vary": "Accept"})

    @api.get("/errors/{code}", include_in_schema=False)
    async def one_error(request: Request, code: str) -> Response:
        """Raises NotFound."""
        kind = _BY_CODE.get(code)
        if kind is None:
            raise errors.NotFound
        if prefers_html(request):
            return page(request, kind.title, _article(kind))
        return responses.document(_document(kind), {"Vary": "Accept"})


def _document(kind: type[errors.Problem]) -> dict[str, object]:
    explanation = EXPLANATIONS[kind]
    return {
        "type": f"/errors/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
        "when": explanation.when,
        "whatToDo": explanation.remedy,
    }


def _list(request: Request) -> str:
    root = escape(request.scope.get("root_path", ""))
    entries = "\n".join(
        f'<li><a href="{root}/errors/{kind.code}">{kind.title}</a> '
        f'<span class="muted"><code>{kind.code}</code> {kind.status}</span></li>'
        for kind in EXPLANATIONS
    )
    return f"<h1>Errors</h1>\n<ul>\n{entries}\n</ul>"


def _article(kind: type[errors.Problem]) -> str:
    explanation = EXPLANATIONS[kind]
    return (
        f'<p class="muted">{kind.status} · <code>{kind.code}</code></p>\n<h1>{kind.title}</h1>\n'
        f"<h2>When</h2>\n<p>{to_html(explanation.when)}</p>\n"
        f"<h2>What to do</h2>\n<p>{to_html(explanation.remedy)}</p>"
    )
