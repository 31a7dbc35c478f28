"""A function of this project, run in a process that has nothing of this one.

Importing torch, transformers and peft takes longer than most of what such a process does. Where it needs
them it is therefore forked, on Linux, from a server that has only imported them: a sweep waits for that once.
Not so beside a GPU: importing them asks for its devices, and what is forked after that cannot use them.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

IMPORTED = ["shared.adapters"]  # by the server, once
Found = TypeVar("Found")


class FreshProcessError(Exception):
    """The process failed or died; says what it said."""


def in_fresh_process(function: Callable[..., Found], *arguments: Any, torch: bool) -> Found:
    """Return what the function returns there, with torch imported already or without; arguments are pickled.

    Raises `FreshProcessError` with what the process said where it fails or dies.
    """
    context: BaseContext = multiprocessing.get_context("spawn")
    if torch and sys.platform == "linux" and _on_cpu():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        said.touch()
        with ProcessPoolExecutor(1, context, initializer=_say_into, initargs=(said,)) as pool:
            # A new process imports the program that started this one, which would run again where a script
            # has no `if __name__ == "__main__"`: what is asked for here never needs it.
            program = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                found = pool.submit(function, *arguments)
            finally:
                sys.modules["__main__"] = program
            try:
                return found.result()
            except Exception as error:
                there = error.__cause__ or error  # the cause is the traceback of the new process, as text
                words = said.read_text(encoding="utf-8", errors="replace")
                raise FreshProcessError(f"{words}{there}") from error


def _on_cpu() -> bool:
    from shared.model import best_device

    return best_device().type == "cpu"


def _say_into(path: Path) -> None:
    """Let what this process prints go into the file, also what libraries in C do."""
    stream = os.open(path, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(stream, number)
