import pytest

from tasks.summarization.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Revenue rose. Costs fell.", ["Revenue rose.", "Costs fell."]),
        ("Why? Because! 12 sites opened.", ["Why?", "Because!", "12 sites opened."]),
        ('She said "no." "Yes," he said.', ['She said "no."', '"Yes," he said.']),
        ("It was $5. (We had planned 4.) $6 came.", ["It was $5.", "(We had planned 4.)", "$6 came."]),
        ("one line\n\n  another\tline \r\n", ["one line", "another line"]),
        ("wait... Then it came", ["wait...", "Then it came"]),
        (" \n", []),
    ],
)
def test_sentences_end_with_a_line_or_with_a_mark_before_a_capital_a_figure_or_a_quote(
    text: str, sentences: list[str]
) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Vos of Alder Inc. (Ostrava) spoke.",
        "J. R. Doe leads the U.S. Segment.",
        "See No. 5 of the list.",
        "1. Revenue rose.",
        "it rose 2.5 percent. so did costs",
    ],
)
def test_abbreviations_initials_list_numbers_and_small_letters_end_none(sentence: str) -> None:
    assert split_sentences(sentence) == [sentence]


def test_no_ends_a_sentence_unless_a_number_follows() -> None:
    assert split_sentences("We said no. They agreed.") == ["We said no.", "They agreed."]


def test_no_character_but_white_space_is_lost() -> None:
    text = 'A. B? "C" d! 7 (E) f.\nG'
    assert "".join(split_sentences(text)).replace(" ", "") == "".join(text.split())


def test_a_sentence_of_many_words_is_one() -> None:
    assert split_sentences("word " * 20_000) == [" ".join(["word"] * 20_000)]
