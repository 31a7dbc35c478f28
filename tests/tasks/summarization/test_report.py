from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.examples import SummaryExample
from tasks.summarization.report import data_report


@dataclass(frozen=True)
class Given:
    """Data made by hand; test is not there to be looked at."""

    train: Sequence[SummaryExample]
    validation: Sequence[SummaryExample]
    name: str = "given"
    licence: str = "none"

    def types(self) -> Mapping[str, str]:
        return {"summary": "summary"}

    def load(self, split: str) -> list[SummaryExample]:
        return list({"train": self.train, "validation": self.validation}[split])

    def files(self, split: str) -> list[Path]:
        return []

    def report(self) -> str:
        return data_report(self)


TRAIN = [
    SummaryExample("a", ("We sold 7 vans in Orlen.", "Good."), ("sold 7 vans in Orlen today", "more")),
    SummaryExample("b", ("we sold 7 vans", "in Orlen; good"), ("vans sold in Orlen now",)),
]
VALIDATION = [
    SummaryExample("c", ("We sold 7 vans in Orlen.", "GOOD!"), ("7",)),
    SummaryExample("d", ("word " * 10_001,), ("word",)),
]


def test_sizes_are_means_and_shares_of_train_and_validation() -> None:
    """Train: 14 words for 12; digits in 1 of 3 bullets; of its 3 + 0 + 2 runs of 4 words 2 are copied."""
    lines = data_report(Given(TRAIN, VALIDATION)).splitlines()
    assert lines[0] == "data: given, licence: none"
    assert lines[1].split()[:3] == ["split", "documents", "sentences"]
    assert [row.split() for row in lines[3:5]] == [
        ["train", "2", "2.0", "7.0", "1.5", "1.2", "33%", "40%"],
        ["validation", "2", "1.5", "5004.0", "1.0", "5004.0", "50%", "0%"],
    ]


def test_long_and_repeated_documents_are_counted_whatever_their_case_and_marks() -> None:
    assert data_report(Given(TRAIN, VALIDATION)).splitlines()[-2:] == [
        "documents over 10,000 words: 0 in train, 1 in validation",
        "repeated documents: 1 within train; 1 of validation stand in train",
    ]
