"""Embedding density: how odd a text is among the normal ones that were seen, and why.

The encoder reads a text once; `shared.anomaly_decoding` says how far its embedding and its writing lie from
those of normal texts, and whether that is an alarm. Known anomalies, where there are any, train the encoder
and a linear output that tells them from normal texts.

B windows in a batch, T tokens, H units of an embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.anomaly_decoding import HELD_OUT, AnomalyDecoder, Normal, TextsRead
from shared.contracts import Arrays, Outputs, Reviewer, Types
from shared.errors import BundleError
from shared.examples import UNRELATED, AnomalyExample, AnomalyPrediction
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import EmbeddingDensity
from shared.occlusion import Occlusion
from shared.padding import padded_tokens
from shared.windows import cut_windows

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class TextPiece:
    """One window of one text of an example; `target` is 1 for an anomaly, 0 for none, NaN if nobody says."""

    example: int
    place: int  # of the text in the example
    tokens: list[int]
    target: float
    weight: float  # in the loss

    @property
    def num_tokens(self) -> int:
        """Tokens in this window, special ones included."""
        return len(self.tokens)


class EmbeddingDensityHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self, settings: EmbeddingDensity, *, types: Types, tokenizer: FastTokenizer, module: Any
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers = False
        self.inspector = Occlusion(settings.max_parts, blank=tokenizer.special["unk"])
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.source: dict[str, str] = {}
        self.decoder = AnomalyDecoder(settings)
        self.decoding = self.decoder.thresholds
        self.kept: dict[str, Any] = {}
        self.module = module
        self._weights: dict[tuple[str, str], float] = {}

    def start(self, backbone: nn.Module, examples: Sequence[AnomalyExample]) -> None:
        """Weigh the groups of texts alike, and alike normal texts, known anomalies and unrelated texts."""
        counts = Counter(_weighed(example) for example in examples)
        groups = Counter(sort for sort, _ in counts)
        share = len(examples) / len(groups)
        self._weights = {key: share / groups[key[0]] / count for key, count in counts.items()}

    def encode(self, examples: Sequence[AnomalyExample]) -> list[TextPiece]:
        """Return the windows of each text of each example."""
        return [
            TextPiece(index, place, tokens, _target(example), self._weights.get(_weighed(example), 1.0))
            for index, example in enumerate(examples)
            for place, text in enumerate(example.texts)
            for tokens in self._windows(text)
        ]

    def _windows(self, text: str) -> list[list[int]]:
        tokens = self.tokenizer.encode(text)
        ranges = cut_windows(
            [1] * len(tokens), limit=self.settings.window_tokens, overlap=self.settings.overlap_tokens
        )
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return [[first, *tokens[start:end], last] for start, end in ranges or [(0, 0)]]

    def collate(self, features: Sequence[TextPiece]) -> Arrays:
        """Return tokens, mask (B, T), targets and weights (B,)."""
        return {
            **padded_tokens([piece.tokens for piece in features], fill=self.tokenizer.pad_token_id),
            "targets": np.array([piece.target for piece in features], dtype=np.float32),
            "weights": np.array([piece.weight for piece in features], dtype=np.float32),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the weighted cross-entropy of normal against anomalous, and (B, 1 + H)."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def measures(self, validation: Sequence[AnomalyExample]) -> bool:
        """Return True: what is normal is measured on train."""
        return True

    def measure(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> None:
        """Keep where the normal texts of train lie, how they are written, and the known anomalies."""
        normal = self.decoder.measure(examples, _texts_read(examples, features, logits))
        self.kept = normal.kept
        self.module.keep(normal.density.arrays())

    def tune(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> None:
        """Fit on held-out normal examples what the parts of the score are measured by, and the threshold."""
        self._restore()
        self.decoder.tune(examples, _texts_read(examples, features, logits))
        self.module.keep({HELD_OUT: self.decoder.held_out})

    def _restore(self) -> None:
        """Let the decoder know what a bundle knows of normal texts, if it was loaded from one."""
        if self.decoder.normal is None and self.kept:
            arrays = self.module.arrays()
            self.decoder.held_out = arrays.pop(HELD_OUT)
            self.decoder.normal = Normal.restored(arrays, self.kept)

    def decode(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> list[AnomalyPrediction]:
        """Return how odd each example is; before `measure`, the trained output alone says."""
        self._restore()
        return self.decoder.decode(examples, _texts_read(examples, features, logits))

    def remember(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> None:
        """Do nothing: the bundle has the normal texts that explain an alarm."""

    def ask(self, types: Types) -> None:
        """Accept what was trained alone: an anomaly is an anomaly."""
        if dict(types) != self.types:
            raise BundleError(f"this bundle tells anomalies from normal texts, asked for: {', '.join(types)}")

    def row(self, example: AnomalyExample, prediction: AnomalyPrediction) -> dict[str, Any]:
        """Return score, p-value and what the promise rests on, and for an alarm its reasons."""
        row = {
            "id": prediction.id,
            "score": prediction.score,
            "p_value": prediction.p_value,
            "alarm": prediction.alarm,
            "promised": self.settings.false_alarms,
            "held_out": len(self.decoder.held_out),
        }
        if (reasons := prediction.reasons) is None:
            return row
        text = example.text
        parts = [
            {"text": text[p.start : p.end], "start": p.start, "end": p.end, "rise": p.rise}
            for p in reasons.parts
        ]
        return {
            **row,
            "text": text,
            "template": reasons.template,
            "template_seen": reasons.template_seen,
            "unseen_words": list(reasons.unseen_words),
            "parts": parts,
            "nearest": [{"text": text, "similarity": same} for text, same in reasons.nearest],
        }

    def finds(self) -> str:
        """Return what an alarm promises."""
        return f"texts unlike the normal ones, with at most {self.settings.false_alarms:.1%} false alarms"


def _texts_read(
    examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
) -> TextsRead:
    """Return what was read of each text, the mean over its windows."""
    ranks = np.cumsum([0, *(len(example.texts) for example in examples)])
    total, counts = np.zeros((ranks[-1], len(logits[0]))), np.zeros((ranks[-1], 1))
    for piece, row in zip(features, logits, strict=True):
        total[ranks[piece.example] + piece.place] += row
        counts[ranks[piece.example] + piece.place] += 1
    mean = total / counts
    lengths = np.linalg.norm(mean[:, 1:], axis=1, keepdims=True)
    return TextsRead(
        example=np.repeat(np.arange(len(examples)), np.diff(ranks)),
        texts=[text for example in examples for text in example.texts],
        logits=mean[:, 0].astype(np.float32),
        embeddings=(mean[:, 1:] / np.maximum(lengths, 1e-12)).astype(np.float32),
    )


def _target(example: AnomalyExample) -> float:
    return float("nan") if example.anomalous is None else float(example.anomalous)


def _weighed(example: AnomalyExample) -> tuple[str, str]:
    """Return what shares one weight in the loss: the lines of a template, else equal texts, of one sort."""
    odd = UNRELATED if example.unrelated else "anomaly"
    return odd if example.anomalous else "normal", example.group or example.text
