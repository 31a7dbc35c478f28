from collections.abc import Sequence
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.compare import compare
from shared.contracts import Score
from shared.errors import ConfigError, UserError
from shared.intervals import bootstrap, stack_counts
from shared.passages import QueryExample, QueryPrediction, Quotation
from shared.typed_config import build
from tasks.retrieval.query_metric import (
    QueryScores,
    copied_share,
    distinct_share,
    first_words,
    overlap_share,
)

STAGE = {"_target_": "tests.tasks.retrieval.test_round_trip.SharedWords"}
BARN = QueryExample("barn", "the rent of the barn rose", ("what is the rent of the barn",), "farm")
MILL = QueryExample("mill", "wages at the mill fell", ("why did wages fall at the mill",), "farm")
WOOL = QueryExample("wool", "wool was dear that year", ("was wool dear", "which year was dear"), "shop")
ALL = [BARN, MILL, WOOL]


def metric(**changes: Any) -> QueryScores:
    node = {"_target_": "tasks.retrieval.query_metric.QueryScores", "stage": STAGE, "found_within": 1}
    built: QueryScores = build(OmegaConf.create({**node, **changes}), path="metric")
    return built


METRIC = metric()


def written(*queries: Sequence[str]) -> list[QueryPrediction]:
    return [QueryPrediction(e.id, tuple(own)) for e, own in zip(ALL, queries, strict=True)]


def values(*queries: Sequence[str]) -> dict[str, float]:
    return {name: score.value for name, score in METRIC.score(ALL, written(*queries)).items()}


def test_gold_finds_its_passages_and_is_most_like_people() -> None:
    gold = [example.gold() for example in ALL]
    assert METRIC.quick(ALL, gold) == 1.0
    found = {name: score.value for name, score in METRIC.score(ALL, gold).items()}
    assert found["round_trip"] == found["rougeL_best"] == 1.0
    assert found["queries"] == pytest.approx(4 / 3)
    assert not list(METRIC.wrong(ALL, gold))


def test_silence_scores_zero_and_every_passage_is_wrong() -> None:
    assert set(values([], [], []).values()) == {0.0}
    assert METRIC.quick(ALL, written([], [], [])) == 0.0
    assert [row["id"] for row in METRIC.wrong(ALL, written([], [], []))] == ["barn", "mill", "wool"]


def test_the_round_trip_is_the_share_of_a_passages_queries_and_a_mean_over_passages() -> None:
    """Barn: one of two queries, for sheep are nowhere. Mill: none, wool is dearer. Wool: no query."""
    queries = (["rent of the barn", "sheep"], ["wool was dear"], [])
    assert values(*queries)["round_trip"] == pytest.approx((1 / 2 + 0 + 0) / 3)


def test_a_passage_is_found_within_the_ranks_that_are_asked_for() -> None:
    """The barn shares two words with the query of the mill, the mill one."""
    predictions = written([], ["the barn"], [])
    assert METRIC.quick(ALL, predictions) == 0.0
    assert metric(found_within=2).quick(ALL, predictions) == pytest.approx(1 / 3)


def test_wording_is_scored_over_the_passages_that_have_queries() -> None:
    found = values(["the rent of the barn", "the rent of what"], [], ["which wool"])
    assert found["queries"] == 1.0
    assert found["distinct_2"] == pytest.approx((5 / 7 + 1) / 2)  # the rent, rent of twice
    assert found["overlap"] == pytest.approx(((1 + 3 / 4) / 2 + 1 / 2) / 2)
    assert found["copied_4grams"] == pytest.approx(2 / 3)  # of wool's two words none makes four
    assert found["common_start"] == pytest.approx(2 / 3)


def test_rouge_is_that_of_the_most_similar_query_of_people() -> None:
    """Against 'was wool dear': 2 of 3 words and 2 of 2; against the other: 1 of 4 and 1 of 2."""
    assert values([], [], ["wool dear"])["rougeL_best"] == pytest.approx(2 * (2 / 3) / (5 / 3))


def test_a_passage_nobody_asked_about_has_no_say_in_rouge() -> None:
    bare = QueryExample("bare", "sheep were sold", (), "shop")
    gold = [*(example.gold() for example in ALL), QueryPrediction("bare", ("sheep sold",))]
    assert METRIC.score([*ALL, bare], gold)["rougeL_best"].value == 1.0


def test_the_shares_of_nothing_do_not_apply() -> None:
    assert distinct_share([["wool"], []]) == (0.0, 0.0)
    assert overlap_share([[]], ["wool"]) == (0.0, 0.0)
    assert copied_share([["wool", "was", "dear"]], ["wool", "was", "dear"]) == (0.0, 0.0)
    assert first_words(["What is?", "what was?", "?"]) == {"what": 2}


def test_counts_and_the_main_statistic_give_the_score_and_its_interval_again() -> None:
    predictions = written(["rent of the barn"], ["wool"], ["wool was dear", "sheep"])
    counts = METRIC.counts(ALL, predictions)
    assert (counts.groups, counts.columns) == ([""], ["round_trip", "passages"])
    assert counts.rows == {"farm": [1.0, 2.0], "shop": [0.5, 1.0]}
    table = stack_counts([counts], documents=list(counts.rows), groups=counts.groups)
    again = bootstrap(table, METRIC.main_statistic())
    main = METRIC.score(ALL, predictions)["round_trip"]
    assert main == Score(again.value, again.low, again.high)
    assert METRIC.quick(ALL, predictions) == main.value == 0.5


def test_every_score_but_the_common_start_has_an_interval() -> None:
    scores = METRIC.score(ALL, written(["rent of the barn"], ["wool"], ["wool was dear", "sheep"]))
    assert [name for name, score in scores.items() if score.low is None] == ["common_start"]


def test_wrong_are_the_passages_with_a_query_that_does_not_find_them() -> None:
    predictions = written(["rent of the barn"], ["the mill", "the barn"], [])
    assert list(METRIC.wrong(ALL, predictions)) == [
        {
            "id": "mill",
            "passage": "wages at the mill fell",
            "queries": [{"query": "the mill", "rank": 1}, {"query": "the barn", "rank": 2}],
        },
        {"id": "wool", "passage": "wool was dear that year", "queries": []},
    ]


def test_details_tell_how_far_down_passages_come_back_and_how_queries_begin() -> None:
    text = METRIC.details(ALL, written(["rent of the barn", "rent rose"], ["the barn"], []))
    assert text.splitlines()[:3] == [
        "passage at rank 1 or better: 2 of 3 queries",
        "passage at rank 10 or better: 3 of 3 queries",
        "without a query: 1 of 3 passages",
    ]
    assert ["rent", "66.7%", "0.0%"] in [line.split() for line in text.splitlines()]
    assert ["what", "0.0%", "25.0%"] in [line.split() for line in text.splitlines()]


def quoted(*queries: Sequence[Quotation]) -> list[QueryPrediction]:
    return [QueryPrediction(e.id, quoted=tuple(own)) for e, own in zip(ALL, queries, strict=True)]


RENT_BARN, FELL, WOOL_YEAR = ((4, 8), (16, 20)), ((18, 22),), ((0, 4), (14, 23))


def test_quoted_queries_score_and_are_told_as_the_same_words_written() -> None:
    """Barn and mill are found; of wool's queries the quoted one finds it, and the written one the barn."""
    words = written(["rent barn"], ["fell"], ["rose", "wool that year"])
    places = [*quoted([RENT_BARN], [FELL], [])[:2], QueryPrediction("wool", ("rose",), (WOOL_YEAR,))]
    assert METRIC.score(ALL, places) == METRIC.score(ALL, words)
    assert METRIC.quick(ALL, places) == METRIC.quick(ALL, words) == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert METRIC.counts(ALL, places) == METRIC.counts(ALL, words)
    assert METRIC.details(ALL, places) == METRIC.details(ALL, words)
    assert [row["queries"] for row in METRIC.wrong(ALL, places)] == [
        [{"query": "rose", "rank": 3}, {"query": "wool that year", "rank": 1}]
    ]


def test_two_that_quote_are_compared_by_places_and_shown_by_their_words() -> None:
    left, right = quoted([RENT_BARN], [FELL], []), quoted([RENT_BARN], [((0, 5),)], [])
    found = compare(ALL, [left], [right], metric=METRIC)
    assert found.changed_share == pytest.approx(1 / 3)
    assert [(item.id, item.left, item.right) for item in found.items] == [
        ("mill", [[{"facet": "query", "answer": "fell"}]], [[{"facet": "query", "answer": "wages"}]])
    ]


def test_predictions_are_aligned_by_id_and_not_by_place() -> None:
    assert METRIC.quick(ALL, [WOOL.gold(), BARN.gold(), MILL.gold()]) == 1.0
    with pytest.raises(UserError, match="do not answer the 3 examples one by one"):
        METRIC.score(ALL, [BARN.gold()])


def test_a_wrong_setting_of_the_metric_or_its_stage_is_named() -> None:
    with pytest.raises(ConfigError, match=r"metric.found_within=0; allowed: 1 or more"):
        metric(found_within=0)
    with pytest.raises(ConfigError, match=r"metric.stage.depth is unknown"):
        metric(stage={**STAGE, "depth": 3})
    assert METRIC.bind({"query": "query"}) is METRIC
