"""Span extraction: GLiNER scores every span of up to `max_width` words against the names of the entity types.

Zaratiana et al., arXiv 2311.08526. The library's own modules run; this file feeds them and reads their
scores. The type names stand before the text in the encoder's input, so types that were never trained can be
asked for.

B windows in a batch, T tokens, W words, K = max_width, C types.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gliner import GLiNERConfig
from gliner.model import UniEncoderSpanGLiNER
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Arrays, Base, Outputs, Reviewer
from shared.errors import ConfigError
from shared.example_rows import span_prediction_row
from shared.examples import Span, SpanExample, SpanPrediction
from shared.heads.settings import SpanExtraction
from shared.span_calibration import calibrate_spans, fit_span_calibration
from shared.windows import cut_windows, owners
from shared.words import span_words

PRETRAINED = "gliner_config.json"  # a folder that has it is a whole GLiNER, not a bare encoder
WEIGHTS = "model.safetensors"
INPUTS = ("input_ids", "attention_mask", "words_mask", "text_lengths", "span_idx", "span_mask")
THRESHOLD = "threshold"
LOWEST = 0.05  # of the thresholds that `tune` tries, and their step

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class SpanWindow:
    """One window; gold spans are (first word, last word, label), counted from the window's first word."""

    example: int
    words: tuple[int, int]
    written: list[str]
    gold: list[tuple[int, int, str]]
    num_tokens: int  # of the words and of the prompt before them
    truncated_tokens: int = 0


class SpanExtractionHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self, settings: SpanExtraction, *, types: Mapping[str, str], gliner: Any, new_tokens: Sequence[int]
    ) -> None:
        self.settings, self.gliner, self.types = settings, gliner, dict(types)
        self._trained = tuple(types.values())
        self.new_tokens = list(new_tokens)
        self.remembers = False
        self.kept: dict[str, Any] = {}
        self.inspector = None
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.source: dict[str, str] = {}
        self.tokenizer = gliner.data_processor.transformer_tokenizer
        self.decoding = {THRESHOLD: settings.threshold}
        encoder = gliner.model.token_rep_layer
        layers = {name: layer for name, layer in gliner.model.named_children() if layer is not encoder}
        layers |= {name: layer for name, layer in encoder.named_children() if name != "bert_layer"}
        self.module = nn.ModuleDict(layers)

    def encode(self, examples: Sequence[SpanExample]) -> list[SpanWindow]:
        """Return each example's windows; gold wider than `max_width` or cut by a window is no target."""
        prompt = sum(1 + len(self.tokenizer.tokenize(name)) for name in self.types.values()) + 3
        windows: list[SpanWindow] = []
        for index, example in enumerate(examples):
            written = [example.text[start:end] for start, end in example.words]
            sizes = self._sizes(written)
            limit = self.settings.window_tokens
            kept = [min(size, limit) for size in sizes]
            gold = span_words(example)[0]
            for start, end in cut_windows(kept, limit=limit, overlap=self.settings.overlap_tokens):
                windows.append(
                    SpanWindow(
                        example=index,
                        words=(start, end),
                        written=written[start:end],
                        gold=[
                            (a - start, b - 1 - start, label)
                            for a, b, label in gold
                            if start <= a and b <= end
                        ],
                        num_tokens=prompt + sum(sizes[start:end]),
                        truncated_tokens=sum(sizes[start:end]) - sum(kept[start:end]),
                    )
                )
        return windows

    def _sizes(self, written: Sequence[str]) -> list[int]:
        if not written:
            return []
        encoded = self.tokenizer(list(written), add_special_tokens=False, return_attention_mask=False)
        return [len(tokens) for tokens in encoded["input_ids"]]

    def collate(self, features: Sequence[SpanWindow]) -> Arrays:
        """Return GLiNER's inputs, with `labels` (B, W, K, C) float: 1 where the span has the type."""
        processor = self.gliner.data_processor
        self.tokenizer.padding_side = "right"  # in front, padding would move the words' positions
        names = list(self.types.values())
        raw = processor.collate_raw_batch(
            [{"tokenized_text": window.written, "ner": []} for window in features], entity_types=names
        )
        batch = {**raw, **processor.tokenize_inputs(raw["tokens"], raw["classes_to_id"])}
        batch["text_lengths"] = raw["seq_length"]
        inputs = {name: np.asarray(batch[name]) for name in INPUTS}
        width = self.settings.max_width
        shape = (len(features), inputs["span_idx"].shape[1] // width, width, len(names))
        labels = np.zeros(shape, dtype=np.float32)
        for row, window in enumerate(features):
            for start, end, label in window.gold:
                if end - start < width and label in self.types:
                    labels[row, start, end - start, list(self.types).index(label)] = 1.0
        return {**inputs, "labels": labels}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the binary cross-entropy summed over spans and types, per word, and the logits (B, W, K, C).

        The backbone is the encoder inside GLiNER itself, where LoRA was put on it.
        """
        logits = self.gliner.model(**{name: batch[name] for name in INPUTS}).logits
        valid = batch["span_mask"].view(*logits.shape[:3], 1)
        losses = functional.binary_cross_entropy_with_logits(logits, batch["labels"], reduction="none")
        return Outputs(logits=logits, loss=(losses * valid).sum() / batch["text_lengths"].sum())

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
                size = len(window.written)
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


def build(
    settings: SpanExtraction, base: Base, *, types: Mapping[str, str]
) -> tuple[nn.Module, Any, SpanExtractionHead]:
    """Return the encoder, its tokenizer and a GLiNER's own head, or a fresh one on a bare encoder."""
    whole = (base.folder / PRETRAINED).is_file()
    config = _stored_config(settings, base) if whole else _fresh_config(settings, base)
    gliner = UniEncoderSpanGLiNER.load_from_config(
        config, backbone_from_pretrained=not whole, local_files_only=True
    )
    if whole:
        gliner.model.load_state_dict(load_file(base.folder / WEIGHTS))  # a weight too few or many is an error
    new_tokens = [] if whole else _begin_markers(gliner)
    head = SpanExtractionHead(settings, types=types, gliner=gliner, new_tokens=new_tokens)
    return gliner.model.token_rep_layer.bert_layer.model.float(), head.tokenizer, head


def _stored_config(settings: SpanExtraction, base: Base) -> GLiNERConfig:
    """Return a whole GLiNER's own config, with its encoder in this machine's folder rather than by hub id.

    Raises `ConfigError` for settings that its trained layers contradict.
    """
    stored = json.loads((base.folder / PRETRAINED).read_text(encoding="utf-8"))
    here = {"model_name": str(base.encoder_folder), "class_token_index": -1, "vocab_size": -1}
    config = GLiNERConfig(**{**stored, **here})  # -1: the markers are added to the encoder's tokenizer again
    mistakes = [
        f"head.{name}={given}; this GLiNER was made with {made}: set head.{name}={made}"
        for name, given, made in (
            ("max_width", settings.max_width, config.max_width),
            ("hidden_size", settings.hidden_size, config.hidden_size),
            ("rnn_layers", settings.rnn_layers, config.num_rnn_layers),
        )
        if given != made
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return config


def _fresh_config(settings: SpanExtraction, base: Base) -> GLiNERConfig:
    return GLiNERConfig(
        model_name=str(base.folder),
        max_width=settings.max_width,
        hidden_size=settings.hidden_size,
        num_rnn_layers=settings.rnn_layers,
        dropout=settings.dropout,
        max_len=settings.window_tokens,
        embed_ent_token=False,  # a type is its first word: the marker before it is alike for all types
    )


def _begin_markers(gliner: Any) -> list[int]:
    """Start the embeddings of GLiNER's two markers from [MASK] and [SEP], and return the markers' ids."""
    tokenizer = gliner.data_processor.transformer_tokenizer
    weight = gliner.model.token_rep_layer.get_input_embeddings().weight
    markers = []
    with torch.no_grad():
        for token, start in ((gliner.config.ent_token, "[MASK]"), (gliner.config.sep_token, "[SEP]")):
            markers.append(tokenizer.convert_tokens_to_ids(token))
            weight[markers[-1]] = weight[tokenizer.convert_tokens_to_ids(start)]
    return markers


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
