"""The request header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07) of a POST."""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from backend.errors import MalformedRequest
from backend.models.idempotency import LIFETIME, MAX_KEY_LENGTH
from backend.schemas.idempotency import Key

# A string of RFC 9651, section 3.3.3. Without its quotes it is visible ASCII that needs none.
_FORM = rf"""^("([ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY_LENGTH}}}"|[!#-+\--:<-\[\]-~]{{1,{MAX_KEY_LENGTH}}})$"""
_READABLE = re.compile(_FORM)

_DESCRIPTION = f"""\
Makes the request safe to repeat: send a new key, such as a UUID, with each new request, and the same one with each
repetition. For {LIFETIME} a repetition does nothing and gets the first answer, with `Idempotent-Replayed: true`.
"""

type KeyOf = Callable[[BaseModel], Key | None]


async def _idempotency(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description=_DESCRIPTION,
            json_schema_extra={"pattern": _FORM, "examples": ['"8e03978e-40d5-43e8-bc93-6894a57f9324"']},
        ),
    ] = None,
) -> KeyOf:
    if idempotency_key is None:
        return lambda _: None
    field = idempotency_key.strip(" \t")
    if not _READABLE.fullmatch(field) or len(request.headers.getlist("idempotency-key")) > 1:
        raise MalformedRequest(
            f"Idempotency-Key takes one string of 1 to {MAX_KEY_LENGTH} ASCII characters, "
            'such as "8e03978e-40d5-43e8-bc93-6894a57f9324".'
        )
    key = re.sub(r"\\(.)", r"\1", field[1:-1]) if field.startswith('"') else field
    return lambda payload: Key(key, _fingerprint(request, payload))


def _fingerprint(request: Request, payload: BaseModel) -> bytes:
    """Of the method, the path and the members that were sent, as they were understood.

    Neither their order and form nor what is ignored counts, and a new default does not make a request another one.
    """
    content = payload.model_dump_json(exclude_unset=True, warnings=False)  # a due date has no serializer
    return sha256(f"{request.method} {request.scope['path']}\n{content}".encode()).digest()


Idempotency = Annotated[KeyOf, Depends(_idempotency)]
"""Gives the key of a request with a certain payload, for the service; None if the request has no key."""
