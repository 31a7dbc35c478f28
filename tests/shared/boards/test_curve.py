from dataclasses import replace
from typing import Any

import pytest

from shared.boards.curve import Point, crossing, curve_markdown, curves, is_point
from shared.contracts import Score
from shared.errors import UserError
from shared.record import Counts, Record
from tests.shared.records import make_record, micro_f1


def trained(examples: int | None, *, seed: int, right: int, **changes: Any) -> Record:
    """A run that finds so many of 8 entities, and as many wrong ones as it misses: F1 is right / 8."""
    whole = make_record()
    assert whole.training
    return make_record(
        id=f"{examples}-{seed}",
        seed=seed,
        experiment="ner/learning_curve",
        training=replace(whole.training, examples=examples),
        scores={"f1": Score(right / 8)},
        counts=Counts(["PER"], ["tp", "predicted", "gold"], {"d1": [right, 8, 8]}),
        **changes,
    )


def point(examples: int, value: float) -> Point:
    return Point(examples, value, None, None, seeds=3)


def test_the_runs_of_one_size_are_one_point_and_rows_are_none() -> None:
    records = [
        trained(100, seed=1, right=6),
        trained(25, seed=2, right=4),
        trained(25, seed=1, right=2),
        make_record(),
    ]
    assert curves(records, statistic=micro_f1) == {
        "tiny + LoRA": [Point(25, 0.375, 0.375, 0.375, seeds=2), Point(100, 0.75, 0.75, 0.75, seeds=1)]
    }


def test_each_name_has_its_own_curve() -> None:
    records = [trained(25, seed=1, right=2), trained(25, seed=1, right=4, name="large")]
    assert {
        name: [p.value for p in found] for name, found in curves(records, statistic=micro_f1).items()
    } == {
        "large": [0.5],
        "tiny + LoRA": [0.25],
    }


def test_the_interval_of_a_point_is_over_documents() -> None:
    run = trained(25, seed=1, right=4)
    counts = Counts(["PER"], ["tp", "predicted", "gold"], {"d1": [0.0, 4, 4], "d2": [4.0, 4, 4]})
    (found,) = curves([replace(run, counts=counts)], statistic=micro_f1)["tiny + LoRA"]
    assert (found.low, found.value, found.high) == (0.0, 0.5, 1.0)


def test_an_experiment_is_a_curve_by_the_end_of_its_name() -> None:
    named = {
        name: is_point(make_record(experiment=name))
        for name in ("ner/learning_curve", "ontology/banking77_learning_curve", "ner/minilm_lora", "")
    }
    assert list(named.values()) == [True, True, False, False]


def test_a_point_that_does_not_say_its_size_is_refused() -> None:
    with pytest.raises(UserError, match=r"record None-1 is a point .* does not say how many examples"):
        curves([trained(None, seed=1, right=4)], statistic=micro_f1)


def test_the_crossing_is_interpolated_on_the_logarithm_of_the_examples() -> None:
    points = [point(25, 0.5), point(100, 0.7), point(400, 0.8)]
    assert crossing(points, 0.6) == 50  # half way from 25 to 100: twice 25
    assert crossing(points, 0.75) == 200
    assert crossing(points, 0.7) == 100


def test_a_curve_that_never_reaches_the_target_has_no_crossing() -> None:
    assert crossing([point(25, 0.5), point(100, 0.7)], 0.71) is None


def test_a_curve_that_starts_above_the_target_crosses_at_its_first_point() -> None:
    assert crossing([point(25, 0.5), point(100, 0.7)], 0.5) == 25


def test_a_curve_that_falls_back_crosses_where_it_last_rises() -> None:
    points = [point(25, 0.5), point(50, 0.7), point(100, 0.5), point(400, 0.7)]
    assert crossing(points, 0.6) == 200


def test_the_table_names_each_size_and_the_sentence_the_crossing() -> None:
    points = [Point(25, 0.5, 0.4, 0.6, seeds=3), Point(1600, 0.75, 0.7, 0.8, seeds=3)]
    assert curve_markdown(points, ("GPT-4o", 0.625)) == (
        "|   labelled examples |         score [95 %] |   seeds |\n"
        "|--------------------:|---------------------:|--------:|\n"
        "|                  25 | 0.500 [0.400, 0.600] |       3 |\n"
        "|               1,600 | 0.750 [0.700, 0.800] |       3 |\n"
        "\n"
        "The mean reaches GPT-4o (0.625) at about 200 labelled examples, interpolated between two sizes on a "
        "logarithmic scale."
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (0.8, "With up to 1,600 labelled examples the mean does not reach GPT-4o (0.800)."),
        (0.4, "The mean is at or above GPT-4o (0.400) from the smallest size on, 25 labelled examples."),
    ],
)
def test_the_sentence_says_where_there_is_no_crossing(target: float, said: str) -> None:
    points = [point(25, 0.5), point(1600, 0.75)]
    assert curve_markdown(points, ("GPT-4o", target)).endswith(f"\n\n{said}")
