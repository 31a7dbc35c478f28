from shared.examples import SummaryExample
from tasks.summarization.evidence import Source, words_of

SENTENCES = (
    "Good morning and welcome.",
    "Revenue rose 12% to $41.2 million.",
    "Orders fell 3% in the quarter, and revenue with them.",
    "The dividend is $0.25 per share.",
    "Revenue in Tellmere was $41.2 million too.",
)
SOURCE = Source.of(SummaryExample("q2", SENTENCES))
WHOLE = range(len(SENTENCES))


def test_figures_of_a_document_are_listed_by_sentence_and_once_by_value() -> None:
    assert [[figure.text for figure in figures] for figures in SOURCE.figures] == [
        [],
        ["12%", "$41.2 million"],
        ["3%"],
        ["$0.25"],
        ["$41.2 million"],
    ]
    assert [figure.text for figure in SOURCE.all_figures] == ["12%", "$41.2 million", "3%", "$0.25"]


def test_the_nearest_sentence_has_most_of_the_figures_then_most_of_the_words() -> None:
    """Both figures and two words of three, one figure and one word, no figure and one word."""
    assert SOURCE.nearest("revenue rose 12% to $41.2 million", among=WHOLE) == [1, 4, 2]


def test_of_equally_near_sentences_the_first_comes_first_and_others_than_asked_for_are_left_out() -> None:
    assert SOURCE.nearest("$41.2 million of revenue", among=[4, 3, 2]) == [4, 2]
    assert SOURCE.nearest("revenue", among=WHOLE) == [1, 2, 4]


def test_a_sentence_that_shares_no_more_than_common_words_is_not_near() -> None:
    assert SOURCE.nearest("and the", among=WHOLE) == []
    assert SOURCE.evidence("in with and the") == ()


def test_sentences_with_a_figure_of_the_text_are_found_in_other_forms_too() -> None:
    assert SOURCE.with_figures("a margin of 300 basis points") == [2]
    assert SOURCE.with_figures("sales of $41 million") == [1, 4]
    assert SOURCE.with_figures("revenue") == []


def test_a_bullet_rests_on_the_nearest_sentence_and_those_with_figures_that_it_lacks() -> None:
    assert SOURCE.evidence("revenue rose 12% to $41.2 million") == (1,)
    assert SOURCE.evidence("revenue rose 12%, orders fell 3%") == (2, 1)  # three words there, two here
    assert SOURCE.evidence("new shops in tellmere") == (4,)


def test_a_bullet_rests_on_three_sentences_at_most() -> None:
    source = Source(("Up 1%.", "Up 2%.", "Up 3%.", "Up 4%."))
    assert source.evidence("1%, 2%, 3%, 4%") == (0, 1, 2)


def test_a_document_without_sentences_bears_out_nothing() -> None:
    source = Source(())
    assert (source.text, source.all_figures, source.evidence("revenue rose 12%")) == ("", [], ())


def test_words_are_those_of_three_letters_that_not_any_text_has() -> None:
    assert words_of("The Mühle is OK: up 12%, and sold.") == {"mühle", "sold"}


def test_the_sentences_that_bear_a_text_out_have_as_many_of_its_figures_as_any_has() -> None:
    assert SOURCE.bearing("revenue rose 12% to $41.2 million") == [1]
    assert SOURCE.bearing("revenue of $41.2 million") == [1, 4]
    assert SOURCE.bearing("revenue rose 3% to $41.2 million") == [1, 2, 4]
    assert SOURCE.bearing("revenue of $5 million") == SOURCE.bearing("revenue rose") == []


def test_a_document_tells_which_quarter_it_reports() -> None:
    assert SOURCE.reported_quarter is None
    assert Source((*SENTENCES, "So much for the third quarter.")).reported_quarter == 3
