"""The errors a user can cause; each is printed without a traceback and ends the command with exit code 2."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

NAMED = 8  # concepts, files or problems named in one message


class UserError(Exception):
    """A mistake in what the user gave: what is wrong, where, what was found, what is allowed."""


class ConfigError(UserError):
    """One or more mistakes in the configuration, all of them reported at once."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


class DataError(UserError):
    """A fault in a data file, with its place."""

    def __init__(self, problem: str, *, file: Path | str, line: int | None = None) -> None:
        self.file, self.line = str(file), line
        place = f"{file}:{line}" if line is not None else str(file)
        super().__init__(f"{place}: {problem}")


class BundleError(UserError):
    """A bundle that is missing, damaged, or made for another base, task or label set."""


def few(names: Sequence[str], *, most: int = NAMED, separator: str = ", ") -> str:
    """Return the names, of many only the first `most` and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def suggest(given: str, allowed: Iterable[str]) -> str:
    """Return ' (did you mean X?)' for the closest allowed name, or '' when none is close."""
    close = difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
