from typing import Any

import pytest

from shared.compose import compose_run
from shared.contracts import Baseline
from shared.errors import ConfigError
from shared.passages import QueryExample, QueryPrediction
from tasks.retrieval.query_baseline import FirstWords, KeyWords

NO_DATA: Any = None  # they answer from the examples alone
EXAMPLES = [
    QueryExample("tolls", "Tolls rose; bridge tolls rose most."),
    QueryExample("ferry", "The ferry rose with the tide."),
    QueryExample("empty", " "),
]


def answers(baseline: Baseline, *examples: QueryExample) -> list[QueryPrediction]:
    return list(baseline.answer(NO_DATA, examples).predictions)


def test_the_first_words_are_asked_as_they_stand_and_of_a_shorter_passage_all() -> None:
    assert answers(FirstWords("first", 3), *EXAMPLES) == [
        QueryPrediction("tolls", ("Tolls rose; bridge",)),
        QueryPrediction("ferry", ("The ferry rose",)),
        QueryPrediction("empty"),
    ]
    assert answers(FirstWords("first", 12), EXAMPLES[1])[0].queries == ("The ferry rose with the tide.",)


def test_key_words_are_frequent_in_the_passage_and_rare_in_the_others() -> None:
    """Tolls, twice in 1 of 3 passages, has 2 ln 3; bridge and most ln 3 = 1.10; rose 2 ln 1.5 = 0.81.

    In the second passage "the" is there twice; ferry, with and tide once, and rose is in the first too.
    """
    assert answers(KeyWords("key", 4), *EXAMPLES) == [
        QueryPrediction("tolls", ("tolls bridge most rose",)),
        QueryPrediction("ferry", ("the ferry with tide",)),
        QueryPrediction("empty"),
    ]
    assert [prediction.queries for prediction in answers(KeyWords("key", 2), *EXAMPLES[:2])] == [
        ("tolls bridge",),
        ("the ferry",),
    ]


def test_a_passage_alone_is_asked_of_by_its_first_words() -> None:
    assert answers(KeyWords("key", 2), EXAMPLES[1])[0].queries == ("the ferry",)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("first_words", FirstWords("first twelve words", 12)),
        ("key_words", KeyWords("six words of highest TF-IDF", 6)),
    ],
)
def test_every_row_has_a_name_of_its_own(option: str, expected: Baseline) -> None:
    assert compose_run("query_generation", [f"baseline={option}"]).baseline == expected


@pytest.mark.parametrize("kind", [FirstWords, KeyWords])
def test_a_query_without_words_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigError, match=r"baseline\.words=0; allowed: 1 and more"):
        kind("none", 0)
