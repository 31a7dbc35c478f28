"""What large language models answered on FiNER-ORD's test split, replayed: stored replies read into spans.

A reply is meant to be one `token:Label` a line. Many are not quite: a sentence of the model's own, numbering,
another spelling of a label, a token with a colon in it, split, merged or left out. Of the readings tried, the
one with the best scores for these models is used: tags read as strict IOB2, a label without B or I goes on
with an entity of its type. A token that no line speaks of is outside, and counted in `unparsed_share`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import quicktok  # type: ignore[import-untyped]  # has no types

from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError, DataError
from shared.examples import Span, SpanExample, SpanPrediction
from shared.fetch import PinnedFile, fetch
from tasks.ner.formats import Scheme, tag_chunks

_MAX_WORDS = 5  # before the colon; more are a sentence of the model's own
_AROUND = " \t.,;!*`'\"()[]{}<>|"  # what may stand around a label
_QUOTES = str.maketrans("“”„‘’‚`´", "\"\"\"'''''")
_BULLET = re.compile(r"^(?:\d+[.)]|[-*•])\s+(?=\S)")
_MARK = re.compile(r"_([BI])$", re.IGNORECASE)
_OTHER = re.compile(r"other|o|none", re.IGNORECASE)
_ENTITY = re.compile(
    r"(?:([BI])[-_ ])?(per|loc|org)(?:sons?|ations?|ani[sz]ations?)?(?:[-_ ]+([BI]))?", re.IGNORECASE
)
_OTHER_TYPE = re.compile(r"[BI]-\w+|\w[\w ]*_[BI]")  # Industry_B: a type that nobody asked for
_GLUED = re.compile(r"(\S*\W)other", re.IGNORECASE)  # `,Other`: the colon is missing


class Tokenizer(Enum):
    """The tokenizers that count what a model read and wrote, by their names in `quicktok`."""

    o200k_base = "o200k_base"  # GPT-4o
    llama3 = "llama3"


@dataclass(frozen=True)
class Replies:
    """The stored replies of one large model, one run at a time."""

    name: str
    model: str
    run: int  # counted from 1, in the order of `files`
    files: dict[str, str]  # path below the data folder -> sha256
    data_dir: Path
    tokenizer: Tokenizer | None = None  # None counts no tokens
    prompt_tokens: int = 0  # before each sentence: the instruction and the frame of the chat

    kind: ClassVar[str] = "replayed"

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a run that is not stored."""
        if not 1 <= self.run <= len(self.files):
            raise ConfigError([f"baseline.run={self.run}; allowed: 1 to {len(self.files)}"])

    def answer(self, data: DataAdapter, examples: Sequence[SpanExample]) -> Answers:
        """Return the spans that the replies name; raises `DataError` when there is no reply to an example."""
        path = _local_file(*list(self.files.items())[self.run - 1], data_dir=self.data_dir.expanduser())
        rows = dict(_read_rows(path))
        replies = [_reply_to(example, rows, path) for example in examples]
        predictions, num_unread = [], 0
        for example, reply in zip(examples, replies, strict=True):
            tags = read_reply(reply, _words(example))
            num_unread += tags.count(None)
            predictions.append(_prediction(example, tags))
        num_words = sum(len(example.words) for example in examples)
        notes = {"unparsed_share": num_unread / max(num_words, 1), "model": self.model, "run": self.run}
        return Answers(predictions, notes | self._tokens(examples, replies))

    def _tokens(self, examples: Sequence[SpanExample], replies: Sequence[str]) -> dict[str, Any]:
        """Return how many tokens the model read and wrote for a sentence, in the mean."""
        if self.tokenizer is None:
            return {}
        encoding = quicktok.get_encoding(self.tokenizer.value)
        num_read = sum(encoding.count("\n".join(_words(example))) for example in examples)
        num_written = sum(encoding.count(reply) for reply in replies)
        return {
            "input_tokens": self.prompt_tokens + num_read / max(len(examples), 1),
            "output_tokens": num_written / max(len(examples), 1),
            "tokenizer": self.tokenizer.value,
        }


def read_reply(reply: str, words: Sequence[str]) -> list[str | None]:
    """Return what the reply says of each word: O, B-PER, I-PER, ..., or None where it says nothing."""
    lines = read_lines(reply)
    spoken = align(words, [word for word, _ in lines])
    tags: list[str | None] = []
    for index, line in enumerate(spoken):
        if line is None:
            tags.append(None)
        elif spoken.count(line) == 1:
            tags.append(_tag(lines[line][1], before=tags[-1] if tags else None))
        else:
            begins = index == 0 or spoken[index - 1] != line
            tags.append(_merged_tag(words[index], lines[line][1], before=None if begins else tags[-1]))
    return tags


def read_lines(reply: str) -> list[tuple[str, str]]:
    """Return the words and labels of a reply; a label alone belongs to the word above it, else to a colon."""
    found = []
    above = ""
    for line in reply.splitlines():
        read = read_line(line)
        if read is not None:
            found.append((read[0] or above or ":", read[1]))
        above = line.strip() if read is None and " " not in line.strip() else ""
    return found


def read_line(line: str) -> tuple[str, str] | None:
    """Return the word and the label (O, B-PER, I-PER, or PER without mark) of a line; None if it has none."""
    head, colon, tail = line.rpartition(":")
    label = _read_label(tail) if colon else None
    word = _BULLET.sub("", head.strip().removeprefix("**").removesuffix("**"))
    if label is None or word.count(" ") >= _MAX_WORDS:
        glued = _GLUED.fullmatch(line.strip())
        return (glued[1], "O") if glued else None
    mark = _MARK.search(word)  # `Labor_B:Organisation`
    if mark is None or label == "O":
        return word, label
    return word[: mark.start()], label if "-" in label else f"{mark[1].upper()}-{label}"


def align(words: Sequence[str], answered: Sequence[str]) -> list[int | None]:
    """Return for each word the index of the answered word that speaks of it, or None; the order is kept.

    First whole words are matched, then what lies between them letter by letter, so that words the model
    merged, split or spelled otherwise still find their line.
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
    """Return for each left word the right word of its first matching letter; None if under half match."""
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
    label = text.strip(_AROUND)
    if _OTHER.fullmatch(label) or (_OTHER_TYPE.fullmatch(label) and not _ENTITY.fullmatch(label)):
        return "O"
    entity = _ENTITY.fullmatch(label)
    if entity is None:
        return None
    mark = entity[1] or entity[3]
    return f"{mark.upper()}-{entity[2].upper()}" if mark else entity[2].upper()


def _tag(label: str, *, before: str | None) -> str:
    """Return the label as a tag: one without B or I goes on with an entity of its type, or begins one."""
    if label == "O" or "-" in label:
        return label
    return f"I-{label}" if before in (f"B-{label}", f"I-{label}") else f"B-{label}"


def _merged_tag(word: str, label: str, *, before: str | None) -> str:
    """Return the tag of one of several words that one line speaks of; `before` is None for the first of them.

    The entity begins with the first that has a letter or digit: `"Hank:Person_B` leaves the quote out.
    """
    mark, _, kind = label.rpartition("-")
    if label == "O" or mark == "I":
        return label
    if before in (f"B-{kind}", f"I-{kind}"):
        return f"I-{kind}"
    return f"B-{kind}" if any(letter.isalnum() for letter in word) else "O"


def _prediction(example: SpanExample, tags: Sequence[str | None]) -> SpanPrediction:
    chunks, _ = tag_chunks([tag or "O" for tag in tags], scheme=Scheme.IOB2)
    offsets = example.words
    spans = tuple(Span(offsets[start][0], offsets[end - 1][1], label) for start, end, label in chunks)
    return SpanPrediction(example.id, spans)


def _plain(word: str) -> str:
    return "".join(word.translate(_QUOTES).casefold().split())


def _words(example: SpanExample) -> list[str]:
    return [example.text[start:end] for start, end in example.words]


def _local_file(local: str, sha256: str, *, data_dir: Path) -> Path:
    if not (data_dir / local).is_file():
        raise DataError(
            "missing, and it has no public address: it was converted from data/llm_prompt_outputs of "
            "github.com/gtfintechlab/FiNER-ORD; put it there, or point data_dir (environment: "
            "RIGHTSIZE_DATA_DIR) at a folder that has it",
            file=data_dir / local,
        )
    return fetch(PinnedFile(local=local, sha256=sha256, url=""), data_dir=data_dir)


def _read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each reply's row under the id that `FinerOrd` gives its sentence."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            yield f"test-{row['doc_idx']}-{row['sent_idx']}", row


def _reply_to(example: SpanExample, rows: Mapping[str, Mapping[str, Any]], path: Path) -> str:
    row = rows.get(example.id)
    if row is None:
        raise DataError(f"no reply to {example.id!r}: these answer data=finer_ord split=test only", file=path)
    if row["tokens"] != _words(example):
        raise DataError(f"the reply to {example.id!r} is to other tokens than the data's", file=path)
    return str(row["reply"])
