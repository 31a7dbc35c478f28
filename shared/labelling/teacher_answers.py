"""What a teacher answered to a split, as a row: the large model that one would otherwise call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from shared.boards.layout import CONF
from shared.boards.prices import find_price, read_prices
from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError, DataError, UserError, suggest
from shared.examples import ANSWERED_BY
from shared.labelling.contracts import Answer
from shared.labelling.folder import ANSWERS, read_about, read_answers, read_texts


@dataclass(frozen=True)
class TeacherAnswers:
    """The answers of one teacher in a labelling's folder; a reply that was not read is no answer."""

    folder: str
    by: str  # '' where the folder has one teacher
    priced_as: str  # a model of conf/prices; '' is the teacher, where a list has it

    kind: ClassVar[str] = "replayed"

    def __post_init__(self) -> None:
        """Raise `ConfigError` for no folder, and `UserError` for a model that has no price."""
        if not self.folder:
            raise ConfigError(["baseline.folder is empty: name a labelling's folder"])
        if self.priced_as:
            find_price(self.priced_as, read_prices(CONF))

    @property
    def name(self) -> str:
        """The teacher; raises `UserError` where the folder has not this one, or several to choose from."""
        known = list(dict.fromkeys(answer.by for answer in self._answers()))
        if self.by in known:
            return self.by
        if self.by or len(known) != 1:
            close = suggest(self.by, known) if self.by else ""
            names = ", ".join(known) or "nobody"
            raise UserError(f"baseline.by={self.by!r}{close}; {self.folder} has answers of: {names}")
        return known[0]

    def answer(self, data: DataAdapter, examples: Sequence[Any]) -> Answers:
        """Return the teacher's answers, with the share of the words whose reply was not read, and the tokens.

        Raises `DataError` for an example that it was not asked, and `UserError` where it was asked for other
        labels.
        """
        folder, by = Path(self.folder).expanduser(), self.name
        if read_about(folder).types != dict(data.types()):
            raise UserError(f"{folder} was asked for other labels than those of {data.name}")
        texts = {own.id: own.text for own in read_texts(folder)}
        found = {answer.id: answer for answer in self._answers() if answer.by == by}
        asked = [found.get(one.id) if texts.get(one.id) == one.text else None for one in examples]
        answers = [answer for answer in asked if answer is not None]
        if len(answers) < len(asked):
            first = examples[asked.index(None)].id
            raise DataError(
                f"{by} has not answered {len(asked) - len(answers):,} of {len(asked):,} texts, the first is "
                f"{first!r}: label with labelling.split of the split that is scored",
                file=folder / ANSWERS,
            )
        words = [len(one.text.split()) for one in examples]
        unread = sum(number for number, own in zip(words, answers, strict=True) if own.prediction is None)
        notes = {"unparsed_share": unread / max(sum(words), 1), **self._tokens(by, answers)}
        return Answers(
            [
                own.prediction or ANSWERED_BY[type(one)](one.id)
                for one, own in zip(examples, answers, strict=True)
            ],
            notes,
        )

    def _answers(self) -> list[Answer]:
        return read_answers(Path(self.folder).expanduser())

    def _tokens(self, by: str, answers: Sequence[Answer]) -> dict[str, Any]:
        """Return a text's tokens in the mean, and the model that prices them; nothing of who read none."""
        read, written = sum(own.input_tokens for own in answers), sum(own.output_tokens for own in answers)
        if not read:
            return {}
        listed = {price.model for prices in read_prices(CONF) for price in prices.prices}
        model = self.priced_as or (by if by in listed else "")
        tokens = {"input_tokens": read / len(answers), "output_tokens": written / len(answers)}
        return {**tokens, "priced_as": model} if model else tokens
