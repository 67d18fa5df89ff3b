"""Pages for people, beside JSON for programs: which of the two a client prefers, and the frame of a page."""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_QUALITY = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)

_STYLE = """
:root { color-scheme: light dark; --muted: light-dark(#57606a, #9aa4b0); --line: light-dark(#d8dee4, #343b44); }
body { margin: 0 auto; max-width: 42rem; padding: 3rem 1.25rem 4rem; font: 1rem/1.6 system-ui, sans-serif;
  color: light-dark(#1f2328, #e6edf3); background: light-dark(#fff, #14171c); overflow-wrap: break-word; }
h1 { margin: .25rem 0 1.5rem; font-size: 1.75rem; line-height: 1.25; }
h2 { margin: 2rem 0 .25rem; font-size: 1rem; }
p { margin: 0; }
.muted, nav { color: var(--muted); }
code { font: .9em ui-monospace, monospace; padding: .1em .3em; border-radius: .25rem;
  background: light-dark(#f0f2f4, #232931); }
a { color: light-dark(#0550ae, #79b8ff); text-underline-offset: .2em; }
ul { margin: 0; padding: 0; list-style: none; }
li { display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: 1rem; padding: .6rem 0;
  border-top: 1px solid var(--line); }
nav { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
"""

_POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
        "img-src data:",  # the empty icon, so that no browser asks for /favicon.ico
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


def prefers_html(request: Request) -> bool:
    """Whether the client asks for HTML rather than JSON (RFC 9110, section 12.5.1). Browsers do.

    An answer that depends on it has `Vary: Accept`.
    """
    ranges = _ranges(",".join(request.headers.getlist("accept")))
    html, json = _preference(ranges, "text/html"), _preference(ranges, "application/json")
    return html[0] > 0 and html > json


def _ranges(accept: str) -> dict[str, float]:
    """The media ranges of the header, each with its weight."""
    ranges = {}
    for item in accept.split(","):
        media_range, *parameters = item.split(";")
        weights = [_QUALITY.fullmatch(parameter) for parameter in parameters]
        ranges[media_range.strip().lower()] = next((float(weight[1]) for weight in weights if weight), 1.0)
    return ranges


def _preference(ranges: dict[str, float], media_type: str) -> tuple[float, int]:
    """The weight of a media type, and how exactly it is named: the most specific range decides."""
    kinds = ["*/*", f"{media_type.partition('/')[0]}/*", media_type]
    return max(
        ((specificity, ranges[kind]) for specificity, kind in enumerate(kinds) if kind in ranges),
        default=(-1, 0.0),
    )[::-1]


def page(request: Request, title: str, content: str) -> Response:
    """A page whose content is HTML already. It needs nothing but itself, and runs no script."""
    root = escape(request.scope.get("root_path", ""))
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<main>
{content}
</main>
<nav><a href="{root}/errors">All errors</a> · <a href="{root}/docs">API</a></nav>
</body>
</html>
""",
        headers={"Content-Security-Policy": _POLICY, "Vary": "Accept"},
    )


def to_html(text: str) -> str:
    """A sentence with `code` in backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
