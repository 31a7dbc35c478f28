import pytest

from shared.salience import has_figure, sentence_targets

SENTENCES = ("Revenue rose 12% to $41.2 million.", "The dividend stays.", "Thank you.")


def test_a_target_is_the_square_of_the_mean_share_of_numbers_and_words() -> None:
    """Of 12, 41.2 and 2 the sentence has 2; of revenue, rose, million and q it has 3: (2/3 + 3/4) / 2."""
    found = sentence_targets(SENTENCES, ["revenue rose 12% to $41.2 million in q2."])
    assert found == pytest.approx([(17 / 24) ** 2, 0, 0])


def test_a_bullet_without_numbers_is_covered_by_its_words_alone() -> None:
    assert sentence_targets(SENTENCES, ["the dividend is kept"]) == [0, 0.25, 0]


def test_the_best_covered_bullet_counts() -> None:
    bullets = ["revenue of 7", "dividend stays", "revenue rose 12"]
    assert sentence_targets(SENTENCES, bullets) == [1, 1, 0]


def test_thousands_separators_do_not_make_another_number() -> None:
    assert sentence_targets(["1,681 sold"], ["sold 1681."]) == [1]


def test_words_of_any_alphabet_count() -> None:
    assert sentence_targets(["Größe zählt", "Der Größte"], ["größe zählt"]) == [1, 0]
    assert sentence_targets(["Прибыль выросла"], ["прибыль упала"]) == [0.25]


@pytest.mark.parametrize("bullets", [[], [""], ["of the and"]])
def test_bullets_that_say_nothing_give_no_target(bullets: list[str]) -> None:
    assert sentence_targets(SENTENCES, bullets) == [0, 0, 0]


@pytest.mark.parametrize(("text", "has"), [("up 5%", True), ("q3", True), ("five", False), ("", False)])
def test_a_sentence_has_a_figure_where_a_digit_stands(text: str, has: bool) -> None:
    assert has_figure(text) is has
