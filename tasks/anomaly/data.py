"""What one brings oneself: lines, tables, texts to predict; and the sample corpus to try out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigError
from shared.examples import AnomalyExample
from shared.table_files import given_path, read_texts
from tasks.anomaly.formats import (
    Columns,
    Words,
    check_normal,
    read_json_lines,
    read_plain,
    read_table,
    texts_of_row,
)
from tasks.anomaly.report import REPORTED, data_report
from tasks.anomaly.splits import TYPES, Division, Protocol, divide, kept

_SAMPLE = Path(__file__).parent / "sample"


@dataclass(frozen=True)
class Lines:
    """One file of one's own, a text a line, divided by a protocol.

    Plain lines are normal, unless the line of the `labels` file with the same number says otherwise. JSON
    lines (.jsonl) have their labels, and may have kinds, groups and windows of texts.
    """

    name: str
    licence: str
    file: str
    labels: str
    anomaly_words: list[str]
    normal_words: list[str]
    protocol: Protocol
    fold: int
    known: int | None
    known_seed: int

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the file, which has every split, and the labels where there are any."""
        path = given_path(self.file, "file", example="path/to/app.log")
        return [path, *([Path(self.labels)] if self.labels else [])]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split's texts; ids are given or `line-<number>` by the file's lines."""
        division, _ = self._divide()
        examples = kept(division, split, known=self.known, known_seed=self.known_seed)
        if split == "train":
            check_normal(examples, self.files(split)[0])
        return examples

    def report(self) -> str:
        """Return the data report."""
        division, blank = self._divide()
        notes = [f"blank lines left out: {blank}"] if blank else []
        return data_report(self, division, protocol=self.protocol, notes=notes)

    def _divide(self) -> tuple[Division, int]:
        """Return the parts, and how many lines are blank."""
        path, *labels = self.files("train")
        words = Words(self.anomaly_words, self.normal_words)
        if path.suffix != ".jsonl":
            examples, blank = read_plain(path, labels[0] if labels else None, words=words)
        elif labels:
            raise ConfigError([f"data.labels={self.labels} is for plain lines; {path} has its own labels"])
        else:
            examples, blank = read_json_lines(path), 0
        return divide(examples, protocol=self.protocol, fold=self.fold), blank


@dataclass(frozen=True)
class Table:
    """CSV with a header, or JSON lines, of one's own, a file for each split.

    Without a label column each row is normal; a cell that is empty says that nobody has labelled the row.
    """

    name: str
    licence: str
    train: str
    validation: str
    test: str
    text: str
    label: str
    kind: str
    group: str
    id: str
    ignore: list[str]
    anomaly_words: list[str]
    normal_words: list[str]
    known: int | None
    known_seed: int

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        path = {"train": self.train, "validation": self.validation, "test": self.test}[split]
        return [given_path(path, split, example=f"path/to/{split}.csv")]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split's labelled rows; ids are given or `<split>-<row>`, counted from 0."""
        part = Division({split: self._read(split)})
        examples = kept(part, split, known=self.known, known_seed=self.known_seed)
        if split == "train":
            check_normal(examples, self.files(split)[0])
        return examples

    def report(self) -> str:
        """Return the data report."""
        return data_report(self, Division({split: self._read(split) for split in REPORTED}))

    def _read(self, split: str) -> list[AnomalyExample]:
        columns = Columns(self.text, self.label, self.kind, self.group, self.id, tuple(self.ignore))
        words = Words(self.anomaly_words, self.normal_words)
        return read_table(self.files(split)[0], split=split, columns=columns, words=words)


@dataclass(frozen=True)
class Sample:
    """The embedded corpus: invented log lines and notes of a payments back office, and what is off there."""

    name: str
    licence: str
    known: int | None
    known_seed: int

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        return [_SAMPLE / f"{split}.jsonl"]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split's texts."""
        part = Division({split: read_json_lines(self.files(split)[0])})
        return kept(part, split, known=self.known, known_seed=self.known_seed)

    def report(self) -> str:
        """Return the data report."""
        parts = {split: read_json_lines(self.files(split)[0]) for split in REPORTED}
        return data_report(self, Division(parts))


def read_stream(lines: Iterable[str], format: str, *, file: str) -> Iterator[AnomalyExample]:
    """Return the texts to predict, one a line: `text`, or `jsonl` with {"text" or "texts", "id"?}.

    Ids and errors are those of `table_files.read_texts`.
    """
    return read_texts(
        lines,
        format,
        file=file,
        of_text=lambda text, name: AnomalyExample(name, (text,), document=name),
        of_row=texts_of_row,
    )
