"""What one brings oneself: tables with an ontology, texts to predict, and the sample corpus to try out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.examples import FacetExample
from shared.ontology import Ontology
from shared.table_files import given_path, read_texts
from tasks.ontology.formats import Columns, read_examples, text_of_row
from tasks.ontology.reader import read_ontology
from tasks.ontology.report import data_report

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
        return read_ontology(given_path(self.ontology_file, "ontology_file", example="path/to/ontology.yaml"))

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        path = {"train": self.train, "validation": self.validation, "test": self.test}[split]
        return [given_path(path, split, example=f"path/to/{split}.csv")]

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
    """Return the texts to predict, one a line: `text`, or `jsonl` with {"text", "pair"?, "marks"?, "id"?}.

    Ids and errors are those of `table_files.read_texts`.
    """
    return read_texts(
        lines,
        format,
        file=file,
        of_text=lambda text, name: FacetExample(id=name, text=text, document=name),
        of_row=text_of_row,
    )
