"""Reading tagged and annotated text: columns of tokens and tags, and JSON lines with character offsets."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from shared.errors import DataError, suggest
from shared.examples import Span, SpanExample
from shared.files import read_lines
from shared.words import find_words, join_words


class Scheme(Enum):
    """How tags mark the words of an entity."""

    IO = "IO"
    IOB1 = "IOB1"
    IOB2 = "IOB2"
    BIOES = "BIOES"


DOCSTART = "-DOCSTART-"  # the first column of a line between documents
PREFIXES = {Scheme.IO: "I", Scheme.IOB1: "BI", Scheme.IOB2: "BI", Scheme.BIOES: "BIES"}


@dataclass(frozen=True)
class TaggedWord:
    """A word with its tag, and the line it stands on."""

    word: str
    tag: str
    line: int


@dataclass(frozen=True)
class TaggedSentence:
    """The words of one sentence; `document` counts -DOCSTART- lines, or is None where the file has none."""

    words: tuple[TaggedWord, ...]
    document: int | None


def read_columns(path: Path, *, separator: str | None = None) -> Iterator[TaggedSentence]:
    """Yield the sentences of a CoNLL file: a word a line, first the word, last its tag.

    All rows must have as many columns as the first. `separator` None means any run of white space.
    """
    words: list[TaggedWord] = []
    document: int | None = None
    columns = 0
    for number, whole in read_lines(path):
        line = whole.rstrip("\r\n")
        if not line.strip():
            if words:
                yield TaggedSentence(tuple(words), document)
            words = []
            continue
        cells = line.split(separator)
        if cells[0] == DOCSTART:
            if words:
                yield TaggedSentence(tuple(words), document)
            words = []
            document = 0 if document is None else document + 1
            continue
        columns = columns or len(cells)
        if len(cells) != columns or columns < 2:
            expected = (
                f"{max(columns, 2)} columns, as in the first row" if columns > 1 else "a word and a tag"
            )
            raise DataError(f"{len(cells)} columns: {line!r}; expected {expected}", file=path, line=number)
        words.append(TaggedWord(cells[0], cells[-1], number))
    if words:
        yield TaggedSentence(tuple(words), document)


def check_tags(
    words: Iterable[TaggedWord], *, scheme: Scheme, labels: Iterable[str] | None, file: Path
) -> None:
    """Raise `DataError` for a tag that the scheme or the labels (None: any) do not know."""
    known = None if labels is None else list(labels)
    for word in words:
        if word.tag == "O":
            continue
        prefix, _, label = word.tag.partition("-")
        if not label or prefix not in PREFIXES[scheme] or len(prefix) != 1:
            allowed = ", ".join([f"{letter}-LABEL" for letter in PREFIXES[scheme]] + ["O"])
            raise DataError(
                f"unknown tag {word.tag!r}; {scheme.value} allows {allowed}", file=file, line=word.line
            )
        if known is not None and label not in known:
            allowed = ", ".join(known)
            raise DataError(
                f"unknown tag {word.tag!r}{suggest(label, known)}; labels: {allowed}",
                file=file,
                line=word.line,
            )


def tag_chunks(tags: Sequence[str], *, scheme: Scheme) -> tuple[list[tuple[int, int, str]], int]:
    """Return the entities as half-open word ranges, and how many tags belong to none (dangling).

    Strict reading: under IOB2 an entity begins with B, under BIOES it runs from B to E or is one S; an I or E
    that continues nothing of its label is dangling, as is a BIOES entity that never ends. Under IO and IOB1
    an I begins an entity where none of its label is open.
    """
    chunks: list[tuple[int, int, str]] = []
    dangling = 0
    start, open_label = 0, ""
    for index, tag in enumerate([*tags, "O"]):
        prefix, _, label = tag.partition("-")
        continues = prefix in ("I", "E") and label == open_label and open_label != ""
        if open_label and not continues:
            if scheme is Scheme.BIOES:
                dangling += index - start
            else:
                chunks.append((start, index, open_label))
            open_label = ""
        if continues:
            if prefix == "E":
                chunks.append((start, index + 1, label))
                open_label = ""
        elif prefix == "S":
            chunks.append((index, index + 1, label))
        elif prefix == "B" or (prefix == "I" and scheme in (Scheme.IO, Scheme.IOB1)):
            start, open_label = index, label
        elif prefix in ("I", "E"):
            dangling += 1
    return chunks, dangling


def tagged_example(
    words: Sequence[str], tags: Sequence[str], *, scheme: Scheme, id: str, document: str
) -> tuple[SpanExample, int]:
    """Return the sentence, its words joined by single spaces, and how many tags dangle."""
    text, offsets = join_words(words)
    chunks, dangling = tag_chunks(tags, scheme=scheme)
    spans = tuple(Span(offsets[start][0], offsets[end - 1][1], label) for start, end, label in chunks)
    return SpanExample(id=id, text=text, spans=spans, words=offsets, document=document), dangling


def read_jsonl(path: Path, *, labels: Iterable[str] | None) -> Iterator[SpanExample]:
    """Yield the examples of a file of {"text", "spans", "id"?, "document"?} lines; labels None allows any."""
    seen: dict[str, int] = {}
    for number, line in read_lines(path):
        if not line.strip():
            continue
        example = parse_row(line.rstrip("\r\n"), file=str(path), number=number, labels=labels)
        if example.id in seen:
            raise DataError(
                f"id {example.id!r} stands on line {seen[example.id]} too", file=path, line=number
            )
        seen[example.id] = number
        yield example


def parse_row(line: str, *, file: str, number: int, labels: Iterable[str] | None) -> SpanExample:
    """Return the example of one JSON line; raises `DataError` naming what does not fit."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"not JSON: {error}", file=file, line=number) from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise DataError(f'no "text" with a string in {line[:80]!r}', file=file, line=number)
    half = re.search("[\ud800-\udfff]", row["text"])
    if half:
        raise DataError(f"half of a surrogate pair at character {half.start()}", file=file, line=number)
    given = row.get("spans", [])
    if not isinstance(given, list):
        raise DataError(f'"spans" is no list: {given!r}', file=file, line=number)
    known = None if labels is None else list(labels)
    spans = sorted(
        (_span(span, row["text"], file=file, number=number, labels=known) for span in given),
        key=lambda span: span.start,
    )
    for left, right in itertools.pairwise(spans):
        if right.start < left.end:
            raise DataError(f"spans overlap: {_show(left)} and {_show(right)}", file=file, line=number)
    name = _given(row, "id", str(number - 1))
    return SpanExample(
        id=name,
        text=row["text"],
        spans=tuple(spans),
        words=find_words(row["text"]),
        document=_given(row, "document", name),
    )


def _given(row: Mapping[str, Any], key: str, otherwise: str) -> str:
    return otherwise if row.get(key) is None else str(row[key])


def _span(given: Any, text: str, *, file: str, number: int, labels: list[str] | None) -> Span:
    shape = '{"start": whole number, "end": whole number, "label": text}'
    if not isinstance(given, Mapping) or not {"start", "end", "label"} <= set(given):
        raise DataError(f"span {given!r}; expected {shape}", file=file, line=number)
    start, end, label = given["start"], given["end"], given["label"]
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise DataError(f"span {dict(given)!r}; expected {shape}", file=file, line=number)
    if not 0 <= start < end <= len(text):
        allowed = f"0 <= start < end <= {len(text)}, the text's length"
        raise DataError(
            f"span {start} to {end} is empty or outside its text; allowed: {allowed}", file=file, line=number
        )
    if labels is not None and label not in labels:
        raise DataError(
            f"unknown label {label!r}{suggest(label, labels)}; labels: {', '.join(labels)}",
            file=file,
            line=number,
        )
    return Span(start, end, label)


def _show(span: Span) -> str:
    return f"{span.start} to {span.end} {span.label}"
