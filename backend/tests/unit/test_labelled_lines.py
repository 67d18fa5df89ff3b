"""The log that two programs write into."""

import sys
from io import StringIO

import pytest

from backend.logs import Labelled


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def written(output: StringIO, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdout", output)
    Labelled("web").write(text)
    return output.getvalue()


def test_every_line_of_a_text_is_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(StringIO(), "one\n\ntwo\n", monkeypatch) == "web │ one\nweb │ \nweb │ two\n"


def test_a_line_without_end_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(StringIO(), "last words", monkeypatch) == "web │ last words\n"


def test_the_label_is_in_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert written(Terminal(), "one\n", monkeypatch) == "\033[35mweb │\033[0m one\n"


def test_who_wants_no_colours_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert written(Terminal(), "one\n", monkeypatch) == "web │ one\n"
