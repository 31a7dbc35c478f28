"""Files that grow by a JSON object a line, each on the disk before anything else happens."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from shared.errors import DataError, UserError


def read_log(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object); a last line without an end was being written, and is left out."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"not JSON: {error}", file=path, line=number) from error
            if not isinstance(row, dict):
                raise DataError(f"no JSON object: {line[:80]!r}", file=path, line=number)
            yield number, row


class Log:
    """A file that one process at a time appends to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = _open(path)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write the rows and wait until they are on the disk; raises `UserError` where they cannot be."""
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        try:
            self.file.write(text.encode())
            self.file.flush()
            os.fsync(self.file.fileno())
        except OSError as error:
            raise UserError(f"cannot write {self.path}: {error}; what stood there is unchanged") from error


def _open(path: Path) -> BinaryIO:
    """Return the file to append to, locked, without a torn last line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise UserError(f"{path}: another process writes to it; wait for it, or stop it") from error
    file.truncate(_whole(path))
    return file


def _whole(path: Path) -> int:
    """Return how many bytes there are up to the end of the last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65_536)
            file.seek(start)
            place = file.read(end - start).rfind(b"\n")
            if place >= 0:
                return start + place + 1
            end = start
    return 0
