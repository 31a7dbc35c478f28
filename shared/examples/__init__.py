"""The shapes of data: an example with its gold answer, and a prediction; never a tensor.

Character offsets are half-open and count Unicode code points of `text`.
"""

from collections.abc import Sequence
from typing import TypeVar

from shared.errors import UserError
from shared.examples.anomalies import UNRELATED, AnomalyExample, AnomalyPrediction, Part, Reasons
from shared.examples.facets import FacetAnswer, FacetExample, FacetPrediction
from shared.examples.spans import Span, SpanExample, SpanPrediction
from shared.examples.summaries import Bullet, SummaryExample, SummaryPrediction
from shared.passages import QueryExample, QueryPrediction, RankingExample, RankingPrediction

Example = SpanExample | FacetExample | AnomalyExample | SummaryExample | RankingExample | QueryExample
Prediction = (
    SpanPrediction
    | FacetPrediction
    | AnomalyPrediction
    | SummaryPrediction
    | RankingPrediction
    | QueryPrediction
)
ANSWERED_BY: dict[type, type] = {
    SpanExample: SpanPrediction,
    FacetExample: FacetPrediction,
    AnomalyExample: AnomalyPrediction,
    SummaryExample: SummaryPrediction,
    RankingExample: RankingPrediction,
    QueryExample: QueryPrediction,
}
E = TypeVar("E", bound=Example)
P = TypeVar("P", bound=Prediction)


def aligned(examples: Sequence[E], predictions: Sequence[P]) -> list[tuple[E, P]]:
    """Return examples with their predictions by id.

    Raises `UserError` for an id on one side only, or twice, and for answers of another task.
    """
    found = {prediction.id: prediction for prediction in predictions}
    ids = {example.id for example in examples}
    if len(found) != len(predictions) or len(ids) != len(examples) or ids != set(found):
        odd = sorted(ids ^ set(found))[:3]
        raise UserError(
            f"{len(predictions)} predictions do not answer the {len(examples)} examples one by one; "
            f"ids on one side only, or twice: {', '.join(odd) or 'duplicates'}"
        )
    pairs = [(example, found[example.id]) for example in examples]
    for example, prediction in pairs:
        if not isinstance(prediction, kind := ANSWERED_BY[type(example)]):
            raise UserError(
                f"{prediction.id} has a {type(prediction).__name__}, where a {kind.__name__} belongs"
            )
    return pairs


__all__ = [
    "UNRELATED",
    "AnomalyExample",
    "AnomalyPrediction",
    "Bullet",
    "Example",
    "FacetAnswer",
    "FacetExample",
    "FacetPrediction",
    "Part",
    "Prediction",
    "QueryExample",
    "QueryPrediction",
    "RankingExample",
    "RankingPrediction",
    "Reasons",
    "Span",
    "SpanExample",
    "SpanPrediction",
    "SummaryExample",
    "SummaryPrediction",
    "aligned",
]
