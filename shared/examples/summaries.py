"""A document in sentences, and its summary in bullets."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class SummaryExample:
    """A document as its sentences, in order, and the summary a person wrote of it, bullet by bullet.

    `chosen` are the sentences to write from, best first, where that is settled; `begun` are bullets that
    stand already, where a summary is to be written once more behind them.
    """

    id: str
    sentences: tuple[str, ...]
    bullets: tuple[str, ...] = ()
    document: str = ""
    chosen: tuple[int, ...] = ()
    begun: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(self.sentences)

    def gold(self) -> "SummaryPrediction":
        """Return the answer that is wholly right."""
        return SummaryPrediction(self.id, tuple(Bullet(text) for text in self.bullets))


@dataclass(frozen=True, slots=True)
class Bullet:
    """One point of a summary; `sources` are indices of the document's sentences it rests on, best first.

    A `quoted` one is the sentence `sources[0]` put into the house's style: what is stored of it has no text.
    `mark` says what a check did to it, `faults` what it still breaks, `confidence`, from 0 to 1, how plainly
    the document says it; None where that is not known.
    """

    text: str
    sources: tuple[int, ...] = ()
    quoted: bool = False
    mark: str = ""
    faults: tuple[str, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class SummaryPrediction:
    """The summary of the example with the same id; `abstained` says why there is none, '' where there is.

    `read` are the sentences that the writer had before it. `unsure` are bullets that were written and are
    not given, `withheld` says why.
    """

    id: str
    bullets: tuple[Bullet, ...] = ()
    abstained: str = ""
    read: tuple[int, ...] = ()
    unsure: tuple[Bullet, ...] = ()
    withheld: str = ""

    def confidences(self, unit: str) -> list[float]:
        """Return how sure each bullet is, of those of which that is known."""
        return [bullet.confidence for bullet in self.bullets if bullet.confidence is not None]

    def held_back(self, unit: str, least: float, reason: str) -> "SummaryPrediction":
        """Return the summary without the bullets whose confidence is below `least`, or not known."""
        unsure = tuple(b for b in self.bullets if b.confidence is None or b.confidence < least)
        if not unsure:
            return self
        kept = tuple(bullet for bullet in self.bullets if bullet not in unsure)
        abstained = self.abstained if kept else reason
        return replace(self, bullets=kept, unsure=unsure, withheld=reason, abstained=abstained)

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer."""
        return (self.abstained, *((b.quoted and b.sources[:1]) or b.text for b in self.bullets))

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        sentences = text.split("\n")
        lines = [sentences[b.sources[0]] if b.quoted else b.text for b in self.bullets]
        return [{"facet": "summary", "answer": line} for line in lines or [self.abstained]]
