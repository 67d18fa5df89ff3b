from pydantic import BaseModel


class Fault(BaseModel):
    """One invalid value: a member of the body or a parameter, and what is wrong with it."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457). `code` is stable; `errors` is there for invalid values only."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    requestId: str
    errors: list[Fault] = []
