"""Span extraction: GLiNER scores every span of up to `max_width` words against the names of the entity types.

Zaratiana et al., arXiv 2311.08526. The library's own layers score (`shared.modules.span_scorer`); this file
feeds them and reads their scores. The type names stand before the text in the encoder's input, so types that
were never trained can be asked for.

B windows in a batch, T tokens, W words, K = max_width, C types.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Outputs, Reviewer
from shared.example_rows import span_prediction_row
from shared.examples import Span, SpanExample, SpanPrediction
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import SpanExtraction
from shared.padding import padded, padded_tokens
from shared.span_calibration import calibrate_spans, fit_span_calibration
from shared.windows import cut_windows, owners
from shared.words import span_words

if TYPE_CHECKING:
    from torch import Tensor, nn

THRESHOLD = "threshold"
LOWEST = 0.05  # of the thresholds that `tune` tries, and their step
NO_TOKEN = -1  # the place of a word that the tokenizer drops

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class SpanWindow:
    """One window; gold spans are (first word, last word, label), counted from the window's first word."""

    example: int
    words: tuple[int, int]
    tokens: list[int]  # type names and words
    places: list[int]  # of each word's first token
    gold: list[tuple[int, int, str]]
    truncated_tokens: int = 0

    @property
    def num_tokens(self) -> int:
        """Tokens of the words and of the names before them."""
        return len(self.tokens)


class SpanExtractionHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self,
        settings: SpanExtraction,
        *,
        types: Mapping[str, str],
        tokenizer: FastTokenizer,
        module: Any,
        new_tokens: Sequence[int] = (),
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self._trained = tuple(types.values())
        self.new_tokens = list(new_tokens)
        self.remembers = False
        self.kept: dict[str, Any] = {}
        self.inspector = None
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.source: dict[str, str] = {}
        self.decoding = {THRESHOLD: settings.threshold}
        self.module = module
        arrays = module.arrays()
        self._marker, self._end_of_names = arrays["markers"].tolist()
        self._behind_marker = int(arrays["behind_marker"])

    def encode(self, examples: Sequence[SpanExample]) -> list[SpanWindow]:
        """Return each example's windows; gold wider than `max_width` or cut by a window is no target."""
        limit, (before, _) = self.settings.window_tokens, self._prompt()
        written = [[example.text[start:end] for start, end in example.words] for example in examples]
        windows: list[SpanWindow] = []
        for index, pieces in enumerate(self.tokenizer.encode_words(written)):
            kept = [min(len(tokens), limit) for tokens in pieces]
            gold = span_words(examples[index])[0]
            for start, end in cut_windows(kept, limit=limit, overlap=self.settings.overlap_tokens):
                tokens, places = list(before), []
                for word in pieces[start:end]:
                    places.append(len(tokens) if word else NO_TOKEN)
                    tokens += word[:limit]
                windows.append(
                    SpanWindow(
                        example=index,
                        words=(start, end),
                        tokens=[*tokens, self.tokenizer.sep_token_id],
                        places=places,
                        gold=[
                            (a - start, b - 1 - start, label)
                            for a, b, label in gold
                            if start <= a and b <= end
                        ],
                        truncated_tokens=sum(map(len, pieces[start:end])) - sum(kept[start:end]),
                    )
                )
        return windows

    def _prompt(self) -> tuple[list[int], list[int]]:
        """Return the tokens in front of the words: the names, each behind a marker; and each type's place."""
        tokens, places = [self.tokenizer.cls_token_id], []
        (names,) = self.tokenizer.encode_words([list(self.types.values())])
        for name in names:
            places.append(len(tokens) + self._behind_marker)
            tokens += [self._marker, *name]
        return [*tokens, self._end_of_names], places

    def collate(self, features: Sequence[SpanWindow]) -> Arrays:
        """Return tokens and mask (B, T), places of words (B, W) and of types (C,), and sizes in words (B,).

        For the loss there are `labels` (B, W, K, C): 1 where the span has the type.
        """
        sizes, types = [len(window.places) for window in features], list(self.types)
        width = self.settings.max_width
        labels = np.zeros((len(features), max(sizes), width, len(types)), dtype=np.float32)
        for row, window in enumerate(features):
            for start, end, label in window.gold:
                if end - start < width and label in self.types:
                    labels[row, start, end - start, types.index(label)] = 1.0
        return {
            **padded_tokens([window.tokens for window in features], fill=self.tokenizer.pad_token_id),
            "places": padded([window.places for window in features], fill=NO_TOKEN),
            "types": np.array(self._prompt()[1]),
            "sizes": np.array(sizes),
            "labels": labels,
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the binary cross-entropy summed over spans and types, per word, and logits (B, W, K, C)."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def decode(
        self, examples: Sequence[SpanExample], features: Sequence[SpanWindow], logits: Sequence[Array]
    ) -> list[SpanPrediction]:
        """Return the spans at or above the threshold, the most probable first where spans overlap.

        The threshold is on probabilities as they are; those of the answer are calibrated.
        """
        lowest = min(LOWEST, self.decoding[THRESHOLD])
        found = self._candidates(examples, features, logits, lowest=lowest)
        answers = _answers(examples, found, self.decoding[THRESHOLD])
        return [calibrate_spans(prediction, self.decoding) for prediction in answers]

    def start(self, backbone: nn.Module, examples: Sequence[SpanExample]) -> None:
        """Do nothing: the fresh weights depend on the seed alone."""

    def measures(self, validation: Sequence[SpanExample]) -> bool:
        """Return False."""
        return False

    def measure(
        self, examples: Sequence[SpanExample], features: Sequence[SpanWindow], logits: Sequence[Array]
    ) -> None:
        """Do nothing: decoding asks for no training example."""

    def remember(
        self, examples: Sequence[SpanExample], features: Sequence[SpanWindow], logits: Sequence[Array]
    ) -> None:
        """Do nothing: no answer is explained by training examples."""

    def tune(
        self, examples: Sequence[SpanExample], features: Sequence[SpanWindow], logits: Sequence[Array]
    ) -> None:
        """Choose the threshold of the best strict micro F1, ties by nearness to 0.5, and fit confidences."""
        found = self._candidates(examples, features, logits, lowest=LOWEST)
        thresholds = [round(LOWEST * step, 2) for step in range(1, round(1 / LOWEST))]
        scores = {threshold: _micro_f1(examples, found, threshold) for threshold in thresholds}
        best = max(thresholds, key=lambda t: (scores[t], -abs(t - 0.5)))
        self.decoding.clear()
        self.decoding.update(fit_span_calibration(examples, _answers(examples, found, best)))
        self.decoding[THRESHOLD] = best

    def ask(self, types: Mapping[str, str]) -> None:
        """Look for these types from now on, trained or not, in an order that is not the asker's.

        Scores depend on the order of the names: those trained keep theirs, the others follow by name.
        """
        known = {name: place for place, name in enumerate(self._trained)}
        ordered = sorted(types.items(), key=lambda item: (known.get(item[1], len(known)), item[1]))
        self.types = dict(ordered)

    def row(self, example: SpanExample, prediction: SpanPrediction) -> dict[str, Any]:
        """Return id and spans with their text."""
        return span_prediction_row(example, prediction)

    def finds(self) -> str:
        """Return the types."""
        return ", ".join(self.types)

    def _candidates(
        self,
        examples: Sequence[SpanExample],
        features: Sequence[SpanWindow],
        logits: Sequence[Array],
        *,
        lowest: float,
    ) -> list[list[Span]]:
        """Return the spans of probability `lowest` or more, each from the window that owns its first word."""
        labels = list(self.types)
        parts: list[list[tuple[SpanWindow, Array]]] = [[] for _ in examples]
        for window, scores in zip(features, logits, strict=True):
            parts[window.example].append((window, scores))
        found: list[list[Span]] = []
        for example, part in zip(examples, parts, strict=True):
            spans = []
            owner = owners([window.words for window, _ in part], len(example.words))
            for index, (window, scores) in enumerate(part):
                size = len(window.places)
                with np.errstate(over="ignore"):  # exp of a large score is infinite, and the probability 0
                    probabilities = 1 / (1 + np.exp(-scores[:size]))
                for start, width, label in np.argwhere(probabilities >= lowest).tolist():
                    first, last = window.words[0] + start, window.words[0] + start + width
                    if start + width < size and owner[first] == index:
                        probability = round(float(probabilities[start, width, label]), 6)
                        ends = example.words[first][0], example.words[last][1]
                        spans.append(Span(*ends, labels[label], probability))
            found.append(spans)
        return found


def _answers(
    examples: Sequence[SpanExample], found: Sequence[Sequence[Span]], threshold: float
) -> list[SpanPrediction]:
    """Return the answers as they are; that of a text is right if each candidate was told right from wrong.

    Candidates are independent for GLiNER: the product has p of those given and 1 - p of others beside them.
    """
    answers = []
    for example, spans in zip(examples, found, strict=True):
        given = _flat(spans, threshold)
        others = [
            span for span in spans if all(span.end <= own.start or own.end <= span.start for own in given)
        ]
        sure = math.prod([span.probability or 0.0 for span in given])
        sure *= math.prod([1 - (span.probability or 0.0) for span in others])
        answers.append(SpanPrediction(example.id, given, round(sure, 6) if example.words else None))
    return answers


def _flat(spans: Sequence[Span], threshold: float = 0.0) -> tuple[Span, ...]:
    """Return the most probable spans at or above the threshold that do not overlap, by start."""
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (-(span.probability or 0.0), span.start, span.end)):
        free = all(span.end <= other.start or other.end <= span.start for other in chosen)
        if free and (span.probability or 0.0) >= threshold:
            chosen.append(span)
    return tuple(sorted(chosen, key=lambda span: span.start))


def _micro_f1(examples: Sequence[SpanExample], found: Sequence[Sequence[Span]], threshold: float) -> float:
    right = total = 0
    for example, spans in zip(examples, found, strict=True):
        gold = {span.key for span in example.spans}
        answer = {span.key for span in _flat(spans, threshold)}
        right += len(gold & answer)
        total += len(gold) + len(answer)
    return 2 * right / total if total else 0.0
