"""Token classification: one IOB2 tag per word from its first sub-token; decoding cannot give a broken span.

B windows in a batch, T tokens, W words, H hidden units, C = 1 + 2 x types tags in the order O, B-x, I-x, B-y.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Outputs, Reviewer
from shared.crf import IGNORED, Solution, iob2_tags, solve
from shared.document_evidence import share_evidence
from shared.errors import BundleError
from shared.example_rows import span_prediction_row
from shared.examples import Span, SpanExample, SpanPrediction
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import TokenClassification
from shared.padding import padded, padded_tokens
from shared.span_calibration import calibrate_spans, fit_span_calibration
from shared.windows import cut_windows, owners
from shared.word_shape import word_shape
from shared.words import span_words

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class WordWindow:
    """One window: `first_tokens[i]` is where word `words[0] + i` begins, 0 if it has no token."""

    example: int
    words: tuple[int, int]
    tokens: list[int]  # token ids with the special tokens
    shapes: list[int]  # one of SHAPES per token
    first_tokens: list[int]
    targets: list[int]  # one tag per word
    truncated_tokens: int  # of words longer than a whole window
    reference: Array | None = None  # logits (words, C) of the model to stay with

    @property
    def num_tokens(self) -> int:
        """Tokens in this window, special ones included."""
        return len(self.tokens)


class TokenClassificationHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self,
        settings: TokenClassification,
        *,
        types: Mapping[str, str],
        tokenizer: FastTokenizer,
        module: Any,
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.decoding: dict[str, float] = {}
        self.new_tokens: list[int] = []
        self.remembers = False
        self.kept: dict[str, Any] = {}
        self.inspector = None
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.source: dict[str, str] = {}
        self.tags, self.module = iob2_tags(types), module

    def encode(self, examples: Sequence[SpanExample]) -> list[WordWindow]:
        """Return the windows of each example; an example without words has none."""
        written = [[example.text[start:end] for start, end in example.words] for example in examples]
        filled = [index for index, words in enumerate(written) if words]
        windows: list[WordWindow] = []
        if not filled:
            return windows
        encoded = self.tokenizer.encode_words([written[index] for index in filled])
        for index, pieces in zip(filled, encoded, strict=True):
            windows.extend(self._windows(index, examples[index], written[index], pieces))
        return windows

    def _windows(
        self, index: int, example: SpanExample, written: Sequence[str], pieces: Sequence[list[int]]
    ) -> list[WordWindow]:
        limit = self.settings.window_tokens
        targets = self._targets(example)
        kept = [piece[:limit] for piece in pieces]
        windows = []
        for start, end in cut_windows(
            [len(piece) for piece in kept], limit=limit, overlap=self.settings.overlap_tokens
        ):
            tokens, shapes, first_tokens = [self.tokenizer.cls_token_id], [0], []
            for word in range(start, end):
                first_tokens.append(len(tokens) if kept[word] else 0)
                tokens.extend(kept[word])
                shapes.extend([word_shape(written[word])] * len(kept[word]))
            windows.append(
                WordWindow(
                    example=index,
                    words=(start, end),
                    tokens=[*tokens, self.tokenizer.sep_token_id],
                    shapes=[*shapes, 0],
                    first_tokens=first_tokens,
                    targets=targets[start:end],
                    truncated_tokens=sum(len(pieces[word]) - len(kept[word]) for word in range(start, end)),
                )
            )
        return windows

    def _targets(self, example: SpanExample) -> list[int]:
        targets = [0] * len(example.words)
        for start, end, label in span_words(example)[0]:
            targets[start] = self.tags.index(f"B-{label}")
            targets[start + 1 : end] = [self.tags.index(f"I-{label}")] * (end - start - 1)
        return targets

    def collate(self, features: Sequence[WordWindow]) -> Arrays:
        """Return `tokens`, `mask`, `shapes` (B, T) and `first_tokens`, `targets` (B, W), all int64.

        Where a reference is followed, its logits are `reference` (B, W, C), 0 behind the words.
        """
        batch: Arrays = {
            **padded_tokens([window.tokens for window in features], fill=self.tokenizer.pad_token_id),
            "shapes": padded([window.shapes for window in features], fill=0),
            "first_tokens": padded([window.first_tokens for window in features], fill=0),
            "targets": padded([window.targets for window in features], fill=IGNORED),
        }
        if features[0].reference is not None:
            batch["reference"] = np.zeros((*batch["targets"].shape, len(self.tags)), dtype=np.float32)
            for row, window in zip(batch["reference"], features, strict=True):
                row[: len(window.targets)] = window.reference
        return batch

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the mean negative log likelihood of a word's tag and the logits (B, W, C)."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def follow(
        self, features: Sequence[WordWindow], logits: Sequence[Array], *, weight: float
    ) -> list[WordWindow]:
        """Return the windows with a reference's logits, to which words that it tagged right are drawn."""
        self.module.reference_weight = weight
        return [
            replace(window, reference=own[: len(window.targets)].astype(np.float32))
            for window, own in zip(features, logits, strict=True)
        ]

    def decode(
        self, examples: Sequence[SpanExample], features: Sequence[WordWindow], logits: Sequence[Array]
    ) -> list[SpanPrediction]:
        """Return the spans of the best tags; a span's probability is the geometric mean of its marginals.

        That of the whole answer is the best tags' among all sequences; both are calibrated. The examples of
        one document decide together, see `share_evidence`.
        """
        found = self._answers(examples, features, logits)
        return [calibrate_spans(prediction, self.decoding) for prediction in found]

    def _answers(
        self, examples: Sequence[SpanExample], features: Sequence[WordWindow], logits: Sequence[Array]
    ) -> list[SpanPrediction]:
        """Return the answers as they are, before calibration."""
        parts: list[list[tuple[WordWindow, Array]]] = [[] for _ in examples]
        for window, window_logits in zip(features, logits, strict=True):
            parts[window.example].append((window, window_logits))
        scores = [self._word_scores(example, part) for example, part in zip(examples, parts, strict=True)]
        scores = share_evidence(examples, scores, share=self.settings.document_share)
        solutions = solve(scores, self.module.arrays()["transitions"])
        return [self._answer(example, one) for example, one in zip(examples, solutions, strict=True)]

    def _word_scores(self, example: SpanExample, parts: Sequence[tuple[WordWindow, Array]]) -> Array:
        """Return the logits (W, C) of each word from the window that owns it; 0 for one without a token."""
        scores = np.zeros((len(example.words), len(self.tags)), dtype=np.float32)
        owner = owners([window.words for window, _ in parts], len(example.words))
        for index, (window, logits) in enumerate(parts):
            for position, first_token in enumerate(window.first_tokens):
                word = window.words[0] + position
                if owner[word] == index and first_token:
                    scores[word] = logits[position]
        return scores

    def _answer(self, example: SpanExample, solution: Solution) -> SpanPrediction:
        if not example.words:
            return SpanPrediction(example.id)
        spans = tuple(self._spans(example, solution))
        return SpanPrediction(example.id, spans, round(solution.probability, 6))

    def _spans(self, example: SpanExample, solution: Solution) -> Iterator[Span]:
        for start, end, label in _chunks([self.tags[tag] for tag in solution.tags]):
            chosen = solution.marginals[np.arange(start, end), solution.tags[start:end]]
            probability = round(float(np.exp(np.log(chosen).mean())), 6)
            yield Span(example.words[start][0], example.words[end - 1][1], label, probability)

    def start(self, backbone: nn.Module, examples: Sequence[SpanExample]) -> None:
        """Do nothing: the fresh weights depend on the seed alone."""

    def measures(self, validation: Sequence[SpanExample]) -> bool:
        """Return False."""
        return False

    def measure(
        self, examples: Sequence[SpanExample], features: Sequence[WordWindow], logits: Sequence[Array]
    ) -> None:
        """Do nothing: decoding asks for no training example."""

    def remember(
        self, examples: Sequence[SpanExample], features: Sequence[WordWindow], logits: Sequence[Array]
    ) -> None:
        """Do nothing: no answer is explained by training examples."""

    def tune(
        self, examples: Sequence[SpanExample], features: Sequence[WordWindow], logits: Sequence[Array]
    ) -> None:
        """Fit how sure answers are: Viterbi decoding has no threshold."""
        found = self._answers(examples, features, logits)
        self.decoding.clear()
        self.decoding.update(fit_span_calibration(examples, found))

    def ask(self, types: Mapping[str, str]) -> None:
        """Accept the trained types alone."""
        if set(types) != set(self.types):
            raise BundleError(
                f"this head finds {', '.join(self.types)} and nothing else; asked for: {', '.join(types)}. "
                "A span_extraction bundle (model=gliner_minilm) can be asked for other types"
            )

    def row(self, example: SpanExample, prediction: SpanPrediction) -> dict[str, Any]:
        """Return id and spans with their text."""
        return span_prediction_row(example, prediction)

    def finds(self) -> str:
        """Return the types."""
        return ", ".join(self.types)


def _chunks(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    chunks: list[tuple[int, int, str]] = []
    for index, tag in enumerate(tags):
        if tag.startswith("B-"):
            chunks.append((index, index + 1, tag[2:]))
        elif tag.startswith("I-"):
            chunks[-1] = (chunks[-1][0], index + 1, tag[2:])
    return chunks
