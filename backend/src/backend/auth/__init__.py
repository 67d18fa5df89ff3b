"""From the token of a request to the person who sent it. Nothing in here knows of tasks."""

from backend.auth.authenticator import Authenticator
from backend.auth.tokens import InvalidToken, MissingToken, Principal

__all__ = ["Authenticator", "InvalidToken", "MissingToken", "Principal"]
