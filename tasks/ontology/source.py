"""The content of one file; what cannot be read or is not UTF-8 is a `DataError`."""

from __future__ import annotations

from pathlib import Path

from shared.errors import DataError
from shared.files import decode_line


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error


def read_text(path: Path) -> str:
    """Return the file's text, line ends kept; the error names the line."""
    lines = enumerate(read_bytes(path).splitlines(keepends=True), start=1)
    return "".join(decode_line(line, file=path, number=number) for number, line in lines)
