"""The texts that wait for a person: those that `predict` gave no answer to, or not a whole one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from shared.errors import DataError, UserError
from shared.files import write_text_atomic
from shared.verb_config import PredictConfig


class ReviewQueue:
    """A file of JSON lines, one a text, in the order of the input."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def add(self, number: int, example: Any, reason: str, *, answer: dict[str, Any]) -> None:
        """Write the text of this row of the input, why there is no answer, and what there is, unsure.

        Called before the answer is written, so that a killed process loses no text that waits.
        """
        row = {"row": number, "id": example.id, "text": example.text, "why": reason}
        self.file.write(json.dumps({**row, "answer": answer}, ensure_ascii=False) + "\n")
        self.file.flush()


@contextmanager
def open_queue(config: PredictConfig, *, done: int) -> Iterator[ReviewQueue | None]:
    """Yield the queue, None where none is asked for; texts behind the `done` rows are written again."""
    if not config.abstained:
        yield None
        return
    path = Path(config.abstained)
    if path.exists() and not config.resume:
        raise UserError(
            f"{path} exists already: remove it, choose another, or go on with predict.resume=true"
        )
    write_text_atomic(path, "".join(_rows_done(path, done=done)))
    with path.open("a", encoding="utf-8") as file:
        yield ReviewQueue(file)


def _rows_done(path: Path, *, done: int) -> Iterator[str]:
    """Yield the whole lines about the rows done; the last line may be torn."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            return
        try:
            row = json.loads(line)["row"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"no row that `predict` wrote: {line[:80]!r}", file=path, line=number) from error
        if row <= done:
            yield line.decode("utf-8")
