"""Texts of which some are off, and how odd each one is."""

from dataclasses import dataclass
from typing import Any

UNRELATED = "unrelated text"  # the kind of a text that is only there to be unlike the normal ones


@dataclass(frozen=True, slots=True)
class AnomalyExample:
    """One text, or a window of texts in order, and whether a person would call it off.

    `anomalous` is None where nobody has said. `kind` names the sort of anomaly, '' for a normal text; `group`
    is what no two splits share where new groups are tested, such as the template of a log line.
    """

    id: str
    texts: tuple[str, ...]
    anomalous: bool | None = None
    kind: str = ""
    group: str = ""
    document: str = ""

    @property
    def text(self) -> str:
        """The texts, one a line."""
        return "\n".join(self.texts)

    @property
    def unrelated(self) -> bool:
        """Whether it is from elsewhere: it trains as an anomaly, and no text is odd for being like it."""
        return self.kind == UNRELATED

    def gold(self) -> "AnomalyPrediction":
        """Return the answer that is wholly right."""
        return AnomalyPrediction(self.id, score=float(self.anomalous or 0), alarm=bool(self.anomalous))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch `text[start:end]` of an example's text.

    `rise` is by how much its absence lowers the score more than that of the median part does.
    """

    start: int
    end: int
    rise: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a text is odd: its parts that raise the score most, and what was never seen among normal texts.

    `nearest` are the most similar normal texts with their cosine.
    """

    parts: tuple[Part, ...] = ()
    nearest: tuple[tuple[str, float], ...] = ()
    template: str = ""  # the text with its changing parts masked
    template_seen: bool = True
    unseen_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnomalyPrediction:
    """How odd the example with the same id is, the higher the odder, and whether that is an alarm.

    `p_value` is the conformal one: the share of held-out normal texts that are at least as odd.
    """

    id: str
    score: float = 0.0
    p_value: float | None = None
    alarm: bool = False
    reasons: Reasons | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer."""
        return (self.alarm,)

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        return [{"facet": "alarm" if self.alarm else "normal", "answer": f"score {self.score:.3f}"}]
