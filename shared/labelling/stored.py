"""A teacher whose replies lie in a file: what any model said, by whatever program asked it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from shared.errors import ConfigError, DataError
from shared.labelling.contracts import Answer, Work
from shared.labelling.replies import read_answer
from shared.table_files import check_known, json_rows, read_text, take_id

_KEYS = ("id", "reply", "input_tokens", "output_tokens", "dollars")


@dataclass(frozen=True)
class Stored:
    """JSON lines of {"id", "reply", "input_tokens"?, "output_tokens"?, "dollars"?}."""

    name: str  # by which its answers are known; '' for the file's
    file: str

    key_variable: ClassVar[str] = ""

    @property
    def by(self) -> str:
        """The teacher's name."""
        return self.name or Path(self.file).stem

    def plan(self, work: Work) -> str:
        """Return how many texts have a reply."""
        return f"{self.by}: replies of {self.file}, for {len(work.left(self.by)):,} texts"

    def ask(self, work: Work) -> Iterator[Sequence[Answer]]:
        """Yield the answers; texts without a reply are left out, a reply to no text is a `DataError`."""
        if not self.file:
            raise ConfigError(["teacher.file is empty: name the file of replies"])
        examples = {example.id: example for example in work.examples}
        waiting = {example.id for example in work.left(self.by)}
        taken: dict[str, int] = {}
        answers = []
        for line, row in json_rows(Path(self.file).expanduser()):
            fault = partial(DataError, file=self.file, line=line)
            check_known(row, _KEYS, fault, noun="key")
            name = take_id(str(row.get("id")), line=line, taken=taken, fault=fault)
            if name not in examples:
                raise fault(f"a reply to {name!r}, which is no text of {work.folder}")
            if name in waiting:
                answers.append(self._answer(row, read_text(row, "reply", fault), examples[name], work))
        yield answers

    def _answer(self, row: Mapping[str, Any], reply: str, example: Any, work: Work) -> Answer:
        read, written, dollars = (float(row.get(key) or 0) for key in _KEYS[2:])
        paid = Answer(
            str(row["id"]), self.by, None, input_tokens=read, output_tokens=written, dollars=dollars
        )
        return read_answer(reply, "", example, work.form, paid)
