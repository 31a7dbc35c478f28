import pytest

from shared.errors import ConfigError
from tasks.retrieval.tokens import check_stemmer, tokenise


def test_words_are_runs_of_letters_and_digits_in_lower_case() -> None:
    texts = ["Net Revenues: $1,452.4 (2019/Q4)", "", "Gewinn für 2019"]
    assert tokenise(texts, stemmer="") == [
        ["net", "revenues", "1", "452", "4", "2019", "q4"],
        [],
        ["gewinn", "f", "r", "2019"],
    ]


def test_a_word_that_stands_twice_is_counted_twice() -> None:
    assert tokenise(["rain, Rain"], stemmer="") == [["rain", "rain"]]


def test_a_stemmer_makes_one_of_the_forms_of_a_word() -> None:
    assert tokenise(["rising rises 1,452"], stemmer="english") == [["rise", "rise", "1", "452"]]


def test_an_unknown_language_is_refused_with_the_one_meant() -> None:
    with pytest.raises(
        ConfigError, match=r"first_stage\.stemmer=englsh \(did you mean 'english'\?\); allowed"
    ):
        check_stemmer("englsh")
    check_stemmer("")
