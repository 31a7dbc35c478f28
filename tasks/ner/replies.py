"""What large language models answered on FiNER-ORD's test split, replayed: stored replies read into spans.

A reply is meant to be one `token:Label` a line. Where it is not (a sentence of the model's own, numbering, a label
in another spelling, a token with a colon, split, merged or left out), the reading is the one kindest to the model;
a token that no line speaks of counts as outside, and `unparsed_share` says how many there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, ClassVar

from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError, DataError, UserError
from shared.examples import Span, SpanExample, SpanPrediction
from shared.fetch import PinnedFile, fetch
from tasks.ner.formats import Scheme, tag_chunks

_DECORATION = " \t.,;!*`'\")]}|"  # what may follow a label
_MAX_WORDS = 5  # before the colon; more are a sentence of the model's own
_QUOTES = str.maketrans("“”„‘’‚`´", "\"\"\"'''''")
_BULLET = re.compile(r"^(?:\d+[.)]|[-*•])\s+(?=\S)")
_MARK = re.compile(r"_([BI])$", re.IGNORECASE)
_OTHER = re.compile(r"(?:other|o|none)", re.IGNORECASE)
_ENTITY = re.compile(r"(?:([BI])[-_ ])?(per|loc|org)[a-z]*(?:[-_ ]+([BI]))?", re.IGNORECASE)
_OTHER_TYPE = re.compile(r"(?:[BI]-\w+|\w[\w ]*_[BI])")  # Industry_B: a type that nobody asked for
_GLUED = re.compile(r"(.*\W)(other)", re.IGNORECASE)  # `,Other`: the colon is missing


@dataclass(frozen=True)
class Replies:
    """The stored replies of one large model, one run at a time."""

    name: str
    model: str
    run: int  # counted from 1, in the order of `files`
    files: dict[str, str]  # path below the data folder -> sha256
    data_dir: Path

    kind: ClassVar[str] = "replayed"

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a run that is not stored."""
        if not 1 <= self.run <= len(self.files):
            raise ConfigError([f"baseline.run={self.run}; allowed: 1 to {len(self.files)}"])

    def answer(self, data: DataAdapter, examples: Sequence[SpanExample]) -> Answers:
        """Return the spans that the replies name; raises `DataError` where a reply belongs to another sentence."""
        path = _fetch(list(self.files.items())[self.run - 1], data_dir=self.data_dir)
        replies = dict(_read(path))
        predictions, unread = [], 0
        for example in examples:
            tags = read_reply(_reply_to(example, replies, path), _words(example))
            unread += tags.count(None)
            predictions.append(_prediction(example, tags))
        num_words = sum(len(example.words) for example in examples)
        notes = {"unparsed_share": unread / num_words if num_words else 0.0, "model": self.model, "run": self.run}
        return Answers(predictions, notes)


def read_reply(reply: str, words: Sequence[str]) -> list[str | None]:
    """Return what the reply says of each word: O, B-PER, I-PER, ..., or None where it says nothing."""
    lines = read_lines(reply)
    tags: list[str | None] = [None] * len(words)
    previous: int | None = None
    for index, line in enumerate(align(words, [line[0] for line in lines])):
        if line is not None:
            tags[index] = _tag(lines[line][1], before=tags[index - 1] if index else None, merged=line == previous)
        previous = line
    return tags


def read_lines(reply: str) -> list[tuple[str, str]]:
    """Return the words and labels of a reply; a label alone belongs to the line above, or to a colon."""
    found = []
    above = ""
    for line in reply.splitlines():
        read = read_line(line)
        if read is not None:
            found.append((read[0] or above or ":", read[1]))
        above = line.strip() if read is None else ""
    return found


def read_line(line: str) -> tuple[str, str] | None:
    """Return the word and the label (O, B-PER, I-PER, or PER without a mark) of a line; None if it has no label."""
    head, colon, tail = line.rpartition(":")
    label = _read_label(tail) if colon else None
    if label is None:
        glued = _GLUED.fullmatch(line.rstrip(_DECORATION))
        return (glued[1].strip(), "O") if glued and " " not in glued[1].strip() else None
    word = _BULLET.sub("", head.strip().removeprefix("**").removesuffix("**"))
    if word.count(" ") >= _MAX_WORDS:
        return None
    mark = _MARK.search(word)
    if mark is None or label == "O":
        return word, label
    return word[: mark.start()], label if "-" in label else f"{mark[1].upper()}-{label}"


def align(words: Sequence[str], answered: Sequence[str]) -> list[int | None]:
    """Return for each word the index of the answered word that speaks of it, None for none; the order is kept.

    First whole words are matched, then what lies between them letter by letter, so that words the model merged,
    split or spelled otherwise still find their line.
    """
    left, right = [_plain(word) for word in words], [_plain(word) for word in answered]
    found: list[int | None] = [None] * len(left)
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            found[i1:i2] = range(j1, j2)
        elif kind == "replace":
            found[i1:i2] = [None if j is None else j1 + j for j in _align_letters(left[i1:i2], right[j1:j2])]
    return found


def _align_letters(left: Sequence[str], right: Sequence[str]) -> list[int | None]:
    """Return for each left word the right word that holds its first letter; None unless half its letters match."""
    owners_left = [i for i, word in enumerate(left) for _ in word]
    owners_right = [j for j, word in enumerate(right) for _ in word]
    holders: list[list[int]] = [[] for _ in left]
    matcher = SequenceMatcher(None, "".join(left), "".join(right), autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            holders[owners_left[block.a + offset]].append(owners_right[block.b + offset])
    return [
        held[0] if held and 2 * len(held) >= len(word) else None
        for word, held in zip(left, holders, strict=True)
    ]


def _read_label(text: str) -> str | None:
    label = text.strip().rstrip(_DECORATION).strip(" *`'\"[(<")
    if _OTHER.fullmatch(label):
        return "O"
    entity = _ENTITY.fullmatch(label)
    if entity:
        mark = entity[1] or entity[3]
        return f"{mark.upper()}-{entity[2].upper()}" if mark else entity[2].upper()
    return "O" if _OTHER_TYPE.fullmatch(label) else None


def _tag(label: str, *, before: str | None, merged: bool) -> str:
    """Return the tag of a word: the second word of a merged one, and an unmarked label after its own type, go on."""
    kind = label.rpartition("-")[2]
    if label == "O" or ("-" in label and not merged):
        return label
    goes_on = before in (f"B-{kind}", f"I-{kind}") and (merged or BARE)
    return f"I-{kind}" if goes_on else f"B-{kind}"


def _plain(word: str) -> str:
    return "".join(word.translate(_QUOTES).casefold().split())


def _words(example: SpanExample) -> list[str]:
    return [example.text[start:end] for start, end in example.words]


def _prediction(example: SpanExample, tags: Sequence[str | None]) -> SpanPrediction:
    """Return the spans; a tag that continues nothing begins an entity, the reading kindest to these models."""
    chunks, _ = tag_chunks([tag or "O" for tag in tags], scheme=SCHEME)
    offsets = example.words
    return SpanPrediction(
        example.id, tuple(Span(offsets[start][0], offsets[end - 1][1], label) for start, end, label in chunks)
    )
SCHEME=Scheme.IOB1; BARE=True


def _fetch(file: tuple[str, str], *, data_dir: Path) -> Path:
    local, sha256 = file
    return fetch(PinnedFile(local=local, sha256=sha256, url=""), data_dir=data_dir.expanduser())


def _read(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield id -> row, the id that `FinerOrd` gives the sentence."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield f"test-{row['doc_idx']}-{row['sent_idx']}", row


def _reply_to(example: SpanExample, replies: Mapping[str, Mapping[str, Any]], path: Path) -> str:
    if example.id not in replies:
        raise UserError(f"{path} has no reply to {example.id!r}: the replies answer data=finer_ord split=test only")
    row = replies[example.id]
    if row["tokens"] != _words(example):
        raise DataError(f"the tokens of {example.id!r} are not those of the data", file=path)
    return str(row["reply"])
