"""Sentence selection: which sentences of a long document its summary rests on.

The encoder reads each sentence alone; a linear output over its mean token vector and its place in the
document says how much of a summary it tells (targets: `shared.salience`). The whole document is read, in
batches of sentences of similar length.

B sentences in a batch, T tokens, H hidden size.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Outputs, Reviewer, Types
from shared.errors import BundleError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import PLACES, SentenceSelection
from shared.padding import padded_tokens
from shared.salience import has_figure, sentence_targets

if TYPE_CHECKING:
    from torch import Tensor, nn

KEPT_TARGET = 0.1  # sentences above it are never left out of training

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Sentence:
    """One sentence of one document."""

    example: int
    index: int  # of the sentence in the document
    tokens: list[int]
    place: int  # 0 to PLACES - 1
    target: float  # NaN where there is no summary
    truncated_tokens: int

    @property
    def num_tokens(self) -> int:
        """Tokens of the sentence, special ones included."""
        return len(self.tokens)


class SentenceSelectionHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self, settings: SentenceSelection, *, types: Types, tokenizer: FastTokenizer, module: Any
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers, self.inspector = False, None
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.decoding: dict[str, float] = {}
        self.kept: dict[str, Any] = {}
        self.source: dict[str, str] = {}
        self.module = module
        self._sampled: dict[SummaryExample, frozenset[int]] = {}

    def start(self, backbone: nn.Module, examples: Sequence[SummaryExample]) -> None:
        """Choose the training documents' sentences to train on: all that count, and some others."""
        self._sampled = {example: self._sample(example) for example in examples}

    def _sample(self, example: SummaryExample) -> frozenset[int]:
        targets = sentence_targets(example.sentences, example.bullets)
        read = self._read(example)
        kept = [index for index in read if targets[index] > KEPT_TARGET]
        others = [index for index in read if targets[index] <= KEPT_TARGET]
        drawn = random.Random(example.id).sample(others, min(self.settings.negatives, len(others)))
        return frozenset([*kept, *drawn])

    def _read(self, example: SummaryExample) -> list[int]:
        """Return the sentences to look at: with `figures_only` those with figures, if any has one."""
        whole = list(range(len(example.sentences)))
        with_figures = [index for index in whole if has_figure(example.sentences[index])]
        return with_figures if self.settings.figures_only and with_figures else whole

    def encode(self, examples: Sequence[SummaryExample]) -> list[Sentence]:
        """Return the sentences of each document; longer ones are cut at `max_tokens`, counted."""
        chosen = [
            (number, example, sorted(self._sampled.get(example, self._read(example))))
            for number, example in enumerate(examples)
        ]
        texts = [example.sentences[index] for _, example, indices in chosen for index in indices]
        encoded = iter(self.tokenizer.encode_all(texts))
        return [
            self._sentence(number, example, index, tokens=next(encoded), target=target)
            for number, example, indices in chosen
            for index, target in zip(indices, _targets(example, indices), strict=True)
        ]

    def _sentence(
        self, number: int, example: SummaryExample, index: int, *, tokens: list[int], target: float
    ) -> Sentence:
        limit = self.settings.max_tokens
        return Sentence(
            example=number,
            index=index,
            tokens=[self.tokenizer.cls_token_id, *tokens[:limit], self.tokenizer.sep_token_id],
            place=index * PLACES // len(example.sentences),
            target=target,
            truncated_tokens=max(0, len(tokens) - limit),
        )

    def collate(self, features: Sequence[Sentence]) -> Arrays:
        """Return tokens, mask (B, T), places and targets (B,)."""
        return {
            **padded_tokens([item.tokens for item in features], fill=self.tokenizer.pad_token_id),
            "places": np.array([item.place for item in features]),
            "targets": np.array([item.target for item in features], dtype=np.float32),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the cross-entropy with the soft targets, and logits (B,)."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def decode(
        self, examples: Sequence[SummaryExample], features: Sequence[Sentence], logits: Sequence[Array]
    ) -> list[SummaryPrediction]:
        """Return the best sentences as quoted bullets, in the document's order."""
        ranks = self.rank(examples, features, logits)
        return [self._summary(example, ranked) for example, ranked in zip(examples, ranks, strict=True)]

    def rank(
        self, examples: Sequence[SummaryExample], features: Sequence[Sentence], logits: Sequence[Array]
    ) -> list[tuple[int, ...]]:
        """Return the sentences of each document that were read, best first."""
        found: list[list[tuple[float, int]]] = [[] for _ in examples]
        for sentence, logit in zip(features, logits, strict=True):
            found[sentence.example].append((-float(logit), sentence.index))
        return [tuple(index for _, index in sorted(scored)) for scored in found]

    def _summary(self, example: SummaryExample, ranked: Sequence[int]) -> SummaryPrediction:
        if not ranked:
            return SummaryPrediction(example.id, abstained="the document is empty")
        chosen = sorted(ranked[: self.settings.sentences])
        return SummaryPrediction(example.id, tuple(Bullet("", (index,), quoted=True) for index in chosen))

    def measures(self, validation: Sequence[SummaryExample]) -> bool:
        """Return False: nothing is measured on train after training."""
        return False

    def measure(
        self, examples: Sequence[SummaryExample], features: Sequence[Sentence], logits: Sequence[Array]
    ) -> None:
        """Do nothing: see `measures`."""

    def remember(
        self, examples: Sequence[SummaryExample], features: Sequence[Sentence], logits: Sequence[Array]
    ) -> None:
        """Do nothing: a choice of sentences shows its own reasons."""

    def tune(
        self, examples: Sequence[SummaryExample], features: Sequence[Sentence], logits: Sequence[Array]
    ) -> None:
        """Do nothing: so many sentences are chosen, whatever their scores."""

    def ask(self, types: Types) -> None:
        """Accept what was trained alone."""
        if dict(types) != self.types:
            raise BundleError(f"this bundle chooses sentences, asked for: {', '.join(types)}")

    def row(self, example: SummaryExample, prediction: SummaryPrediction) -> dict[str, Any]:
        """Return the chosen sentences with their places in the document."""
        sentences = [
            {"sentence": bullet.sources[0], "text": example.sentences[bullet.sources[0]]}
            for bullet in prediction.bullets
        ]
        return {"id": prediction.id, "sentences": sentences, "abstained": prediction.abstained}

    def finds(self) -> str:
        """Return what is chosen."""
        return f"the {self.settings.sentences} sentences that a document's summary rests on"


def _targets(example: SummaryExample, indices: Sequence[int]) -> list[float]:
    if not example.bullets:
        return [float("nan")] * len(indices)
    return sentence_targets([example.sentences[index] for index in indices], example.bullets)
