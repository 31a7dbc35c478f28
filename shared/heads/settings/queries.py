"""The settings of the head that writes queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError
from shared.heads.settings.limits import check_positive

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Types
    from shared.fast_tokenizer import FastTokenizer


@dataclass(frozen=True)
class QueryWriting:
    """Queries written by a decoder for a passage; see the head's file."""

    instruction: str  # what the base is told in front of the passage
    shots: list[dict[str, str]]  # {passage, queries (a line each)} that stand in front, for an untuned base
    samples: int  # answers sampled for each passage, each with a query a line
    queries: int  # of a passage kept at most, each once
    temperature: float  # of sampling; 0 is greedy
    top_p: float
    sampling_seed: int  # the same passage always gets the same queries
    passage_tokens: int  # what is longer is cut, and counted
    max_new_tokens: int
    batch_rows: int  # answers that are written together, always so many; on a GPU four times

    def __post_init__(self) -> None:
        check_positive(self, "samples", "queries", "passage_tokens", "max_new_tokens", "batch_rows")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            given = f"head.temperature={self.temperature}, head.top_p={self.top_p}"
            raise ConfigError([f"{given}; allowed: 0 or more, and above 0 up to 1"])
        if not self.temperature and self.samples > 1:
            raise ConfigError([f"head.samples={self.samples}: with head.temperature=0 all would be the same"])
        for place, shot in enumerate(self.shots):
            if set(shot) != {"passage", "queries"}:
                raise ConfigError([f"head.shots[{place}] has {sorted(shot)}; needed: passage, queries"])

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return decoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.query_writer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around what writes; see `ExportableSettings.head`."""
        from shared.heads.query_writing import QueryWritingHead

        return QueryWritingHead(self, types=types, tokenizer=tokenizer, module=module)
