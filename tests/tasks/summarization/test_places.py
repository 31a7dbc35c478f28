import pytest

from tasks.summarization.places import derive_places, place

WORDS = ["revenue", "rose", "outlook", "raised", "rare"]


def test_a_place_is_the_sum_of_its_words_each_once() -> None:
    places = {"revenue": -0.5, "rose": 0.1, "$": 0.25}
    assert place("Revenue rose, revenue rose to $5.", places) == pytest.approx(-0.15)
    assert place("the dividend", places) == place("", places) == 0.0


def test_words_of_bullets_that_come_first_are_below_those_of_bullets_that_come_last() -> None:
    places = derive_places([["revenue rose.", "outlook raised."]] * 30, words=WORDS)
    assert set(places) == set(WORDS) - {"rare"}
    assert places["revenue"] == places["rose"] < 0 < places["outlook"] == places["raised"]


def test_there_are_no_places_where_bullets_have_no_order() -> None:
    both = [["revenue rose.", "outlook raised."], ["outlook raised.", "revenue rose."]]
    assert derive_places(both * 30, words=WORDS) == {}


def test_there_are_no_places_without_enough_bullets_or_with_one_a_summary() -> None:
    assert derive_places([["revenue rose.", "outlook raised."]] * 10, words=WORDS) == {}
    assert derive_places([["revenue rose."]] * 60, words=WORDS) == derive_places([], words=WORDS) == {}
