import pytest

from tasks.summarization.names import find_names, unsupported_names

WORDING = frozenset({"revenue", "rose", "million", "dividend"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Revenue rose in Norway and at Foldmark AG.", ["Norway", "Foldmark", "AG"]),
        ("revenue rose in norway and at foldmark ag.", ["norway", "foldmark", "ag"]),
        ("Dividends rose.", []),  # the wording has the word without its s
        ("revenue rose to $4.2 million in q2, 10-k filed.", ["filed"]),
        ("covid-19 and cet1 hit m&a at l'arbre's shop.", ["covid", "hit", "m&a", "l'arbre's", "shop"]),
        ("foldmark corp, brannock inc. and tellmere co.", ["foldmark", "brannock", "tellmere"]),
        ("a b c", []),
        ("", []),
    ],
)
def test_names_are_words_of_letters_outside_the_wording(text: str, expected: list[str]) -> None:
    assert find_names(text, wording=WORDING) == expected


def test_a_text_with_capitals_names_only_what_is_written_with_one() -> None:
    assert find_names("The orchard sold cider to Brannock.", wording=WORDING) == ["Brannock"]


@pytest.mark.parametrize(
    ("text", "source", "lacking"),
    [
        ("foldmark's orchards grew", "FOLDMARK grew its orchard.", []),
        ("the foldmark orchard grew", "Foldmark’s orchards have grown.", ["grew"]),
        ("Brannock sold Foldmark.", "We sold Foldmark to Bran.", ["Brannock"]),
        ("cider boss leaves", "The boss of the cider mill left.", ["leaves"]),
        ("mid-single-digit decline", "a decline, mid single digit", []),
        ("cider cider", "nothing", ["cider", "cider"]),
        ("as of jan and sept", "As of January 31 and Sep 30.", []),
        ("as of jan", "As of June 30.", ["jan"]),
        ("", "", []),
    ],
)
def test_a_name_stands_in_the_source_whatever_its_case_plural_or_possessive(
    text: str, source: str, lacking: list[str]
) -> None:
    assert unsupported_names(text, source=source, wording=WORDING) == lacking


def test_house_wording_need_not_stand_in_the_source() -> None:
    assert unsupported_names("revenue rose", source="Sales went up.", wording=WORDING) == []
    assert unsupported_names("revenue rose", source="Sales went up.", wording=frozenset()) == [
        "revenue",
        "rose",
    ]
