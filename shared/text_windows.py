"""Windows of tokens for a facet head: long texts in pieces, two texts in one, markers around two marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.examples import FacetExample
from shared.facet_decoding import out_of_scope
from shared.fast_tokenizer import FastTokenizer
from shared.ontology import Cardinality, Facet, Ontology
from shared.windows import cut_windows

MARKERS = {"e1": ("[E1]", "[/E1]"), "e2": ("[E2]", "[/E2]")}
MARKER_TOKENS = [marker for pair in MARKERS.values() for marker in pair]
UNLABELLED, LABELLED, OUT_OF_SCOPE = 0, 1, 2


@dataclass(frozen=True)
class TextWindow:
    """One window; `targets` are the places of the gold concepts, ancestors included."""

    example: int
    tokens: list[int]
    marks: tuple[int, int]  # where the markers before e1 and e2 stand; 0 where there are none
    targets: list[int]
    labelled: list[int]  # UNLABELLED, LABELLED or OUT_OF_SCOPE, per facet
    values: list[float]  # per facet that is a number, NaN where it is not labelled
    truncated_tokens: int  # that no window of the example holds; told by its first window alone

    @property
    def num_tokens(self) -> int:
        """Tokens in this window, special ones included."""
        return len(self.tokens)


class TextReader:
    """Turns examples into windows; where the ontology has relations, an example has two marks or none."""

    def __init__(
        self,
        ontology: Ontology,
        tokenizer: FastTokenizer,
        *,
        window_tokens: int,
        overlap_tokens: int,
        first_tokens: int,
    ) -> None:
        self.ontology, self.tokenizer, self.with_marks = ontology, tokenizer, bool(ontology.relations)
        self.window_tokens, self.overlap_tokens = window_tokens, overlap_tokens
        self.first_tokens = first_tokens
        self.numbers = [facet.id for facet in ontology.facets if facet.cardinality is Cardinality.number]

    def encode(self, examples: Sequence[FacetExample]) -> list[TextWindow]:
        """Return the windows of each example: of its pair behind the beginning of its text, if it has one."""
        return [window for index, example in enumerate(examples) for window in self._windows(index, example)]

    def _windows(self, index: int, example: FacetExample) -> list[TextWindow]:
        text, marks = self._marked_tokens(example)
        pair = self.tokenizer.encode(example.pair) if example.pair else []
        first, rest = (text[: self.first_tokens], pair) if pair else ([], text)
        cls, sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        front = [cls, *first, sep] if first else [cls]
        ranges = self._ranges(len(rest), marks, room=self.window_tokens - len(front) + 1)
        whole = TextWindow(
            example=index,
            tokens=[],
            marks=(0, 0),
            targets=self.targets(example),
            labelled=[self._labelled(facet, example) for facet in self.ontology.facets],
            values=[example.values.get(name, float("nan")) for name in self.numbers],
            truncated_tokens=len(text) + len(pair) - len(first) - (ranges[-1][1] - ranges[0][0]),
        )
        windows: list[TextWindow] = []
        for start, end in ranges:
            lost = 0 if windows else whole.truncated_tokens  # counted once for each example
            places = [mark - start + len(front) if start <= mark < end else 0 for mark in marks or (-1, -1)]
            tokens = [*front, *rest[start:end], sep]
            windows.append(replace(whole, tokens=tokens, marks=(places[0], places[1]), truncated_tokens=lost))
        return windows

    def _ranges(self, length: int, marks: Sequence[int], *, room: int) -> list[tuple[int, int]]:
        """Return the ranges of tokens to read: all in pieces, or one piece around the marks."""
        if marks:
            middle = sum(marks) // len(marks)
            start = max(0, min(middle - room // 2, length - room))
            return [(start, min(start + room, length))]
        return cut_windows([1] * length, limit=room, overlap=self.overlap_tokens) or [(0, 0)]

    def _marked_tokens(self, example: FacetExample) -> tuple[list[int], list[int]]:
        """Return the text's tokens with markers around its marks, and where the markers before them stand."""
        if not (self.with_marks and example.marks):
            return self.tokenizer.encode(example.text), []
        tokens, position, starts = [], 0, {"e1": 0, "e2": 0}
        for mark in sorted(example.marks, key=lambda mark: mark.start):
            before, after = self.tokenizer.ids(MARKERS[mark.label])
            tokens += self.tokenizer.encode(example.text[position : mark.start])
            starts[mark.label] = len(tokens)
            tokens += [before, *self.tokenizer.encode(example.text[mark.start : mark.end]), after]
            position = mark.end
        return tokens + self.tokenizer.encode(example.text[position:]), [starts["e1"], starts["e2"]]

    def targets(self, example: FacetExample) -> list[int]:
        """Return the places of the gold concepts, ancestors included; an unknown one counts as none."""
        index, ancestors = self.ontology.index, self.ontology.ancestors
        gold = [concept for concepts in example.labels.values() for concept in concepts if concept in index]
        return sorted({index[name] for concept in gold for name in (concept, *ancestors[concept])})

    def _labelled(self, facet: Facet, example: FacetExample) -> int:
        if facet.id not in example.labels:
            return UNLABELLED
        return OUT_OF_SCOPE if out_of_scope(facet, example) else LABELLED
