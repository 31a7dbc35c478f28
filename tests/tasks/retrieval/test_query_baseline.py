from typing import Any

import pytest

from shared.compose import compose_run
from shared.contracts import Baseline
from shared.errors import ConfigError
from shared.example_rows import prediction_row
from shared.passages import QueryExample, QueryPrediction
from tasks.retrieval.query_baseline import FirstWords, KeyWords, RandomWords

NO_DATA: Any = None  # they answer from the examples alone
TOLLS = QueryExample("tolls", "Tolls rose; bridge tolls rose most.")
FERRY = QueryExample("ferry", "The ferry rose with the tide.")
EMPTY = QueryExample("empty", " ")
EXAMPLES = [TOLLS, FERRY, EMPTY]


def answers(baseline: Baseline, *examples: QueryExample) -> list[QueryPrediction]:
    return list(baseline.answer(NO_DATA, examples).predictions)


def asked(baseline: Baseline, *examples: QueryExample) -> list[tuple[str, ...]]:
    found = zip(examples, answers(baseline, *examples), strict=True)
    return [answer.texts(example.text) for example, answer in found]


def test_the_first_words_are_asked_as_they_stand_then_those_behind_them() -> None:
    assert answers(FirstWords("first", words=4, queries=2), *EXAMPLES) == [
        QueryPrediction("tolls", quoted=(((0, 24),), ((25, 35),))),
        QueryPrediction("ferry", quoted=(((0, 19),), ((20, 29),))),
        QueryPrediction("empty"),
    ]
    assert asked(FirstWords("first", words=2, queries=2), TOLLS) == [("Tolls rose;", "bridge tolls")]
    assert asked(FirstWords("first", words=12, queries=4), FERRY) == [("The ferry rose with the tide.",)]


def test_key_words_are_dealt_out_the_rarest_first_and_keep_the_passages_order() -> None:
    """Rose is in both passages, so it is dealt last: tolls, bridge, most, rose to two queries.

    The ferry's are the, ferry, with, tide and rose: to two queries without rose, to three all.
    """
    assert answers(KeyWords("key", words=2, queries=2), *EXAMPLES) == [
        QueryPrediction("tolls", quoted=(((0, 5), (30, 34)), ((6, 10), (12, 18)))),
        QueryPrediction("ferry", quoted=(((0, 3), (15, 19)), ((4, 9), (24, 28)))),
        QueryPrediction("empty"),
    ]
    assert asked(KeyWords("key", words=2, queries=3), *EXAMPLES) == [
        ("Tolls most", "rose bridge"),
        ("The tide", "ferry rose", "with"),
        (),
    ]


def test_of_a_passage_alone_the_first_words_are_the_rarest() -> None:
    assert asked(KeyWords("key", words=2, queries=1), FERRY) == [("The ferry",)]


def test_random_words_are_of_the_passage_each_once_and_in_its_order() -> None:
    [found] = answers(RandomWords("random", words=3, queries=4, seed=1), FERRY)
    places = [place for query in found.quoted for place in query]
    assert sorted(places) == [(0, 3), (4, 9), (10, 14), (15, 19), (24, 28)]
    assert [len(query) for query in found.quoted] == [3, 2]
    assert all(list(query) == sorted(query) for query in found.quoted)


def test_another_seed_draws_other_words_and_other_passages_do_not_matter() -> None:
    passage = QueryExample("long", " ".join(f"word{number}" for number in range(100)))
    one, other = (RandomWords("random", words=6, queries=4, seed=seed) for seed in (1, 2))
    assert answers(one, passage) != answers(other, passage)
    assert answers(one, passage) == answers(one, FERRY, passage)[1:]


@pytest.mark.parametrize("row", ["first_words", "key_words", "random_words"])
def test_what_a_published_row_stores_has_no_word_of_the_passage(row: str) -> None:
    config = compose_run("query_generation", [f"experiment=query_generation/tat_qa_{row}"])
    assert config.baseline is not None
    [stored] = [prediction_row(answer) for answer in answers(config.baseline, FERRY)]
    assert set(stored) == {"id", "queries", "quoted"}
    assert (stored["id"], stored["queries"]) == ("ferry", [])
    assert all(type(end) is int for query in stored["quoted"] for place in query for end in place)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("first_words", FirstWords("first words, twelve a query", words=12, queries=4)),
        ("key_words", KeyWords("rarest words, six a query", words=6, queries=4)),
        ("random_words", RandomWords("random words, six a query", words=6, queries=4, seed=3)),
    ],
)
def test_every_row_has_a_name_of_its_own(option: str, expected: Baseline) -> None:
    assert compose_run("query_generation", [f"baseline={option}", "seed=3"]).baseline == expected


@pytest.mark.parametrize("kind", [FirstWords, KeyWords])
def test_queries_without_words_and_no_queries_are_refused_at_once(kind: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        kind("none", words=0, queries=-1)
    assert raised.value.mistakes == [
        "baseline.words=0; allowed: 1 and more",
        "baseline.queries=-1; allowed: 1 and more",
    ]
