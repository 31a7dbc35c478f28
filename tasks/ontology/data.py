"""What one brings oneself: tables with an ontology, texts to predict, and the sample corpus to try out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import ConfigError
from shared.examples import FacetExample
from shared.ontology import Ontology
from tasks.ontology.formats import Columns, parse_text, read_examples
from tasks.ontology.reader import read_ontology
from tasks.ontology.report import data_report

STREAMS = ("text", "jsonl")
_SAMPLE = Path(__file__).parent / "sample"
_SAMPLE_COLUMNS = Columns("text", "pair", "id", "document", separator="|", none_word="-", ignore=())


@dataclass(frozen=True)
class Table:
    """CSV with a header, or JSON lines, of one's own: a column for the text and one for each facet.

    A facet's column is named as the facet in the ontology; its cells name concepts by their ids.
    """

    name: str
    licence: str
    train: str
    validation: str
    test: str
    ontology_file: str
    text: str
    pair: str
    id: str
    document: str
    separator: str
    none_word: str
    ignore: list[str]

    def ontology(self) -> Ontology:
        """Return the ontology of the file or folder that was given."""
        return read_ontology(Path(_given(self.ontology_file, "ontology_file", "path/to/ontology.yaml")))

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        path = {"train": self.train, "validation": self.validation, "test": self.test}[split]
        return [Path(_given(path, split, f"path/to/{split}.csv"))]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's rows; what does not fit the ontology is a `DataError`."""
        columns = Columns(
            text=self.text,
            pair=self.pair,
            id=self.id,
            document=self.document,
            separator=self.separator,
            none_word=self.none_word,
            ignore=tuple(self.ignore),
        )
        return read_examples(self.files(split)[0], split=split, columns=columns, ontology=self.ontology())

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


@dataclass(frozen=True)
class Sample:
    """The embedded corpus of invented notes of a financial news desk: topic, actors and tone."""

    name: str
    licence: str

    def ontology(self) -> Ontology:
        """Return the ontology that stands beside the notes."""
        return read_ontology(_SAMPLE / "ontology.yaml")

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        return [_SAMPLE / f"{split}.jsonl"]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's notes."""
        path = self.files(split)[0]
        return read_examples(path, split=split, columns=_SAMPLE_COLUMNS, ontology=self.ontology())

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


def read_stream(lines: Iterable[str], format: str, *, file: str) -> Iterator[FacetExample]:
    """Yield texts to predict, one a line: `text`, or `jsonl` with {"text", "pair"?, "marks"?, "id"?}.

    Ids are those given, else the running number from 0. Another format is a `ConfigError`.
    """
    if format not in STREAMS:
        raise ConfigError(
            [f"predict.format={format} is not read by this task; formats: {', '.join(STREAMS)}"]
        )
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if format == "text":
            yield FacetExample(id=str(number - 1), text=text, document=str(number - 1))
        elif text.strip():
            yield parse_text(text, file=file, number=number)


def _given(value: str, setting: str, example: str) -> str:
    if not value:
        raise ConfigError([f"data.{setting} is empty: give the file, as data.{setting}={example}"])
    return value
