"""Confidences of spans, one calibration a type, and of whole texts: nothing wrong in them, nothing missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.calibration import Judged, calibrated, fit_calibration
from shared.examples import SpanExample, SpanPrediction

SPANS, TEXTS = "spans", "texts"


def fit_span_calibration(
    examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]
) -> dict[str, float]:
    """Return what `calibrate_spans` reads, from validation's answers as they are, in the examples' order."""
    pairs = list(zip(examples, predictions, strict=True))
    gold = [{span.key for span in example.spans} for example in examples]
    spans = [
        Judged(span.probability, span.key in right, group=span.label)
        for (_, prediction), right in zip(pairs, gold, strict=True)
        for span in prediction.spans
        if span.probability is not None
    ]
    texts = [
        Judged(prediction.probability, {span.key for span in prediction.spans} == right)
        for (_, prediction), right in zip(pairs, gold, strict=True)
        if prediction.probability is not None
    ]
    return {**fit_calibration(spans, name=SPANS), **fit_calibration(texts, name=TEXTS)}


def calibrate_spans(prediction: SpanPrediction, values: Mapping[str, float]) -> SpanPrediction:
    """Return the prediction with calibrated probabilities, those that it had beside them.

    Where nothing was fitted for the spans, or for the texts, theirs stay as they are.
    """
    if f"{SPANS}/slope" in values:
        spans = tuple(
            replace(
                span,
                probability=calibrated(span.probability, values, name=SPANS, group=span.label),
                raw_probability=span.probability,
            )
            if span.probability is not None
            else span
            for span in prediction.spans
        )
        prediction = replace(prediction, spans=spans)
    if f"{TEXTS}/slope" in values and prediction.probability is not None:
        sure = calibrated(prediction.probability, values, name=TEXTS)
        prediction = replace(prediction, probability=sure, raw_probability=prediction.probability)
    return prediction
