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
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.anomaly_decoding import AnomalyDecoder, Normal, TextsRead
from shared.contracts import Base, Outputs, Reviewer, Types
from shared.encoder import load_encoder
from shared.errors import BundleError
from shared.examples import AnomalyExample, AnomalyPrediction
from shared.heads.settings import EmbeddingDensity
from shared.occlusion import Occlusion
from shared.windows import cut_windows

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


class AnomalyScorer(nn.Module):
    """The trained output, and as buffers all that is known of normal texts."""

    def __init__(self, size: int, *, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.anomaly = nn.Linear(size, 1)
        nn.init.zeros_(self.anomaly.weight)
        nn.init.zeros_(self.anomaly.bias)
        self.held_out: Tensor
        self.register_buffer("held_out", torch.zeros(0))  # scores of held-out normal examples
        self.density = nn.Module()  # buffers alone, named as in `NormalDensity.arrays`
        self.register_load_state_dict_pre_hook(_make_buffers)  # type: ignore[no-untyped-call]

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, 1 + H): how much like known anomalies, and the embedding, of length 1."""
        hidden = backbone(input_ids=batch["tokens"], attention_mask=batch["mask"]).last_hidden_state
        mask = batch["mask"].unsqueeze(-1)
        unit = functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
        return torch.cat([self.anomaly(self.scale * unit), unit], dim=1)


class EmbeddingDensityHead:
    """See `shared.contracts.Head`."""

    def __init__(self, settings: EmbeddingDensity, *, types: Types, tokenizer: Any, hidden_size: int) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers = False
        self.inspector = Occlusion(settings.max_parts, blank=tokenizer.unk_token)
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.source: dict[str, str] = {}
        self.decoder = AnomalyDecoder(settings)
        self.decoding = self.decoder.thresholds
        self.kept: dict[str, Any] = {}
        self.module = AnomalyScorer(hidden_size, scale=settings.scale)
        self._weights: dict[tuple[bool, str], float] = {}

    def start(self, backbone: nn.Module, examples: Sequence[AnomalyExample]) -> None:
        """Weigh the groups of texts alike, and normal texts and known anomalies alike."""
        counts = Counter(_weighed(example) for example in examples)
        groups = Counter(anomalous for anomalous, _ in counts)
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
        tokens = self.tokenizer(text, add_special_tokens=False, return_attention_mask=False)["input_ids"]
        ranges = cut_windows(
            [1] * len(tokens), limit=self.settings.window_tokens, overlap=self.settings.overlap_tokens
        )
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return [[first, *tokens[start:end], last] for start, end in ranges or [(0, 0)]]

    def collate(self, features: Sequence[TextPiece]) -> dict[str, Tensor]:
        """Return tokens, mask (B, T), targets and weights (B,)."""
        width, pad = max(piece.num_tokens for piece in features), self.tokenizer.pad_token_id
        return {
            "tokens": torch.tensor([[*p.tokens, *[pad] * (width - p.num_tokens)] for p in features]),
            "mask": torch.tensor([[1] * p.num_tokens + [0] * (width - p.num_tokens) for p in features]),
            "targets": torch.tensor([piece.target for piece in features]),
            "weights": torch.tensor([piece.weight for piece in features]),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the weighted cross-entropy of normal against anomalous, and (B, 1 + H)."""
        outputs = self.module(backbone, batch)
        known = ~batch["targets"].isnan()
        losses = functional.binary_cross_entropy_with_logits(
            outputs[:, 0].float(), batch["targets"].nan_to_num(), reduction="none"
        )
        total = (losses * batch["weights"] * known).sum()
        return Outputs(logits=outputs, loss=total / known.sum().clamp(min=1))

    def measures(self, validation: Sequence[AnomalyExample]) -> bool:
        """Return True: what is normal is measured on train."""
        return True

    def measure(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> None:
        """Keep where the normal texts of train lie, how they are written, and the known anomalies."""
        normal = self.decoder.measure(examples, _texts_read(examples, features, logits))
        self.kept = normal.kept
        for name, array in normal.density.arrays().items():
            self.module.density.register_buffer(name, torch.from_numpy(array))

    def tune(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> None:
        """Fit on held-out normal examples what the parts of the score are measured by, and the threshold."""
        self.decoder.tune(examples, _texts_read(examples, features, logits))
        self.module.held_out = torch.from_numpy(self.decoder.held_out)

    def decode(
        self, examples: Sequence[AnomalyExample], features: Sequence[TextPiece], logits: Sequence[Array]
    ) -> list[AnomalyPrediction]:
        """Return how odd each example is; before `measure`, the trained output alone says."""
        if self.decoder.normal is None and self.kept:  # loaded from a bundle
            arrays = {name: value.cpu().numpy() for name, value in self.module.density.named_buffers()}
            self.decoder.normal = Normal.restored(arrays, self.kept)
            self.decoder.held_out = self.module.held_out.cpu().numpy()
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
            "held_out": len(self.module.held_out),
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


def build(
    settings: EmbeddingDensity, base: Base, *, types: Types
) -> tuple[nn.Module, Any, EmbeddingDensityHead]:
    """Return the encoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_encoder(base)
    head = EmbeddingDensityHead(
        settings, types=types, tokenizer=tokenizer, hidden_size=backbone.config.hidden_size
    )
    return backbone, tokenizer, head


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


def _weighed(example: AnomalyExample) -> tuple[bool, str]:
    """Return what shares one weight in the loss: the lines of a template, else equal texts."""
    return bool(example.anomalous), example.group or example.text


def _make_buffers(module: AnomalyScorer, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Make room for what a bundle knows of normal texts: how many there were is told by its tensors alone."""
    for name, value in state.items():
        if name.startswith(f"{prefix}density."):
            module.density.register_buffer(name.removeprefix(f"{prefix}density."), torch.zeros_like(value))
    if f"{prefix}held_out" in state:
        module.held_out = torch.zeros_like(state[f"{prefix}held_out"])
