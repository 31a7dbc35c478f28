"""The sentences of a document that a bullet rests on: those with its figures and its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from shared.examples import SummaryExample
from tasks.summarization.figures import Figure, find_figures, supported
from tasks.summarization.kind_words import reported_quarter
from tasks.summarization.names import FREE_WORDS

MOST_SOURCES = 3
FIGURE_WEIGHT = 2.0  # of a figure that a sentence bears out, beside the share of words it has
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Source:
    """A document as it is looked up: figures and words, sentence by sentence."""

    sentences: tuple[str, ...]

    @classmethod
    def of(cls, example: SummaryExample) -> Source:
        """Return the example's document; of the last one asked for, with what was looked up in it."""
        return _source(example.sentences)

    @cached_property
    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(self.sentences)

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

    @cached_property
    def reported_quarter(self) -> int | None:
        """The quarter that the document reports, None where it does not tell."""
        return reported_quarter(self.sentences)

    def nearest(self, text: str, *, among: Sequence[int]) -> list[int]:
        """Return those of the sentences that share a figure or a word with the text.

        Nearest first: those with most of its figures, of equals those with most of its words, then the first.
        """
        figures, words = find_figures(text), words_of(text)
        scored = [(self._score(index, figures, words), -index) for index in among]
        return [-place for score, place in sorted(scored, reverse=True) if score > 0]

    def bearing(self, text: str) -> list[int]:
        """Return the sentences that bear out figures of the text, as many as any of them does."""
        figures = find_figures(text)
        borne = [len(self._borne(index, figures)) for index in range(len(self.sentences))] if figures else []
        most = max(borne, default=0)
        return [index for index, num in enumerate(borne) if most and num == most]

    def with_figures(self, text: str) -> list[int]:
        """Return the sentences that bear out a figure of the text, nearest first."""
        figures = find_figures(text)
        places = range(len(self.sentences)) if figures else range(0)
        return self.nearest(text, among=[index for index in places if self._borne(index, figures)])

    def evidence(self, text: str) -> tuple[int, ...]:
        """Return the nearest sentence, and behind it the nearest that has a figure still missing, and so on.

        At most `MOST_SOURCES`; none where no sentence shares a figure or a word with the text.
        """
        chosen: list[int] = []
        left = find_figures(text)
        for index in self.nearest(text, among=range(len(self.sentences))):
            borne = self._borne(index, left)
            if borne or not chosen:
                chosen.append(index)
                left = [figure for figure in left if figure not in borne]
        return tuple(chosen[:MOST_SOURCES])

    def _score(self, index: int, figures: Sequence[Figure], words: frozenset[str]) -> float:
        borne = self._borne(index, figures)
        return FIGURE_WEIGHT * len(borne) + len(words & self.words[index]) / max(len(words), 1)

    def _borne(self, index: int, figures: Sequence[Figure]) -> list[Figure]:
        """Return those of the figures that the sentence bears out."""
        return [claim for claim in figures if any(supported(claim, own) for own in self.figures[index])]


@lru_cache(maxsize=1)
def _source(sentences: tuple[str, ...]) -> Source:
    return Source(sentences)


def words_of(text: str) -> frozenset[str]:
    """Return the words of three letters and more, small letters; those that any text has are left out."""
    return frozenset(_WORD.findall(text.lower())) - FREE_WORDS
