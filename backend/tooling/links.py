"""Check a built site.

Each link leads somewhere, each page is in the navigation, and the site loads its own files only.

    python -m tooling.links SITE

Addresses of other sites are not followed.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import override
from urllib.parse import unquote, urljoin, urlsplit

ORIGIN = "http://site"
FRONT = "index.html"
NAVIGATION = "md-nav__link"  # the class of its links


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors = {""}
        self.links: set[str] = set()
        self.resources: set[str] = set()
        self.navigation: set[str] = set()
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if "src" in attributes:
            self.resources.add(attributes["src"])
        if "href" in attributes:
            (self.links if tag == "a" else self.resources).add(attributes["href"])
            if NAVIGATION in attributes.get("class", "").split():
                self.navigation.add(attributes["href"])


def check(site: Path) -> Iterator[str]:
    """A sentence for each fault."""
    pages = {path.relative_to(site).as_posix(): Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    # The page that a server shows in place of others is at no address of its own.
    pages.pop("404.html", None)
    for name, page in pages.items():
        for resource in sorted(page.resources):
            if _target(name, resource) is None and not resource.startswith("data:"):
                yield f"{name} loads {resource}"
        for link in sorted(page.links | page.resources):
            target = _target(name, link)
            if target is None:
                continue
            path, anchor = target
            if not (site / path).is_file():
                yield f"{name} leads to {link}, which does not exist"
            elif path in pages and anchor not in pages[path].anchors:
                yield f"{name} leads to {link}, which has no such heading"
    shown = {target[0] for link in pages[FRONT].navigation if (target := _target(FRONT, link))}
    for name in sorted(pages.keys() - shown - {FRONT}):
        yield f"{name} is not in the navigation"


def _target(page: str, link: str) -> tuple[str, str] | None:
    """The file in the site and the anchor in it; None for an address elsewhere."""
    url = urlsplit(urljoin(f"{ORIGIN}/{page}", link))
    if f"{url.scheme}://{url.netloc}" != ORIGIN:
        return None
    path = unquote(url.path).removeprefix("/")
    return (path + FRONT if path.endswith("/") or not path else path), unquote(url.fragment)


if __name__ == "__main__":
    faults = list(check(Path(sys.argv[1])))
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(bool(faults))
