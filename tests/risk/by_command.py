"""The commands of the estimate as somebody types them, run here: starting another Python takes three seconds each."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from unittest.mock import patch

from risk.__main__ import main


@dataclass(frozen=True)
class Told:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: object) -> Told:
    """`python -m risk WORDS`; what nobody foresaw is raised, not told."""
    out, err = StringIO(), StringIO()
    with patch.object(sys, "argv", ["risk", *map(str, words)]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code
    return Told(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())
