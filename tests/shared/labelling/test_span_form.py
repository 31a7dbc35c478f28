import pytest

from shared.errors import UserError
from shared.labelling.contracts import Unreadable
from tests.shared.labelling.labellings import ORLA, form, spans, text

EXAMPLE = text("a", ORLA)


def read(*mentions: tuple[str, str]) -> tuple[list[tuple[int, int, str]], dict[str, int]]:
    value = {"entities": [{"text": words, "label": label} for words, label in mentions]}
    reading = form().read(value, EXAMPLE)
    return [span.key for span in reading.prediction.spans], dict(reading.faults)


def test_words_named_once_are_meant_wherever_they_stand() -> None:
    found, faults = read(("Orla Bank", "ORG"), ("Ada Lind", "PER"))
    assert found == [(0, 9, "ORG"), (16, 24, "PER"), (30, 39, "ORG")]
    assert faults == {"meant everywhere": 1}


def test_words_named_twice_take_their_places_in_order() -> None:
    assert read(("Orla Bank", "ORG"), ("Ada Lind", "PER"), ("Orla Bank", "ORG")) == (
        [(0, 9, "ORG"), (16, 24, "PER"), (30, 39, "ORG")],
        {},
    )


def test_what_is_not_in_the_text_or_no_label_is_counted_and_never_invented() -> None:
    found, faults = read(("Fenn Steel", "ORG"), ("Ada", "SHIP"), ("nk", "ORG"), ("ada LIND", "PER"))
    assert found == [(16, 24, "PER")]
    assert faults == {"not in the text": 2, "unknown label": 1}


def test_overlapping_mentions_keep_the_first() -> None:
    found, faults = read(("Ada Lind", "PER"), ("Lind", "ORG"))
    assert found == [(16, 24, "PER")] and faults == {"said twice or overlapping": 1}


@pytest.mark.parametrize("value", [None, 3, {}, {"entities": "Orla"}, {"entities": [{"text": "Orla"}]}])
def test_another_shape_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        form().read(value, EXAMPLE)


def test_gold_comes_back_through_the_reply_it_would_have_been() -> None:
    gold = spans("a", (0, 9, "ORG"), (16, 24, "PER"), (30, 39, "ORG"))
    assert form().read(form().written(EXAMPLE, gold), EXAMPLE).prediction == gold


def test_more_than_half_of_the_answers_make_a_draft() -> None:
    one, other = (0, 9, "ORG"), (16, 24, "PER")
    merged = form().merge([spans("a", one, other), spans("a", one), spans("a", one, other)])
    assert [(span.key, span.probability) for span in merged.prediction.spans] == [(one, 1.0), (other, 2 / 3)]
    assert merged.confidence == 2 / 3
    assert merged.doubt == pytest.approx((1 - 3.5 / 4) + (1 - 2.5 / 4))


def test_the_lead_is_the_draft_and_the_others_say_how_sure_it_is() -> None:
    lead, other = spans("a", (0, 9, "ORG")), spans("a", (0, 9, "PER"))
    merged = form().merge([lead, other, other], lead=lead)
    assert [(span.key, span.probability) for span in merged.prediction.spans] == [((0, 9, "ORG"), 1 / 3)]
    assert merged.confidence == 1 / 3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[0, 3, "ORG"]], "from the start of a word"),
        ([[0, 9, "SHIP"]], "allowed: ORG, PER"),
        ([[0, 9, "ORG"], [5, 9, "PER"]], "overlap"),
        ([["0", 9, "ORG"]], "from the start of a word"),
        ("all", "a list"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(value: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        form().edited(EXAMPLE, value)


def test_agreement_is_the_f1_of_one_by_the_other() -> None:
    pairs = [(spans("a", (0, 9, "ORG"), (16, 24, "PER")), spans("a", (0, 9, "ORG")))]
    found = {one.label: (one.value, one.num) for one in form().agreement(pairs)}
    assert found == {"": (2 / 3, 3), "ORG": (1.0, 2), "PER": (0.0, 1)}
