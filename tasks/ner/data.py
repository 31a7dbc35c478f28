"""The data sets of financial NER: two public ones, two formats of one's own, and the sample corpus."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.examples import SpanExample
from shared.fetch import PinnedFile, fetch
from shared.words import find_words, join_words
from tasks.ner.formats import (
    DOCSTART,
    Scheme,
    check_tags,
    parse_row,
    read_columns,
    read_jsonl,
    tagged_example,
)
from tasks.ner.report import data_report

_FINER_TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")  # upstream's int2str
_SAMPLE = Path(__file__).parent / "sample"


@dataclass(frozen=True)
class FinerOrd:
    """FiNER-ORD (Shah et al., arXiv 2302.11157): financial news, strict IOB2 entities, documents known."""

    name: str
    licence: str
    labels: dict[str, str]
    train: PinnedFile
    validation: PinnedFile
    test: PinnedFile
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return label -> name in plain words."""
        return self.labels

    def files(self, split: str) -> list[Path]:
        """Return the split's file, fetched if need be."""
        return [fetch(_split_file(self, split), data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[SpanExample]:
        """Return the split's sentences; ids are `<split>-<document>-<sentence>` by upstream's numbers."""
        return self._read(split)[0]

    def report(self) -> str:
        """Return the data report."""
        return data_report(self, warnings=_dangling_warnings({s: self._read(s)[1] for s in SPLITS[:2]}))

    def _read(self, split: str) -> tuple[list[SpanExample], int]:
        path = self.files(split)[0]
        examples, dangling = [], 0
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            for (document, sentence), group in itertools.groupby(
                rows, key=lambda row: (row["doc_idx"], row["sent_idx"])
            ):
                cells = list(group)
                example, lost = tagged_example(
                    [cell["gold_token"] for cell in cells],
                    [_FINER_TAGS[int(cell["gold_label"])] for cell in cells],
                    scheme=Scheme.IOB2,
                    id=f"{split}-{document}-{sentence}",
                    document=f"{split}-{document}",
                )
                examples.append(example)
                dangling += lost
        return examples, dangling


@dataclass(frozen=True)
class Wnut17:
    """WNUT 2017 (Derczynski et al. 2017): rare entities in user text; each sentence is a document."""

    name: str
    licence: str
    labels: dict[str, str]
    train: PinnedFile
    validation: PinnedFile
    test: PinnedFile
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return label -> name in plain words."""
        return self.labels

    def files(self, split: str) -> list[Path]:
        """Return the split's file, fetched if need be."""
        return [fetch(_split_file(self, split), data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[SpanExample]:
        """Return the split's sentences."""
        return _read_conll(
            self.files(split)[0], split, scheme=Scheme.IOB2, labels=self.labels, separator="\t"
        )[0]

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


@dataclass(frozen=True)
class Conll:
    """Column files of one's own: a word a line, its tag last, blank lines between sentences."""

    name: str
    licence: str
    train: str
    validation: str
    test: str
    scheme: Scheme
    labels: dict[str, str] | None  # None: those that train shows

    def types(self) -> Mapping[str, str]:
        """Return label -> name in plain words, given or found in train."""
        return self.labels or _named(_conll_labels(Path(_user_path(self, "train")), self.scheme))

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        return [Path(_user_path(self, split))]

    def load(self, split: str) -> list[SpanExample]:
        """Return the split's sentences; a label that train never shows is a `DataError`."""
        labels = None if split == "train" and not self.labels else self.types()
        path = self.files(split)[0]
        return _not_empty(
            _read_conll(path, split, scheme=self.scheme, labels=labels, separator=None)[0], path
        )

    def report(self) -> str:
        """Return the data report."""
        counts = {
            split: _read_conll(self.files(split)[0], split, scheme=self.scheme, labels=None, separator=None)[
                1
            ]
            for split in SPLITS[:2]
        }
        return data_report(self, warnings=_dangling_warnings(counts))


@dataclass(frozen=True)
class Jsonl:
    """JSON lines of one's own: {"text", "spans": [{"start", "end", "label"}], "id"?, "document"?}."""

    name: str
    licence: str
    train: str
    validation: str
    test: str
    labels: dict[str, str] | None  # None: those that train shows

    def types(self) -> Mapping[str, str]:
        """Return label -> name in plain words, given or found in train."""
        return self.labels or _named(_jsonl_labels(Path(_user_path(self, "train"))))

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        return [Path(_user_path(self, split))]

    def load(self, split: str) -> list[SpanExample]:
        """Return the split's texts; a label that train never shows is a `DataError`."""
        labels = None if split == "train" and not self.labels else self.types()
        path = self.files(split)[0]
        return _not_empty(list(read_jsonl(path, labels=labels)), path)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


@dataclass(frozen=True)
class Sample:
    """The embedded corpus of invented financial news; test names nobody whom train has seen."""

    name: str
    licence: str
    labels: dict[str, str]

    def types(self) -> Mapping[str, str]:
        """Return label -> name in plain words."""
        return self.labels

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        return [_SAMPLE / f"{split}.jsonl"]

    def load(self, split: str) -> list[SpanExample]:
        """Return the split's texts."""
        return list(read_jsonl(self.files(split)[0], labels=self.labels))

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


def read_stream(lines: Iterable[str], format: str, *, file: str) -> Iterator[SpanExample]:
    """Yield texts to predict: `text` and `jsonl` have one a line, `conll` one a block of lines.

    Ids are those given, else the running number from 0.
    """
    if format == "conll":
        yield from _stream_words(lines)
        return
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if format == "jsonl" and not text.strip():
            continue
        if format == "jsonl":
            yield parse_row(text, file=file, number=number, labels=None)
        else:
            yield SpanExample(id=str(number - 1), text=text, words=find_words(text), document=str(number - 1))


def _stream_words(lines: Iterable[str]) -> Iterator[SpanExample]:
    """Yield a text per block of lines; those between two -DOCSTART- lines are one document."""
    words: list[str] = []
    number = documents = 0
    for line in itertools.chain(lines, [""]):
        first = line.split()[:1]
        if first and first[0] != DOCSTART:
            words.append(first[0])
            continue
        if words:
            text, offsets = join_words(words)
            document = f"document-{documents}" if documents else str(number)
            yield SpanExample(id=str(number), text=text, words=offsets, document=document)
            words, number = [], number + 1
        documents += bool(first)


def _split_file(adapter: FinerOrd | Wnut17, split: str) -> PinnedFile:
    return {"train": adapter.train, "validation": adapter.validation, "test": adapter.test}[split]


def _user_path(adapter: Conll | Jsonl, split: str) -> str:
    path = {"train": adapter.train, "validation": adapter.validation, "test": adapter.test}[split]
    if not path:
        raise ConfigError([f"data.{split} is empty: give the file, as data.{split}=path/to/{split}.file"])
    return path


def _read_conll(
    path: Path, split: str, *, scheme: Scheme, labels: Iterable[str] | None, separator: str | None
) -> tuple[list[SpanExample], int]:
    examples, dangling = [], 0
    for number, sentence in enumerate(read_columns(path, separator=separator)):
        check_tags(sentence.words, scheme=scheme, labels=labels, file=path)
        own = f"{split}-{number}"
        document = own if sentence.document is None else f"{split}-document-{sentence.document}"
        example, lost = tagged_example(
            [word.word for word in sentence.words],
            [word.tag for word in sentence.words],
            scheme=scheme,
            id=own,
            document=document,
        )
        examples.append(example)
        dangling += lost
    return examples, dangling


def _not_empty(examples: list[SpanExample], path: Path) -> list[SpanExample]:
    if not examples:
        raise DataError("the file holds no example", file=path)
    return examples


def _dangling_warnings(counts: Mapping[str, int]) -> list[str]:
    return [
        f"{split}: {count} tags continue no entity and count as O" for split, count in counts.items() if count
    ]


def _named(labels: Iterable[str]) -> dict[str, str]:
    return {label: label.lower().replace("_", " ").replace("-", " ") for label in sorted(labels)}


@cache
def _conll_labels(path: Path, scheme: Scheme) -> tuple[str, ...]:
    found: set[str] = set()
    for sentence in read_columns(path):
        check_tags(sentence.words, scheme=scheme, labels=None, file=path)
        found.update(word.tag.partition("-")[2] for word in sentence.words if word.tag != "O")
    return tuple(found)


@cache
def _jsonl_labels(path: Path) -> tuple[str, ...]:
    return tuple({span.label for example in read_jsonl(path, labels=None) for span in example.spans})
