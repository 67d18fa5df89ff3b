"""Every error of the API as an exception. `http/problems.py` renders them (RFC 9457).

Problem
├── MalformedRequest        400
├── Unauthenticated         401
│   ├── MissingToken
│   ├── InvalidToken
│   └── AccountGone
├── NotTheCaller            403
├── OriginNotAllowed        403
├── NotFound                404
│   └── TaskNotFound
├── MethodNotAllowed        405
├── TooManyTasks            409
├── PreconditionFailed      412
├── ContentTooLarge         413
├── URITooLong              414
├── UnsupportedMediaType    415
│   └── UnsupportedContentCoding
├── InvalidValues           422
├── IdempotencyKeyReused    422
├── HeadersTooLarge         431
├── InternalError           500
├── UnsupportedTransferCoding 501
└── Unavailable             503
    ├── DatabaseUnavailable
    ├── KeysUnavailable
    └── NotReady

A class's docstring is the message that users of the API read, unless the code that raises it gives a better one.
`http/explanations.py` says when each code occurs and what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import ClassVar


class Refusal(Exception):
    """A command cannot do what it was asked. The message says in one line what is wrong or what to do."""


@dataclass(frozen=True)
class Fault:
    """One invalid value: a member of the body or a parameter, and what is wrong with it."""

    pointer: str  # `/title`, `/limit`; empty for the body as a whole
    detail: str


class Problem(Exception):
    """The request could not be answered."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}
    faults: Sequence[Fault] = ()

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or cleandoc(type(self).__doc__ or "")
        super().__init__(self.detail)


class MalformedRequest(Problem):
    """The request could not be read."""

    status, code, title = 400, "malformed-request", "Malformed request"


class Unauthenticated(Problem):
    """The request carries no valid token."""

    status, code, title = 401, "unauthenticated", "Not signed in"
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class MissingToken(Unauthenticated):
    """Send a token in the header `Authorization: Bearer <token>`."""

    code, title = "missing-token", "No token"
    # RFC 6750, section 3.1: no error code where the request carried no credentials at all.
    headers = {"WWW-Authenticate": "Bearer"}


class InvalidToken(Unauthenticated):
    """The token is not valid or has expired; sign in again or fetch a new one."""

    code, title = "invalid-token", "Invalid token"


class AccountGone(Unauthenticated):
    """The token is genuine, but its account has been deleted."""

    code, title = "account-gone", "Account deleted"


class NotTheCaller(Problem):
    """The user id in the path is not the caller's own; use your own id or `me`."""

    status, code, title = 403, "not-the-caller", "Not the caller"


class OriginNotAllowed(Problem):
    """Pages of this origin may not call the API; its operator can add the origin to CORS_ORIGINS."""

    status, code, title = 403, "origin-not-allowed", "Origin not allowed"


class NotFound(Problem):
    """There is nothing at this path."""

    status, code, title = 404, "not-found", "Not found"


class TaskNotFound(NotFound):
    """There is no task with this id."""

    code, title = "task-not-found", "Task not found"


class MethodNotAllowed(Problem):
    """This path does not support this method; the Allow header names those it does."""

    status, code, title = 405, "method-not-allowed", "Method not allowed"


class TooManyTasks(Problem):
    """The account has reached its limit of tasks; delete some to make room."""

    status, code, title = 409, "too-many-tasks", "Too many tasks"


class PreconditionFailed(Problem):
    """The task is not at a version that the request allows; fetch it again and repeat the change."""

    status, code, title = 412, "precondition-failed", "Precondition failed"


class ContentTooLarge(Problem):
    """The request body is larger than 128 KiB."""

    status, code, title = 413, "content-too-large", "Content too large"


class URITooLong(Problem):
    """The path is longer than 2 KiB, or the query string is longer than 8 KiB."""

    status, code, title = 414, "uri-too-long", "URI too long"


class UnsupportedMediaType(Problem):
    """Send the body as `Content-Type: application/json`."""

    status, code, title = 415, "unsupported-media-type", "Unsupported media type"


MAX_FAULTS = 20


class UnsupportedContentCoding(UnsupportedMediaType):
    """Send the body as it is, without a `Content-Encoding` such as gzip."""

    code, title = "unsupported-content-coding", "Unsupported content coding"
    headers = {"Accept-Encoding": "identity"}  # RFC 9110, section 15.5.16


class InvalidValues(Problem):
    """Some values are not valid."""

    status, code, title = 422, "invalid-values", "Invalid values"

    def __init__(self, *faults: Fault) -> None:
        """Only the first MAX_FAULTS are named. The detail says how many more there are."""
        self.faults = faults[:MAX_FAULTS]
        place = faults[0].pointer
        detail = f"{(place[1:] or 'the empty name') if place else 'the body'}: {faults[0].detail}"
        if len(faults) > 1:
            more = len(faults) - MAX_FAULTS
            unnamed = f", {more} more than are named here" if more > 0 else ""
            detail = f"{len(faults)} values are not valid{unnamed}; the first is {detail}"
        super().__init__(detail)


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key came with another request before; send a new key with each new request."""

    status, code, title = 422, "idempotency-key-reused", "Idempotency key reused"


class HeadersTooLarge(Problem):
    """The request headers are larger than 32 KiB."""

    status, code, title = 431, "headers-too-large", "Request headers too large"


class InternalError(Problem):
    """Something went wrong on our side; the request id helps to find out what."""

    status, code, title = 500, "internal-error", "Internal error"


class UnsupportedTransferCoding(Problem):
    """The service takes no `Transfer-Encoding` but `chunked`."""

    status, code, title = 501, "unsupported-transfer-coding", "Unsupported transfer coding"


class Unavailable(Problem):
    """The service cannot answer right now; try again shortly."""

    status, code, title = 503, "unavailable", "Service unavailable"
    headers = {"Retry-After": "1"}


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached or is too busy right now; try again shortly."""

    code, title = "database-unavailable", "Database unavailable"


class KeysUnavailable(Unavailable):
    """The keys that verify tokens cannot be fetched right now; try again shortly."""

    code, title = "keys-unavailable", "Keys unavailable"


class NotReady(Unavailable):
    """The database has not been migrated to the schema this release needs."""

    code, title = "not-ready", "Not ready"
