"""Run the `tasks` command in this process, for tests of what it says, not of how it starts or ends."""

import os
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from signal import getsignal, signal
from typing import NamedTuple
from unittest.mock import patch

from backend.commands import cli, signals
from processes import only_complaint


class Outcome(NamedTuple):
    status: int
    stdout: str
    stderr: str

    def complaint(self) -> str:
        """The one line that a command prints when it refuses."""
        return only_complaint(self.status, self.stdout, self.stderr)


def run(folder: Path, *arguments: str | Path, **variables: str) -> Outcome:
    """Run it in a folder with these environment variables. No event loop may be running."""
    stdout, stderr = StringIO(), StringIO()
    handlers = {number: getsignal(number) for number in signals.ALL}
    try:
        with (
            chdir(folder),
            patch.dict(os.environ, variables),
            redirect_stdout(stdout),
            redirect_stderr(stderr),
        ):
            status = cli.main([*map(str, arguments)])
    finally:
        for number, handler in handlers.items():
            signal(number, handler)
    return Outcome(status, stdout.getvalue(), stderr.getvalue())
