"""Predictions of an engine on examples: in batches of similar length, returned in the order they came."""

from __future__ import annotations

import itertools
import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.batches import length_batches
from shared.contracts import Engine, Examples, Features, Inspector
from shared.examples import SpanExample
from shared.words import span_words

REMEMBERED = 20_000  # answers that `stream` keeps for equal examples
LATENCY_TEXTS, LATENCY_SECONDS = 100, 60.0  # texts timed alone, at most so many and so long
FEWEST_TIMED = 16  # texts of a throughput: a torch writer always runs a full batch, however few there are
LEAST_TOKENS = 256  # of a batch that is computed beside others

Logits = list[np.ndarray[Any, Any]]


def predict(model: Engine, examples: Examples, *, batch_tokens: int) -> list[Any]:
    """Return one prediction per example, in order, reviewed where the head has a reviewer."""
    return predict_read(model, examples, batch_tokens=batch_tokens)[0]


def predict_read(
    model: Engine, examples: Examples, *, batch_tokens: int
) -> tuple[list[Any], Sequence[Features]]:
    """Return `predict`'s answers, and the windows of the examples that were read for them."""
    predictions, features = _answer(model, examples, batch_tokens=batch_tokens)
    if (reviewer := model.head.reviewer) is None:
        return predictions, features
    again = reviewer.again(examples, predictions)
    second = _answer(model, again, batch_tokens=batch_tokens)[0] if again else []
    return reviewer.settle(examples, predictions, second), features


def _answer(model: Engine, examples: Examples, *, batch_tokens: int) -> tuple[list[Any], Sequence[Features]]:
    features = model.head.encode(examples)
    logits = infer(model, features, batch_tokens=batch_tokens)
    return model.head.decode(examples, features, logits), features


def infer(model: Engine, features: Sequence[Features], *, batch_tokens: int) -> Logits:
    """Return the logits of each window, in order, padded to the window's batch.

    `batch_tokens` are those that are read at once, in however many batches.
    """
    logits: Logits = [np.empty(0)] * len(features)
    budget = min(batch_tokens, max(LEAST_TOKENS, batch_tokens // model.streams))
    batches = length_batches([item.num_tokens for item in features], budget=budget)
    found = model.logits_of([[features[index] for index in batch] for batch in batches])
    for batch, rows in zip(batches, found, strict=True):
        for index, row in zip(batch, rows, strict=True):
            logits[index] = row
    return logits


def stream(model: Engine, examples: Iterable[Any], *, batch_tokens: int, chunk_size: int) -> Iterator[Any]:
    """Yield predictions in order, holding `chunk_size` examples; a longer document is read in parts.

    Where the head can say why, predictions come with their reasons, and equal examples are answered once.
    """
    source, inspector = iter(examples), model.head.inspector
    known: dict[Hashable, Any] = {}
    while chunk := list(itertools.islice(source, chunk_size)):
        if inspector is None:
            yield from predict(model, chunk, batch_tokens=batch_tokens)
            continue
        keys = [inspector.key(example) for example in chunk]
        new = {key: example for key, example in zip(keys, chunk, strict=True) if key not in known}
        if new:
            answers = inspect(model, inspector, list(new.values()), batch_tokens=batch_tokens)
            known.update(zip(new, answers, strict=True))
        yield from (replace(known[key], id=example.id) for key, example in zip(keys, chunk, strict=True))
        for key in list(itertools.islice(known, max(0, len(known) - REMEMBERED))):
            del known[key]


def inspect(model: Engine, inspector: Inspector, examples: Examples, *, batch_tokens: int) -> list[Any]:
    """Return predictions with their reasons."""
    predictions = predict(model, examples, batch_tokens=batch_tokens)
    probes = inspector.probes(examples, predictions)
    probed = predict(model, probes, batch_tokens=batch_tokens) if probes else []
    return inspector.explain(examples, predictions, probed)


@dataclass(frozen=True)
class Coverage:
    """What a model does not see, or sees in pieces."""

    texts_beyond_window: int
    windows: int
    lost_spans: int
    truncated_tokens: int


def coverage(examples: Examples, features: Sequence[Features]) -> Coverage:
    """Return how many texts needed several windows, and what no window or word boundary could hold."""
    return Coverage(
        texts_beyond_window=_texts_in_pieces(features),
        windows=len(features),
        lost_spans=sum(len(span_words(item)[1]) for item in examples if isinstance(item, SpanExample)),
        truncated_tokens=sum(getattr(item, "truncated_tokens", 0) for item in features),
    )


def _texts_in_pieces(features: Sequence[Features]) -> int:
    """Return how many texts have several windows; of an example with many texts, windows say their `part`."""
    if features and hasattr(features[0], "part"):
        return sum(getattr(item, "part", 0) == 1 for item in features)
    return int((np.bincount([item.example for item in features]) > 1).sum())


@dataclass(frozen=True)
class Speed:
    """Throughput over all examples, and the time of one text alone."""

    documents_per_second: float
    tokens_per_second: float
    windows_per_second: float
    latency_p50_ms: float
    latency_p95_ms: float


def enough_to_time(examples: Examples) -> list[Any]:
    """Return the examples, and behind them copies with other ids where they are fewer than `FEWEST_TIMED`."""
    further = range(1, -(-FEWEST_TIMED // len(examples)))
    copies = [replace(example, id=f"{example.id}, {number}") for number in further for example in examples]
    return [*examples, *copies]


def predict_timed(
    model: Engine, examples: Examples, *, batch_tokens: int
) -> tuple[list[Any], Speed, Coverage]:
    """Return the predictions, how fast they were made, and what was read for them.

    Encoding and decoding count, loading does not; fewer than `FEWEST_TIMED` examples are timed several times
    over in one pass.
    """
    predict(model, examples[:8], batch_tokens=batch_tokens)  # warm up
    timed = enough_to_time(examples)
    started = time.perf_counter()
    predictions, features = predict_read(model, timed, batch_tokens=batch_tokens)
    seconds = time.perf_counter() - started
    tokens, windows = sum(item.num_tokens for item in features), len(features)
    if len(timed) > len(examples):
        predictions, features = predict_read(model, examples, batch_tokens=batch_tokens)
    alone = []
    timing = time.perf_counter()
    for example in examples[:LATENCY_TEXTS]:
        begun = time.perf_counter()
        if begun - timing > LATENCY_SECONDS:
            break
        predict(model, [example], batch_tokens=batch_tokens)
        alone.append(1000 * (time.perf_counter() - begun))
    p50, p95 = np.percentile(alone, [50, 95])
    rates = (len(timed) / seconds, tokens / seconds, windows / seconds)
    speed = Speed(*rates, float(p50), float(p95))
    return predictions, speed, coverage(examples, features)
