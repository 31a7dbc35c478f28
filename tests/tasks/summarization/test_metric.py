from collections.abc import Sequence

import numpy as np
import pytest
from omegaconf import OmegaConf

from shared.contracts import Score, Trial
from shared.errors import UserError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.intervals import bootstrap, stack_counts
from shared.typed_config import build
from tasks.summarization.metric import SummaryScores
from tasks.summarization.style import HouseStyle
from tests.tasks.summarization.adapters import ROOT

METRIC: SummaryScores = build(
    OmegaConf.create(
        {
            "style": OmegaConf.load(ROOT / "conf/style/brief.yaml"),
            "metric": {"_target_": "tasks.summarization.metric.SummaryScores", "style": "${style}"},
        }
    ).metric,
    path="metric",
)
APPLES = SummaryExample(
    "apples",
    ("Revenue was $41,200,000 in the second quarter, up 12 percent.", "Thank you all."),
    ("Revenue rose 12% to $41.2 million in Q2.", "Profit rose again."),
    document="apples",
)
PEARS = SummaryExample(
    "pears",
    ("Orders fell 3% in the third quarter.", "Profit fell as well."),
    ("Orders fell 3% in Q3.", "Profit fell again."),
    document="pears",
)
BOTH = [APPLES, PEARS]


def told(id: str, *lines: str) -> SummaryPrediction:
    return SummaryPrediction(id, tuple(Bullet(line) for line in lines))


def values(
    predictions: Sequence[SummaryPrediction], examples: Sequence[SummaryExample] = BOTH
) -> dict[str, float]:
    return {name: score.value for name, score in METRIC.score(examples, predictions).items()}


def test_gold_has_full_scores() -> None:
    gold = [example.gold() for example in BOTH]
    found = values(gold)
    assert found.pop("abstained") == 0.0
    assert found.pop("copied_4grams") == 1 / 4  # apples have none of 6, pears one of 2
    assert found.pop("compression") == pytest.approx((13 / 11 + 11 / 8) / 2)
    assert found.pop("name_precision") == 0.0  # they name nobody, and nothing over nothing is 0
    assert set(found.values()) == {1.0}
    assert METRIC.quick(BOTH, gold) == 1.0


def test_silence_has_none_and_counts_as_abstained() -> None:
    silent = [SummaryPrediction(example.id, abstained="no sentences") for example in BOTH]
    found = values(silent)
    assert found.pop("abstained") == 1.0
    assert set(found.values()) == {0.0}
    assert METRIC.quick(BOTH, silent) == 0.0


def test_rouge_and_abstentions_are_means_over_documents() -> None:
    found = values([APPLES.gold(), SummaryPrediction("pears", abstained="too long")])
    assert found["rouge1"] == found["rougeLsum"] == found["rougeLsum_weighted"] == found["abstained"] == 0.5


def test_an_abstained_document_lowers_recall_but_neither_precision_nor_style() -> None:
    found = values([APPLES.gold(), SummaryPrediction("pears", abstained="too long")])
    assert found["figure_precision"] == found["style_pass"] == 1.0
    assert found["figure_recall"] == pytest.approx(2 / 3)
    assert found["compression"] == 13 / 11


def test_figures_are_pooled_over_documents() -> None:
    """Apples: 12% and $41.2 million are right. Pears: 4%, 5% and 6% are made up."""
    predictions = [told("apples", APPLES.bullets[0]), told("pears", "Orders fell 4%, 5%, 6%.")]
    assert values(predictions)["figure_precision"] == 2 / 5


def test_a_document_without_gold_is_scored_on_its_style_and_figures_alone() -> None:
    bare = SummaryExample("plums", ("Orders fell 3% in Q1.",), document="plums")
    found = values([*(e.gold() for e in BOTH), told("plums", "Orders fell 9% in Q1.")], [*BOTH, bare])
    assert found["rouge1"] == found["rougeLsum"] == found["figure_recall"] == 1.0
    assert found["style_bullets"] == pytest.approx(2 / 3)
    assert found["figure_precision"] == 3 / 4


def test_bullets_are_judged_whose_confidence_is_known_and_whose_figure_gold_has() -> None:
    bullets = (
        Bullet("Q2 revenue $41.2 million.", confidence=0.9),
        Bullet("Q3 revenue $41.2 million.", confidence=0.4),
        Bullet("Revenue $50 million.", confidence=0.8),
        Bullet("Q2 revenue $41 million."),
    )
    predictions = [SummaryPrediction("apples", bullets), told("pears")]
    assert METRIC.trials(BOTH, predictions) == {
        "bullets": [Trial("apples", 0.9, right=True), Trial("apples", 0.4, right=False)]
    }
    assert METRIC.trials(BOTH, [example.gold() for example in BOTH]) == {}


def test_counts_and_the_main_statistic_give_the_score_and_its_interval_again() -> None:
    predictions = [told("apples", "Profit rose again."), told("pears", *PEARS.bullets)]
    counts = METRIC.counts(BOTH, predictions)
    assert (counts.groups, counts.columns) == ([""], ["rougeLsum", "documents"])
    assert counts.rows == {"apples": [pytest.approx(0.4), 1.0], "pears": [1.0, 1.0]}  # 3 words of 3 and 12
    table = stack_counts([counts], documents=list(counts.rows), groups=counts.groups)
    again = bootstrap(table, METRIC.main_statistic())
    main = METRIC.score(BOTH, predictions)["rougeLsum"]
    assert main == Score(again.value, again.low, again.high)
    assert METRIC.quick(BOTH, predictions) == main.value == pytest.approx(0.7)
    assert np.allclose([again.low, again.high], [0.4, 1.0])


def test_two_summaries_of_one_document_are_counted_in_one_row() -> None:
    pair = [
        SummaryExample("1", ("Profit rose.",), ("Profit rose.",), document="d"),
        SummaryExample("2", ("Orders fell.",), ("Orders fell.",), document="d"),
    ]
    assert METRIC.counts(pair, [told("1", "Profit rose."), told("2")]).rows == {"d": [1.0, 2.0]}


def test_wrong_summaries_are_shown_beside_gold_with_faults_and_figures_made_up() -> None:
    predictions = [APPLES.gold(), told("pears", "Orders fell 4% in Q3.", "profit fell again.")]
    assert list(METRIC.wrong(BOTH, predictions)) == [
        {
            "id": "pears",
            "ours": ["Orders fell 4% in Q3.", "profit fell again."],
            "gold": ["Orders fell 3% in Q3.", "Profit fell again."],
            "abstained": "",
            "faults": ["bullet 2, case: 'profit fell again.'"],
            "made_up_figures": ["4%"],
        }
    ]


def test_details_tell_how_often_each_rule_is_kept_with_an_example() -> None:
    predictions = [told("apples", "Revenue rose 12 percent in Q2.", "Profit rose again."), PEARS.gold()]
    lines = [line.split("  ") for line in METRIC.details(BOTH, predictions).splitlines()]
    rows = {cells[0].strip(): [cell.strip() for cell in cells[1:] if cell.strip()] for cells in lines}
    assert rows["percent"] == ["1 of 2", "'percent'"]
    assert rows["case"] == ["2 of 2"]


def test_details_show_nothing_of_a_summary_that_quotes_a_sentence() -> None:
    quoted = SummaryPrediction("apples", (Bullet("", sources=(1,), quoted=True),))
    text = METRIC.details([APPLES], [quoted])
    assert "0 of 1" in text
    assert "'" not in text


def test_predictions_are_aligned_by_id_and_not_by_place() -> None:
    assert METRIC.quick(BOTH, [PEARS.gold(), APPLES.gold()]) == 1.0
    with pytest.raises(UserError, match="do not answer the 2 examples one by one"):
        METRIC.score(BOTH, [APPLES.gold()])


def test_a_configuration_names_the_house_style() -> None:
    assert isinstance(METRIC.style, HouseStyle)
    assert METRIC.style.name == "brief"
    assert METRIC.bind({"summary": "summary"}) is METRIC
