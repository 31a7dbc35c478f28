"""Opinions on companies: FiQA's aspects and sentiment, SubjECTive-QA's six facets of an answer."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.examples import FacetExample
from shared.fetch import PinnedFile, fetch
from shared.ontology import Cardinality, Concept, Facet, Ontology
from shared.trees import PinnedTree, fetch_tree
from tasks.ontology.report import data_report
from tasks.ontology.splits import divide, named, same_text

_LISTINGS = Path(__file__).parent / "trees"  # the lists of checksums
_ASPECT = Facet("aspect", "aspect", Cardinality.exactly_one)
_SENTIMENT = Facet("sentiment", "sentiment", Cardinality.number)


@dataclass(frozen=True)
class FiqaAbsa:
    """FiQA 2018 task 1: what a headline or post says of a target, and how good that is, from -1 to 1.

    An example is one annotation: the sentence, with the target as its second text. Aspects are paths of
    which `_levels` mends the spelling; the ontology holds those of upstream's training files and all above
    them. An aspect that only test has becomes the deepest of its path that the ontology knows. Upstream has
    no validation split: 15 % of the training headlines and of the posts, whole documents.
    """

    name: str
    licence: str
    train_headlines: PinnedFile
    train_posts: PinnedFile
    test_headlines: PinnedFile
    test_posts: PinnedFile
    data_dir: Path

    def ontology(self) -> Ontology:
        """Return the facets `aspect`, a tree whose ids are paths such as Corporate/Legal, and `sentiment`."""
        paths = {path for item in self._annotations("train") for path in _paths(item.aspects[0])}
        concepts = (
            Concept(path, _ASPECT.id, path.rpartition("/")[2], broader=_above(path)) for path in sorted(paths)
        )
        return Ontology("fiqa_absa", (_ASPECT, _SENTIMENT), tuple(concepts))

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the files of headlines and of posts that a split is read from."""
        train = [self.train_headlines, self.train_posts]
        pinned = [self.test_headlines, self.test_posts] if split == "test" else train
        return [fetch(file, data_dir=self.data_dir.expanduser()) for file in pinned]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's annotations; ids are `<split>-<headline or post>-<upstream's key>-<number>`."""
        known = self.ontology().index
        examples = [
            FacetExample(
                id=item.id,
                text=item.sentence,
                pair=item.target,
                labels={_ASPECT.id: ([path for path in _paths(item.aspects[0]) if path in known][-1],)},
                values={_SENTIMENT.id: item.sentiment},
                document=item.document,
            )
            for item in self._annotations(split)
        ]
        if split != "test":
            examples = divide(
                examples, split, share=0.15, stratum=lambda item: item.document.partition("-")[0]
            )
        return named(examples, split)

    def report(self) -> str:
        """Return the data report."""
        items = self._annotations("train")
        repaired = sum(item.repaired for item in items)
        several = sum(len(item.aspects) > 1 for item in items)
        return data_report(
            self,
            warnings=[
                f"repaired: {repaired} lists of aspects without a closing quote, read as one aspect",
                f"cut short: {several} annotations with several aspects, of which the first counts",
            ],
        )

    def _annotations(self, split: str) -> list[_Annotation]:
        headlines, posts = self.files(split)
        return [*_annotations(headlines, "headline"), *_annotations(posts, "post")]


@dataclass(frozen=True)
class SubjectiveQa:
    """SubjECTive-QA (Pardawala et al., NeurIPS 2024): six facets of each answer in an earnings call.

    The text is the question, its second text the answer; both stripped of white space around them. Train is
    118 workbooks of an earlier state of the annotation, without the pairs that the released test split has.
    Upstream's other splits are not public: 10 % of the calls are validation. A cell that is not 0, 1 or 2
    leaves its facet without a label.
    """

    name: str
    licence: str
    workbooks: PinnedTree
    test: PinnedFile
    data_dir: Path

    def ontology(self) -> Ontology:
        """Return six ordinal facets of three concepts, such as clear/0, clear/1 and clear/2."""
        facets = tuple(Facet(name, name, Cardinality.ordinal) for name in _SUBJECTIVE)
        concepts = (
            Concept(f"{name}/{level}", name, label.format(name), definition.format(name))
            for name in _SUBJECTIVE
            for level, (label, definition) in enumerate(_LEVELS)
        )
        return Ontology("subjective_qa", facets, tuple(concepts))

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the split's workbooks; train and validation read the texts of test to leave them out."""
        data_dir = self.data_dir.expanduser()
        test = fetch(self.test, data_dir=data_dir)
        if split == "test":
            return [test]
        return [*fetch_tree(self.workbooks, listings=_LISTINGS, data_dir=data_dir), test]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's pairs; ids are `<split>-<row>` over upstream's workbooks in order, from 0."""
        if split == "test":
            return named(_pairs(self.files("test")), split)
        kept, _ = self._kept()
        return named(divide(kept, split, share=0.1, stratum=lambda _: ""), split)

    def report(self) -> str:
        """Return the data report."""
        _, removed = self._kept()
        pairs = _pairs(self.files("train")[:-1])
        unlabelled = sum(len(_SUBJECTIVE) - len(pair.labels) for pair in pairs)
        return data_report(
            self,
            warnings=[
                f"removed from train and validation: {removed} pairs that stand in test",
                f"unlabelled: {unlabelled} cells of the workbooks that are not 0, 1 or 2",
            ],
        )

    def _kept(self) -> tuple[list[FacetExample], int]:
        """Return the pairs of the workbooks without those of test, and how many those are."""
        *workbooks, test = self.files("train")
        texts = {same_text(pair) for pair in _pairs([test])}
        pairs = _pairs(workbooks)
        kept = [pair for pair in pairs if same_text(pair) not in texts]
        return kept, len(pairs) - len(kept)


@dataclass(frozen=True)
class _Annotation:
    """One target of a headline or post; the ids of `aspects` are mended, `sentiment` is from -1 to 1."""

    id: str
    document: str
    sentence: str
    target: str
    aspects: tuple[str, ...]
    sentiment: float
    repaired: bool


def _annotations(path: Path, kind: str) -> Iterator[_Annotation]:
    for key, document in json.loads(path.read_text(encoding="utf-8")).items():
        for number, given in enumerate(document["info"]):
            aspects, repaired = _read_list(given["aspects"])
            yield _Annotation(
                id=f"{kind}-{key}-{number}",
                document=f"{kind}-{key}",
                sentence=document["sentence"],
                target=given["target"],
                aspects=tuple("/".join(_levels(aspect)) for aspect in aspects),
                sentiment=float(given["sentiment_score"]),
                repaired=repaired,
            )


def _read_list(cell: str) -> tuple[list[str], bool]:
    """Return the texts of a Python list, and whether it had to be mended.

    What is no list is one text: what stands between the brackets, without quotes.
    """
    try:
        return list(ast.literal_eval(cell)), False
    except SyntaxError:
        return [cell.strip("[]'\"")], True


def _levels(aspect: str) -> list[str]:
    """Return the levels of an aspect in one spelling.

    Empty levels are dropped, each begins with a capital, Behaviour is Behavior, and a third or deeper level
    that repeats the one above it is dropped: Corporate/M&A/M&A is Corporate/M&A, Market/Market stays.
    """
    levels: list[str] = []
    for given in aspect.split("/"):
        level = given.strip().replace("Behaviour", "Behavior")
        if level and not (len(levels) > 1 and level.casefold() == levels[-1].casefold()):
            levels.append(level[0].upper() + level[1:])
    return levels


def _paths(aspect: str) -> list[str]:
    """Return the aspect and all above it, the topmost first."""
    levels = aspect.split("/")
    return ["/".join(levels[:end]) for end in range(1, len(levels) + 1)]


def _above(path: str) -> tuple[str, ...]:
    parent = path.rpartition("/")[0]
    return (parent,) if parent else ()


_SUBJECTIVE = ("clear", "assertive", "cautious", "optimistic", "specific", "relevant")
_LEVELS = (
    ("not {}", "the answer is the opposite of {}"),
    ("neutral", "the answer is neither {} nor its opposite"),
    ("{}", "the answer is {}"),
)


def _pairs(paths: Iterable[Path]) -> list[FacetExample]:
    rows = [row for path in paths for row in _read_workbook(path)]
    return [_pair(str(number), row) for number, row in enumerate(rows)]


def _pair(id: str, row: Mapping[str, Any]) -> FacetExample:
    company = row.get("COMPANYNAME") or row["TICKER"]
    cells = {name: row[name.upper()] for name in _SUBJECTIVE}
    return FacetExample(
        id=id,
        text=row["QUESTION"].strip(),
        pair=row["ANSWER"].strip(),
        labels={name: (f"{name}/{cell}",) for name, cell in cells.items() if cell in (0, 1, 2)},
        document=f"{company}-{row['QUARTER']}-{row['YEAR']}",
    )


@cache
def _read_workbook(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a workbook's one sheet, by the names in its first row."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    book.close()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]
