"""What `tasks dev` prints when everything is ready: what to open, and how to call the API."""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

# What a token is made of, so both commands need the same. The front end's port is in the issuer's address.
_OF_TOKENS = ("FRONTEND_PORT", "BETTER_AUTH_URL", "JWT_ISSUER", "JWT_AUDIENCE")


@dataclass(frozen=True, kw_only=True)
class Greeting:
    """As text it is what is printed."""

    why_alone: str | None
    app_url: str | None
    api_url: str
    data: Path
    user: str | None
    """Whose token to print; None if the API does not accept tokens that are made here."""
    by_make: bool

    def __str__(self) -> str:
        lines = [
            *([f"{self.why_alone} The API runs alone.", ""] if self.why_alone else []),
            *([f"Open   {self.app_url}"] if self.app_url else []),
            f"Docs   {self.api_url}/docs",
            f"API    {self.api_url}",
            f"Data   {self.data}",
            "",
            *self._first_call(),
            "Ctrl-C stops everything.",
        ]
        return "\n".join(["", *(f"  {line}".rstrip(" ") for line in lines), ""])

    def _first_call(self) -> list[str]:
        if not self.user:
            url = f"{self.app_url}/api/auth/token"
            return [f"For a token, sign in to the app and open {url}", ""] if self.app_url else []
        lines = [
            f"Call the API from another terminal{', in this folder' if self.by_make else ''}:",
            f"  {self._assignment()}",
            f'  curl -H "Authorization: Bearer $TOKEN" {self.api_url}/api/me/tasks',
            "",
        ]
        if os.environ.get("BETTER_AUTH_SECRET"):
            lines += ["That terminal needs the same BETTER_AUTH_SECRET as this one.", ""]
        if self.app_url:
            lines += [
                f"These are tasks of the user `{self.user}`, which the app does not show. To share your tasks",
                "between the app and curl, sign up in the app, and then:",
                f"  {self._assignment('you@example.com')}",
                "",
            ]
        return lines

    def _assignment(self, user: str | None = None) -> str:
        """Of a token to the shell's variable."""
        same = [f"{name}={shlex.quote(value)}" for name in _OF_TOKENS if (value := os.environ.get(name))]
        if self.by_make:
            command = ["make", "-s", "token", *([f"USER_ID={user}"] if user else [])]
        else:
            command = [sys.argv[0], "token", "--data", str(self.data), *([user] if user else [])]
        return f"TOKEN=$({' '.join([*same, *map(shlex.quote, command)])})"
