from pydantic import BaseModel, ConfigDict

from backend.errors import Fault


class ProblemDetails(BaseModel):
    """Problem details (RFC 9457). `code` is stable; `errors` is there for invalid values only."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    code: str
    requestId: str
    errors: list[Fault] = []
