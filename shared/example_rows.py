"""Examples and predictions as JSON objects, and back: what a run leaves behind, what `predict` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.examples import (
    AnomalyExample,
    AnomalyPrediction,
    Bullet,
    Example,
    FacetAnswer,
    FacetExample,
    FacetPrediction,
    Prediction,
    Span,
    SpanExample,
    SpanPrediction,
    SummaryExample,
    SummaryPrediction,
)
from shared.passages import TOP, Passage, QueryExample, QueryPrediction, RankingExample, RankingPrediction


def prediction_row(prediction: Prediction) -> dict[str, Any]:
    """Return the prediction as a JSON object of ids and answers, never text; unset keys are left out."""
    if isinstance(prediction, SpanPrediction):
        return _span_row(prediction)
    if isinstance(prediction, AnomalyPrediction):
        return _without_unset({**asdict(prediction), "reasons": None})
    if isinstance(prediction, SummaryPrediction):
        return _summary_row(prediction)
    if isinstance(prediction, RankingPrediction):
        return _ranking_row(prediction)
    if isinstance(prediction, QueryPrediction):
        row = {"id": prediction.id, "queries": list(prediction.queries)}
        return {**row, "quoted": prediction.quoted} if prediction.quoted else row
    facets = [{"facet": name, **asdict(answer)} for name, answer in prediction.facets.items()]
    return {"id": prediction.id, "facets": [_without_unset(answer) for answer in facets]}


def read_prediction(row: Mapping[str, Any]) -> Prediction:
    """Return the prediction that `prediction_row` wrote; raises KeyError or TypeError for another row."""
    if "facets" in row:
        answers = [dict(_tuples(answer)) for answer in row["facets"]]
        return FacetPrediction(row["id"], {answer.pop("facet"): FacetAnswer(**answer) for answer in answers})
    if "alarm" in row:
        return AnomalyPrediction(**row)
    if "bullets" in row:
        bullets = [Bullet(**{"text": "", **_tuples(bullet)}) for bullet in row["bullets"]]
        return SummaryPrediction(row["id"], tuple(bullets), row["abstained"], tuple(row.get("read", ())))
    if "ranked" in row:
        scores, probabilities = tuple(row.get("scores", ())), tuple(row.get("probabilities", ()))
        ranked = tuple(f"{row['ranked']} {row['further']}".split())
        return RankingPrediction(row["id"], ranked, scores, probabilities, row.get("nothing", False))
    if "queries" in row:
        quoted = (tuple((start, end) for start, end in stretches) for stretches in row.get("quoted", ()))
        return QueryPrediction(row["id"], tuple(row["queries"]), tuple(quoted))
    sure = {key: row[key] for key in ("probability", "raw_probability") if key in row}
    return SpanPrediction(id=row["id"], spans=tuple(Span(**span) for span in row["spans"]), **sure)


def span_prediction_row(example: SpanExample, prediction: SpanPrediction) -> dict[str, Any]:
    """Return what `predict` writes: the spans with their text and probability, and what is not given."""

    def shown(spans: tuple[Span, ...]) -> list[dict[str, Any]]:
        rows = SpanPrediction(prediction.id, spans).shown(example.text)
        return [{**row, "probability": span.probability} for row, span in zip(rows, spans, strict=True)]

    row: dict[str, Any] = {"id": prediction.id, "spans": shown(prediction.spans)}
    if prediction.probability is not None:
        row["probability"] = prediction.probability
    if prediction.abstained:
        row |= {"abstained": True, "reason": prediction.abstained, "unsure": shown(prediction.unsure)}
    return row


def example_row(example: Example) -> dict[str, Any]:
    """Return the example as a JSON object."""
    return asdict(example)


def read_example(row: Mapping[str, Any]) -> Example:
    """Return the example that `example_row` wrote."""
    if "spans" in row:
        words = tuple((start, end) for start, end in row["words"])
        return SpanExample(**{**row, "spans": tuple(Span(**span) for span in row["spans"]), "words": words})
    if "texts" in row:
        return AnomalyExample(**_tuples(row))
    if "sentences" in row:
        return SummaryExample(**_tuples(row))
    if "passages" in row:
        passages = tuple(Passage(**passage) for passage in row["passages"])
        return RankingExample(**{**_tuples(row), "passages": passages})
    if "queries" in row:
        return QueryExample(**_tuples(row))
    return FacetExample(
        **{**row, "marks": tuple(Span(**mark) for mark in row["marks"]), "labels": _tuples(row["labels"])}
    )


def _span_row(prediction: SpanPrediction) -> dict[str, Any]:
    spans = [asdict(span) for span in prediction.spans]
    for span in spans:
        if span["raw_probability"] is None:
            del span["raw_probability"]
    sure = {"probability": prediction.probability, "raw_probability": prediction.raw_probability}
    return {"id": prediction.id, "spans": spans, **_without_unset(sure)}


def _ranking_row(prediction: RankingPrediction) -> dict[str, Any]:
    """Return the ids in two strings, the first ones and the others: a ranking of a hundred is mostly ids."""
    ranked, further = prediction.ranked[:TOP], prediction.ranked[TOP:]
    row: dict[str, Any] = {"id": prediction.id, "ranked": " ".join(ranked), "further": " ".join(further)}
    for name in ("scores", "probabilities"):
        if values := getattr(prediction, name):
            row[name] = [round(float(value), 4) for value in values[:TOP]]
    return {**row, "nothing": True} if prediction.nothing else row


def _summary_row(prediction: SummaryPrediction) -> dict[str, Any]:
    bullets = [_bullet_row(bullet) for bullet in prediction.bullets]
    return {
        "id": prediction.id,
        "bullets": bullets,
        "abstained": prediction.abstained,
        "read": prediction.read,
    }


def _bullet_row(bullet: Bullet) -> dict[str, Any]:
    row = {**asdict(bullet), "text": "" if bullet.quoted else bullet.text}
    return {key: value for key, value in row.items() if value or (key == "confidence" and value is not None)}


def _without_unset(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None and value != ""}


def _tuples(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
