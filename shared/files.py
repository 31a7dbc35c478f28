"""Files and folders that appear whole or not at all: written under another name, then renamed into place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from shared.errors import DataError, UserError

PARTIAL = ".partial"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, many times faster, where PyYAML has it


@contextmanager
def file_atomic(target: Path, *, failures: tuple[type[Exception], ...] = ()) -> Iterator[Path]:
    """Yield the path to write; it takes the place of `target` when the block ends without an error.

    Otherwise nothing is left of it, and what stood at `target` stays. An `OSError` (a full disk, a read-only
    folder) becomes a `UserError`; so do the `failures`, by which libraries report one in their own words.
    """
    partial = target.with_name(target.name + PARTIAL)
    with _write_errors(target, failures):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            _sync(partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def folder_atomic(target: Path, *, failures: tuple[type[Exception], ...] = ()) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the place of `target` when the block ends without an error.

    Errors are those of `file_atomic`. A folder that a killed process left behind is cleared first.
    """
    partial = target.with_name(target.name + PARTIAL)
    with _write_errors(target, failures):
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            yield partial
            for path in partial.rglob("*"):
                _sync(path)
            _replace_folder(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def file_sha256(path: Path) -> str:
    """Return the sha256 of the file, which is read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decode_line(line: bytes, *, file: Path | str, number: int) -> str:
    """Return the line, its end kept, without a byte order mark; what is not UTF-8 is a `DataError`."""
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} at column {error.start + 1}"
        raise DataError(f"not UTF-8: {found}; save the file as UTF-8", file=file, line=number) from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line with its end); a missing or not UTF-8 file is a `DataError`."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield number, decode_line(line, file=path, number=number)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error


def write_text_atomic(path: Path, text: str) -> None:
    """Write the text as UTF-8 with newlines unchanged; raises `UserError`, leaving nothing half written."""
    with file_atomic(path) as partial:
        partial.write_bytes(text.encode())


def write_json_atomic(path: Path, value: Any) -> None:
    """Write the value as indented JSON with a final newline, as `write_text_atomic` does."""
    write_text_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def _write_errors(target: Path, failures: tuple[type[Exception], ...]) -> Iterator[None]:
    expected: tuple[type[Exception], ...] = (OSError, *failures)
    try:
        yield
    except expected as error:
        raise UserError(
            f"cannot write {target}: {error}; what stood there before is unchanged: "
            "make room or choose another folder, then run the command again"
        ) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace_folder(partial: Path, target: Path) -> None:
    """Rename `partial` to `target`; the old folder is moved aside first, since rename cannot replace one."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.replace(target, old)
    os.replace(partial, target)
    shutil.rmtree(old, ignore_errors=True)


def read_yaml(path: Path) -> Any:
    """Return what the YAML file holds, as plain values; raises `UserError` when it cannot be read."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
