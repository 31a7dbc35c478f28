"""The content of one file; what cannot be read or is not UTF-8 is a `DataError`."""

from __future__ import annotations

from pathlib import Path

from shared.errors import DataError
from shared.files import read_lines


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error


def read_text(path: Path) -> str:
    """Return the file's text, line ends kept; the error names the line."""
    return "".join(line for _, line in read_lines(path))
