"""The sentences of a document that a bullet rests on: those with its figures and its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.examples import SummaryExample
from tasks.summarization.figures import Figure, find_figures, supported

MOST_SOURCES = 3
FIGURE_WEIGHT = 2.0  # of a figure that a sentence bears out, beside the share of words it has
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Source:
    """A document as it is looked up: figures and words, sentence by sentence."""

    sentences: tuple[str, ...]

    @classmethod
    def of(cls, example: SummaryExample) -> Source:
        """Return the example's document."""
        return cls(example.sentences)

    @cached_property
    def figures(self) -> list[list[Figure]]:
        """The figures of each sentence."""
        return [find_figures(text) for text in self.sentences]

    @cached_property
    def all_figures(self) -> list[Figure]:
        """The figures of the document, each value once."""
        found = {(f.value, f.step, f.unit, f.falls): f for figures in self.figures for f in figures}
        return list(found.values())

    @cached_property
    def words(self) -> list[frozenset[str]]:
        """The words of each sentence, small letters."""
        return [words_of(text) for text in self.sentences]

    def nearest(self, text: str, *, among: Sequence[int]) -> list[int]:
        """Return those of the sentences that share a figure or a word with the text, nearest first."""
        figures, words = find_figures(text), words_of(text)
        scored = [(self._score(index, figures, words), -index) for index in among]
        return [-place for score, place in sorted(scored, reverse=True) if score > 0]

    def _score(self, index: int, figures: Sequence[Figure], words: frozenset[str]) -> float:
        borne = sum(any(supported(claim, figure) for figure in self.figures[index]) for claim in figures)
        return FIGURE_WEIGHT * borne + len(words & self.words[index]) / max(len(words), 1)

    def evidence(self, text: str) -> tuple[int, ...]:
        """Return the nearest sentence, and for figures that it lacks the nearest that has one, best first."""
        ranked = self.nearest(text, among=range(len(self.sentences)))
        chosen, left = ranked[:1], find_figures(text)
        for index in ranked:
            new = [f for f in left if any(supported(f, figure) for figure in self.figures[index])]
            if new and index not in chosen and len(chosen) < MOST_SOURCES:
                chosen.append(index)
            if index in chosen:
                left = [figure for figure in left if figure not in new]
        return tuple(chosen)


def words_of(text: str) -> frozenset[str]:
    """Return the words of three letters and more, small letters."""
    return frozenset(_WORD.findall(text.lower()))
