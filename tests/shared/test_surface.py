import math

import pytest

from shared.surface import SURFACE, surface, surfaces, surfaces_of_training, words


def test_words_are_lower_cased_runs_of_letters_digits_and_underscores() -> None:
    assert words("Pump_2 can't STOP -- Öl: 4.5") == ["pump_2", "can", "t", "stop", "öl", "4", "5"]


def test_each_feature_is_counted_by_hand() -> None:
    # 20 characters: 5 digits, 4 capitals, 2 marks; words win, now, at, 2024, 5 of 13 characters, 3 unseen
    found = surface("WIN Now! at 2024 - 5", known_words={"now", "at"})
    assert len("WIN Now! at 2024 - 5") == 20
    assert dict(zip(SURFACE, found, strict=True)) == pytest.approx(
        {
            "log_characters": math.log(20),
            "digit_share": 0.25,
            "capital_share": 0.2,
            "mark_share": 0.1,
            "mean_word_characters": 2.6,
            "unseen_word_share": 0.6,
            "longest_digit_run": 4.0,
        }
    )


def test_an_empty_text_has_no_features_above_0() -> None:
    assert surface("", known_words=set()) == [0.0] * 7


def test_no_texts_have_no_rows() -> None:
    assert surfaces([], known_words=set()).shape == (0, 7)
    assert surfaces_of_training([]).shape == (0, 7)


def test_each_half_of_the_training_texts_is_measured_by_the_words_of_the_other() -> None:
    # even places know: red, green; odd places know: red, blue
    found = surfaces_of_training(["red red", "red blue", "green", "blue"])
    assert found[:, SURFACE.index("unseen_word_share")].tolist() == [0.0, 0.5, 1.0, 1.0]


def test_the_other_features_of_training_texts_are_those_of_any_text() -> None:
    texts = ["Valve 7 open", "valve 12 CLOSED!", "all quiet"]
    others = [place for place, name in enumerate(SURFACE) if name != "unseen_word_share"]
    found = surfaces_of_training(texts)
    assert found[:, others].tolist() == surfaces(texts, known_words=set())[:, others].tolist()
