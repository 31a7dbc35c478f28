"""From documents without a label to a tuned ranker: each step leaves a file to look at and to go on from.

    pieces.jsonl      the passages, cut into pieces that a generator can read
    written.jsonl     the queries that it wrote for each piece
    judged.jsonl      each query with the rank at which its own passage comes back
    beir/             the queries that were kept, with all passages, to train from
    candidates.trec   the first stage's best passages for them: training draws its negatives from these

Another ranker may train on the same queries: the last file is written anew for each. Only passages are read
of the split, never its questions, unless `gold` adds those of train. The queries of some documents are held
out, for validation.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from shared import runs
from shared.errors import ConfigError, UserError
from shared.files import folder_atomic, write_text_atomic
from shared.passages import Passage, RankingExample
from shared.table_files import json_rows
from tasks.retrieval.collection import FirstStage, Query
from tasks.retrieval.round_trip import round_trip_ranks
from tasks.retrieval.trec import write_run

PIECES, WRITTEN, JUDGED, CANDIDATES = "pieces.jsonl", "written.jsonl", "judged.jsonl", "candidates.trec"
SETTINGS, BEIR = "bootstrap.json", "beir"
FEWEST_WORDS = 8  # of a piece that is asked about
MINED = 100  # passages of a query in candidates.trec


@dataclass(frozen=True)
class Bootstrap:
    """What the steps before training are told."""

    generator: str  # the run of a query generator
    split: str  # whose passages are asked about: train, or test, of which no question is read
    folder: str  # of the files; '' names one below the runs
    piece_words: int  # of a passage that the generator reads at a time
    pieces: int  # that it reads at most, drawn among all; 0 for all
    found_within: int  # the rank at which its passage must come back for a query to be kept
    validated_within: int  # the same for one that validates: what the stage finds at once flatters the stage
    stage: Any  # that finds it: a `_target_` node of `tasks.retrieval.first_stage`
    validation_share: float  # of the documents; none of it where `gold` gives validation
    gold: bool  # train on the questions of train too, and validate on those of validation
    evaluate: bool  # on the data's test questions, once it is trained

    def __post_init__(self) -> None:
        if not self.generator:
            raise ConfigError(
                [
                    "bootstrap.generator is empty: give the run of a query generator; train one: "
                    "python -m tasks.retrieval train task=query_generation"
                ]
            )
        if self.split not in ("train", "test"):
            raise ConfigError([f"bootstrap.split={self.split!r}; allowed: train, test"])
        if self.gold and self.split != "train":
            raise ConfigError(
                ["bootstrap.gold=true needs bootstrap.split=train: test's questions stay unread"]
            )
        if not 0 < self.validation_share < 1:
            raise ConfigError(
                [f"bootstrap.validation_share={self.validation_share}; allowed: above 0, below 1"]
            )
        if self.pieces < 0:
            raise ConfigError([f"bootstrap.pieces={self.pieces}; allowed: 0 or more"])
        for name in ("piece_words", "found_within", "validated_within"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    [f"bootstrap.{name}={getattr(self, name)}; allowed: a whole number above 0"]
                )


def claim_folder(folder: Path, settings: Mapping[str, Any]) -> None:
    """Note what the folder is made from; raises `UserError` where it was made from something else."""
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    path = folder / SETTINGS
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise UserError(
            f"{folder} was begun with other settings, see {path}: "
            "choose another bootstrap.folder, or remove it"
        )
    write_text_atomic(path, text)


def step(path: Path, make: Callable[[], None]) -> None:
    """Make what the path names, unless an earlier run did."""
    if path.exists():
        runs.say(f"{path}: there already")
    else:
        make()
        runs.say(f"{path}: written")


def write_pieces(path: Path, passages: Sequence[Passage], *, words: int, most: int) -> None:
    """Write {"id", "text", "document"} a piece; `document` is the id of its passage.

    A piece of fewer than `FEWEST_WORDS`, such as a heading, is left out. Of more than `most` (0: no limit) so
    many are drawn.
    """
    rows = [
        {"id": f"{passage.id}#{place}", "text": replace(passage, text=text).whole, "document": passage.id}
        for passage in passages
        for place, text in enumerate(pieces(passage.text, words=words))
        if len(text.split()) >= FEWEST_WORDS
    ]
    if most and len(rows) > most:
        drawn = random.Random("bootstrap").sample(range(len(rows)), most)
        rows = [rows[place] for place in sorted(drawn)]
    runs.write_rows(path, rows)


def pieces(text: str, *, words: int) -> list[str]:
    """Return the text in pieces of whole lines, each of about so many words; a longer line is cut."""
    found: list[list[str]] = [[]]
    size = 0
    for line in _short_lines(text, words):
        length = len(line.split())
        if found[-1] and size + length > words:
            found.append([])
            size = 0
        found[-1].append(line)
        size += length
    return ["\n".join(lines) for lines in found if lines]


def judge(path: Path, written: Path, passages: Sequence[Passage], stage: FirstStage) -> None:
    """Write each query once, {"query", "passage", "rank"}, in the order of the passages."""
    asked = list(
        dict.fromkeys(
            (query, str(row["id"]).rpartition("#")[0])
            for _, row in json_rows(written)
            for query in row["queries"]
        )
    )
    ranks = round_trip_ranks(passages, asked, stage=stage)
    rows = zip(asked, ranks, strict=True)
    runs.write_rows(path, ({"query": q, "passage": passage, "rank": rank} for (q, passage), rank in rows))


def keep(
    folder: Path,
    judged: Path,
    passages: Sequence[Passage],
    *,
    settings: Bootstrap,
    gold: Mapping[str, Sequence[Query]],
) -> None:
    """Write the BEIR folder of the queries that find their passage, and of people's (`gold`, by split).

    Where people's queries validate, none is taken that was written for a document they ask about.
    """
    documents = {passage.id: passage.document or passage.id for passage in passages}
    by_split: dict[str, list[Query]] = {split: list(gold.get(split, ())) for split in ("train", "validation")}
    unseen = {documents[name] for query in by_split["validation"] for name in query.grades}
    held_out = set() if gold else _held_out(set(documents.values()), settings.validation_share)
    for number, (_, row) in enumerate(json_rows(judged)):
        document = documents[row["passage"]]
        validates = document in held_out
        limit = settings.validated_within if validates else settings.found_within
        if row["rank"] <= limit and document not in unseen:
            query = Query(f"written-{number}", row["query"], {row["passage"]: 1})
            by_split["validation" if validates else "train"].append(query)
    if not all(by_split.values()):
        counts = ", ".join(f"{len(queries)} for {split}" for split, queries in by_split.items())
        raise UserError(
            f"{judged}: too few queries find their passage again ({counts}): nothing to learn from"
        )
    with folder_atomic(folder) as partial:
        _write_beir(partial, passages, by_split)


def mine(path: Path, examples: Iterable[RankingExample]) -> None:
    """Write the first stage's best passages of each query as a TREC run."""
    rankings = {
        example.id: dict(zip((p.id for p in example.passages[:MINED]), example.first, strict=False))
        for example in examples
    }
    write_run(path, rankings, "first_stage")


def described(settings: Bootstrap, *, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the queries, as plain JSON: not the ranker, since several may share them."""
    of_training = ("folder", "evaluate", "first_stage", "depth", "data_dir")
    kept = [{k: v for k, v in part.items() if k not in of_training} for part in (asdict(settings), data)]
    return {**kept[0], "data": kept[1]}


def _short_lines(text: str, words: int) -> Iterator[str]:
    for line in text.splitlines():
        found = line.split()
        for start in range(0, len(found), words):
            yield line.strip() if len(found) <= words else " ".join(found[start : start + words])


def _held_out(documents: set[str], share: float) -> set[str]:
    """Return the documents whose queries validate, the first of a shuffle that their names alone decide."""
    names = sorted(documents)
    random.Random("bootstrap").shuffle(names)
    return set(names[: max(1, round(share * len(names)))])


def _write_beir(folder: Path, passages: Sequence[Passage], queries: Mapping[str, Sequence[Query]]) -> None:
    corpus = [
        {
            "_id": passage.id,
            "title": passage.title,
            "text": passage.text,
            "metadata": {"document": passage.document},
        }
        for passage in passages
    ]
    asked = [{"_id": query.id, "text": query.text} for found in queries.values() for query in found]
    (folder / "corpus.jsonl").write_text(_lines(corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text(_lines(asked), encoding="utf-8")
    (folder / "qrels").mkdir()
    for split, found in queries.items():
        rows = [f"{query.id}\t{name}\t{grade}\n" for query in found for name, grade in query.grades.items()]
        text = "query-id\tcorpus-id\tscore\n" + "".join(rows)
        (folder / "qrels" / f"{split}.tsv").write_text(text, encoding="utf-8")


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
