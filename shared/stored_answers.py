"""Another system's answers to one's own data, read from a file and scored as a specialist's are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from shared import runs
from shared.boards.layout import CONF
from shared.boards.prices import find_price, read_prices
from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError, DataError, UserError
from shared.examples import aligned


@dataclass(frozen=True)
class StoredAnswers:
    """One run of a system whose answers to a split are in a file, and what of it costs money."""

    name: str
    file: str
    run: int  # counted from 1; the runs of one name become one row
    priced_as: str  # a model of conf/prices, '' for none
    input_tokens: float | None  # of an example, in the mean
    output_tokens: float | None

    kind: ClassVar[str] = "replayed"

    def __post_init__(self) -> None:
        """Raise `ConfigError` for what is missing, and `UserError` for a model that has no price."""
        problems = [f"baseline.{key} is empty" for key in ("name", "file") if not getattr(self, key)]
        tokens = (self.input_tokens, self.output_tokens)
        if self.priced_as and None in tokens:
            problems.append(
                "baseline.priced_as takes baseline.input_tokens and baseline.output_tokens with it"
            )
        if problems:
            raise ConfigError(problems)
        if self.priced_as:
            find_price(self.priced_as, read_prices(CONF))

    def answer(self, data: DataAdapter, examples: Sequence[Any]) -> Answers:
        """Return the file's answers in the order of the examples.

        Raises `DataError` for an example without one, or for one that is not asked, comes twice or is of
        another task.
        """
        path = Path(self.file).expanduser()
        if not path.is_file():
            raise DataError(f"no such file; it should hold the answers of {self.name}", file=path)
        given = runs.read_predictions(path)
        try:
            pairs = aligned(examples, given)
        except UserError as error:
            raise DataError(str(error), file=path) from error
        notes: dict[str, Any] = {"run": self.run}
        if self.priced_as:
            notes |= {
                "priced_as": self.priced_as,
                "input_tokens": self.input_tokens,
                "output_tokens": self.output_tokens,
            }
        return Answers([answer for _, answer in pairs], notes)
