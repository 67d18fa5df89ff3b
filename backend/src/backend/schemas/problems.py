from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

_EXAMPLE: JsonDict = {
    "type": "/errors/invalid-values",
    "title": "Invalid values",
    "status": 422,
    "detail": "title: is required.",
    "code": "invalid-values",
    "requestId": "d4daa096bf3dcd81",
    "errors": [{"pointer": "/title", "detail": "is required."}],
}


class Fault(BaseModel):
    """One invalid value: a member of the body or a parameter, and what is wrong with it."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457). `code` is stable; `errors` is there for invalid values only."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    type: str
    title: str
    status: int
    detail: str
    code: str
    requestId: str
    errors: list[Fault] = []
