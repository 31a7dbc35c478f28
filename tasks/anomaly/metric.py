"""The scores of anomaly spotting: how well texts are ordered, what the alarms find, and what they cost.

Texts that nobody has called normal or anomalous are not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Score, Trials
from shared.errors import ConfigError, UserError, suggest
from shared.examples import AnomalyExample, AnomalyPrediction, aligned
from shared.sums import bootstrapped

if TYPE_CHECKING:
    from shared.contracts import Types
    from shared.intervals import Statistic
    from shared.record import Counts

MAIN = ("average_precision", "auroc", "left_alone")
NUM_SHOWN = 10  # normal texts in the details

Pairs = Sequence[tuple[AnomalyExample, AnomalyPrediction]]


@dataclass(frozen=True)
class AnomalyScores:
    """Scores of orders and alarms; `main` is one of MAIN, `promised` are rates of false alarms to check.

    Of the order, where there are anomalous and normal texts: average_precision, auroc, recall_at_1 and
    recall_at_5 (with at most 1 % and 5 % false alarms), precision_at_k (k the number of anomalies). Of the
    alarms at the stored threshold, there too: f1, precision, recall. Where there are normal texts:
    false_alarms (the share of them with an alarm), left_alone (the share without), and false_alarms/0.01 with
    p-values of at most 0.01. base_rate is the share of anomalies, the average precision of a random order.
    """

    main: str
    promised: list[float]

    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        mistakes = []
        if self.main not in MAIN:
            mistakes.append(
                f"metric.main={self.main!r}{suggest(self.main, MAIN)}; allowed: {', '.join(MAIN)}"
            )
        if not all(0 < rate < 1 for rate in self.promised):
            mistakes.append(f"metric.promised={self.promised}; allowed: rates above 0 and below 1")
        if mistakes:
            raise ConfigError(mistakes)

    def bind(self, types: Types) -> AnomalyScores:
        """Return the metric itself: there is one thing to find."""
        return self

    def quick(self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]) -> float:
        """Return the main score; 0 where no text is scored, or an order lacks anomalous or normal texts."""
        import numpy as np

        from shared.intervals import score_counts

        rows = self._rows(_scored(examples, predictions))
        if not rows:
            return 0.0
        return float(score_counts(np.array(rows)[:, None, :], self.main_statistic())[0])

    def score(
        self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]
    ) -> dict[str, Score]:
        """Return every score by name, the main one first, with its 95 % interval.

        Intervals of false alarms are exact (Clopper, Pearson), the others are bootstrapped over texts. Left
        out is what lacks anomalous or normal texts, or p-values; so the main score may be.
        """
        from tasks.anomaly.scores import ALARMS, ORDER, QUIET

        pairs = _scored(examples, predictions)
        normal = _normal(pairs)
        found = {}
        if 0 < len(normal) < len(pairs):
            found = {**bootstrapped(_order_rows(pairs), ORDER), **bootstrapped(_alarm_rows(pairs), ALARMS)}
        if normal:
            found |= {**self._false_alarms(normal), **bootstrapped(_quiet_rows(pairs), QUIET)}
        if pairs:
            found["base_rate"] = Score((len(pairs) - len(normal)) / len(pairs))
        return {**{name: score for name, score in found.items() if name == self.main}, **found}

    def counts(self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]) -> Counts:
        """Return by id (score, anomalous), or for left_alone (quiet, normal).

        Raises `UserError` where the main score lacks anomalous or normal texts.
        """
        from shared.record import Counts
        from tasks.anomaly.scores import QUIET_COLUMNS, RANKING_COLUMNS

        pairs = _scored(examples, predictions)
        self._check_ground(pairs)
        columns = QUIET_COLUMNS if self.main == "left_alone" else RANKING_COLUMNS
        rows = zip((example.id for example, _ in pairs), self._rows(pairs), strict=True)
        return Counts(groups=[""], columns=columns, rows=dict(rows))

    def main_statistic(self) -> Statistic:
        """Return the main score as a ranking, or left_alone as a function of summed counts."""
        from tasks.anomaly.scores import ORDER, QUIET

        return {**ORDER, **QUIET}[self.main]

    def trials(self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]) -> Trials:
        """Return none: a p-value says how rare a text is among normal ones, not how likely an alarm is right.

        What p-values promise is checked by the scores named false_alarms, and by `resplit`.
        """
        return {}

    def normal_scores(
        self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]
    ) -> list[float]:
        """Return how odd each normal text is."""
        return [prediction.score for prediction in _normal(_scored(examples, predictions))]

    def details(self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]) -> str:
        """Return alarms against gold, kinds of anomalies, false alarms, the oddest normal texts."""
        pairs = _scored(examples, predictions)
        parts = [_alarm_table(pairs), _kind_table(pairs)]
        if normal := _normal(pairs):
            parts += [self._false_alarm_lines(normal), _oddest(normal)]
        if len(pairs) < len(examples):
            parts.append(f"not scored, since nobody labelled them: {len(examples) - len(pairs):,} texts")
        return "\n\n".join(parts)

    def wrong(
        self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]
    ) -> Iterator[dict[str, Any]]:
        """Yield a row for each missed anomaly and each false alarm."""
        for example, prediction in _scored(examples, predictions):
            if example.anomalous != prediction.alarm:
                yield {
                    "id": example.id,
                    "text": example.text,
                    "anomalous": example.anomalous,
                    "kind": example.kind,
                    "score": prediction.score,
                    "p_value": prediction.p_value,
                    "alarm": prediction.alarm,
                }

    def _rows(self, pairs: Pairs) -> list[list[float]]:
        """Return the rows of `counts`."""
        return _quiet_rows(pairs) if self.main == "left_alone" else _order_rows(pairs)

    def _check_ground(self, pairs: Pairs) -> None:
        normal = len(_normal(pairs))
        anomalous = len(pairs) - normal
        needs_both = self.main != "left_alone"
        if not normal or (needs_both and not anomalous):
            needed = "anomalous and normal texts" if needs_both else "normal texts"
            advice = "; metric.main=left_alone needs no anomalous ones" if normal else ""
            raise UserError(
                f"{self.main} needs {needed}, found {anomalous} anomalous and {normal} normal{advice}"
            )

    def _false_alarms(self, normal: Sequence[AnomalyPrediction]) -> dict[str, Score]:
        from shared.conformal import rate_interval

        counts = {"false_alarms": sum(prediction.alarm for prediction in normal)}
        counts |= {f"false_alarms/{rate:g}": alarms for rate, alarms in self._promised_alarms(normal).items()}
        return {
            name: Score(alarms / len(normal), *rate_interval(alarms, len(normal)))
            for name, alarms in counts.items()
        }

    def _false_alarm_lines(self, normal: Sequence[AnomalyPrediction]) -> str:
        """Return how many there are at the stored threshold and at each promised rate."""
        from shared.conformal import rate_interval

        counts = {"the stored threshold": sum(prediction.alarm for prediction in normal)}
        counts |= {f"{rate:.2%}": alarms for rate, alarms in self._promised_alarms(normal).items()}
        lines = ["false alarms on normal texts, with the 95 % interval of their rate"]
        for name, alarms in counts.items():
            low, high = rate_interval(alarms, len(normal))
            lines.append(f"at {name}: {alarms:,} in {len(normal):,} texts, {low:.2%} to {high:.2%}")
        return "\n".join(lines)

    def _promised_alarms(self, normal: Sequence[AnomalyPrediction]) -> dict[float, int]:
        """Return by promised rate how many p-values are at most that; empty where one has no p-value."""
        values = [prediction.p_value for prediction in normal if prediction.p_value is not None]
        if len(values) < len(normal):
            return {}
        return {rate: sum(value <= rate for value in values) for rate in self.promised}


def _scored(examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]) -> Pairs:
    return [pair for pair in aligned(examples, predictions) if pair[0].anomalous is not None]


def _normal(pairs: Pairs) -> list[AnomalyPrediction]:
    return [prediction for example, prediction in pairs if not example.anomalous]


def _order_rows(pairs: Pairs) -> list[list[float]]:
    return [[prediction.score, float(bool(example.anomalous))] for example, prediction in pairs]


def _alarm_rows(pairs: Pairs) -> list[list[float]]:
    flags = [(prediction.alarm, bool(example.anomalous)) for example, prediction in pairs]
    return [[float(alarm and anomalous), float(alarm), float(anomalous)] for alarm, anomalous in flags]


def _quiet_rows(pairs: Pairs) -> list[list[float]]:
    flags = [(prediction.alarm, not example.anomalous) for example, prediction in pairs]
    return [[float(normal and not alarm), float(normal)] for alarm, normal in flags]


def _alarm_table(pairs: Pairs) -> str:
    from tabulate import tabulate

    rows = [
        [name, *(sum((e.anomalous, p.alarm) == (gold, alarm) for e, p in pairs) for alarm in (True, False))]
        for name, gold in (("anomalous", True), ("normal", False))
    ]
    return str(tabulate(rows, headers=["gold", "alarm", "no alarm"]))


def _kind_table(pairs: Pairs) -> str:
    """Return number, share alarmed and mean rank by kind; ranks are from 1, the oddest, ties share theirs."""
    from collections import defaultdict
    from statistics import fmean

    from scipy.stats import rankdata
    from tabulate import tabulate

    ranks = rankdata([-prediction.score for _, prediction in pairs]).tolist()
    kinds = defaultdict(list)
    for (example, prediction), rank in zip(pairs, ranks, strict=True):
        kind = (example.kind or "(no kind)") if example.anomalous else "(normal)"
        kinds[kind].append((prediction.alarm, rank))
    rows = [
        [kind, len(found), fmean(alarm for alarm, _ in found), fmean(rank for _, rank in found)]
        for kind, found in sorted(kinds.items())
    ]
    headers = ["kind", "texts", "alarmed", "mean rank"]
    return str(tabulate(rows, headers=headers, floatfmt=("", "", ".3f", ".1f")))


def _oddest(normal: Sequence[AnomalyPrediction]) -> str:
    highest = sorted(normal, key=lambda prediction: (-prediction.score, prediction.id))[:NUM_SHOWN]
    lines = [f"{prediction.id}  {prediction.score:.4f}" for prediction in highest]
    return "\n".join(["oddest normal texts, by id and score", *lines])
