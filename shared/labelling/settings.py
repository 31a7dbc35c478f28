"""What the verbs of a labelling are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.contracts import SPLITS
from shared.errors import ConfigError

ORDERS = ("doubt", "chance", "informative")
TOOLS = ("label_studio", "argilla")


@dataclass(frozen=True)
class LabellingConfig:
    """The folder that `label` and the verbs after it work on, and what `label` may spend."""

    folder: str
    input: str  # a file of texts; '' takes those of the data's `split`
    format: str  # of the file, as in `predict.format`
    split: str
    shown: bool  # examples of the data's train split in the prompt, beside those that were reviewed
    lead: str  # the teacher whose answer is the draft; '' for what most teachers say
    dollars: float  # that all asking for this folder may cost, once and for all
    tokens: int  # read and written, likewise; 0 for no limit of their own
    estimate: bool  # say what it would cost, and ask nothing

    def __post_init__(self) -> None:
        """Raise `ConfigError` for values out of their range."""
        _check(
            ("labelling.split", self.split, self.split in SPLITS, ", ".join(SPLITS)),
            ("labelling.dollars", self.dollars, self.dollars >= 0, "0 or more"),
            ("labelling.tokens", self.tokens, self.tokens >= 0, "0 or more"),
        )


@dataclass(frozen=True)
class RehearseConfig:
    """What `rehearse` lets gold decide."""

    into: str  # the folder to make
    share: float  # of the texts
    order: str  # which are reviewed first: by doubt or by chance

    def __post_init__(self) -> None:
        """Raise `ConfigError` for values out of their range."""
        _check(
            ("rehearse.share", self.share, 0 <= self.share <= 1, "0 to 1"),
            ("rehearse.order", self.order, self.order in ORDERS, ", ".join(ORDERS)),
        )


@dataclass(frozen=True)
class ReviewConfig:
    """The page of `review`; it is served to this machine alone."""

    port: int  # 0 takes a free one
    order: str
    copies: int  # reviewers that a text needs, where it is among those that several see
    shared: float  # share of the texts that `copies` reviewers see, to measure how far they agree

    def __post_init__(self) -> None:
        """Raise `ConfigError` for values out of their range."""
        _check(
            ("review.port", self.port, 0 <= self.port < 65536, "0 to 65535"),
            ("review.order", self.order, self.order in ORDERS, ", ".join(ORDERS)),
            ("review.copies", self.copies, self.copies >= 1, "1 or more"),
            ("review.shared", self.shared, 0 <= self.shared <= 1, "0 to 1"),
        )


@dataclass(frozen=True)
class ExchangeConfig:
    """The file of another tool that `exchange` writes or reads."""

    format: str
    write: str
    read: str

    def __post_init__(self) -> None:
        """Raise `ConfigError` for another format."""
        _check(("exchange.format", self.format, self.format in TOOLS, ", ".join(TOOLS)))


def _check(*rules: tuple[str, Any, bool, str]) -> None:
    mistakes = [f"{name}={value!r}; allowed: {allowed}" for name, value, fits, allowed in rules if not fits]
    if mistakes:
        raise ConfigError(mistakes)
