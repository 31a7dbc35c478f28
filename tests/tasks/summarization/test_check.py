from dataclasses import replace
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.contracts import Reviewer
from shared.errors import ConfigError, UserError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.typed_config import typed
from tasks.summarization.check import Check, Failed
from tasks.summarization.style import Bounds, HouseStyle, instruction
from tasks.summarization.style_forms import Case, Order
from tests.tasks.summarization.adapters import ROOT

BRIEF: HouseStyle = typed(
    OmegaConf.create({"style": OmegaConf.load(ROOT / "conf/style/brief.yaml")}).style,
    HouseStyle,
    path="style",
)
STYLE = replace(
    BRIEF,
    bullets=Bounds(1, 3),
    words=Bounds(3, 12),
    case=Case.lower,
    order=Order.any,
    forbidden=["great"],
    period=0,
    metric=0,
    value=0,
)
SENTENCES = (
    "Good morning and welcome.",
    "Revenue rose 12% to $41.2 million.",
    "Orders fell 3% in the quarter.",
    "The dividend is $0.25 per share.",
    "We opened a mill in Tellmere.",
)
EXAMPLE = SummaryExample("q2", SENTENCES, ("Gold.",), document="q2")
REVENUE, ORDERS, DIVIDEND = "revenue rose 12%.", "orders fell 3%.", "dividend is $0.25."
WRONG = "orders fell 4%."
REVENUE_QUOTED = Bullet("revenue rose 12% to $41.2 million.", (1,), quoted=True, mark="replaced")
ORDERS_QUOTED = Bullet("orders fell 3% in the quarter.", (2,), quoted=True, mark="replaced")
DIVIDEND_QUOTED = Bullet("the dividend is $0.25 per share.", (3,), quoted=True, mark="replaced")
MILL_QUOTED = Bullet("the company opened a mill in tellmere.", (4,), quoted=True, mark="replaced")


def check(*, rewrite: bool = True, failed: Failed = Failed.replace, **changes: Any) -> Check:
    return Check(replace(STYLE, **changes), rewrite=rewrite, failed=failed)


def written(*lines: str, read: tuple[int, ...] = (1, 2), abstained: str = "") -> SummaryPrediction:
    return SummaryPrediction("q2", tuple(map(Bullet, lines)), abstained=abstained, read=read)


def begun(prediction: SummaryPrediction, **changes: Any) -> list[tuple[str, ...] | None]:
    return [example.begun for example in check(**changes).again([EXAMPLE], [prediction])]


def settled(
    first: SummaryPrediction, *second: SummaryPrediction, example: SummaryExample = EXAMPLE, **changes: Any
) -> SummaryPrediction:
    [found] = check(**changes).settle([example], [first], second)
    return found


def lines(prediction: SummaryPrediction) -> list[str]:
    return [bullet.text for bullet in prediction.bullets]


def test_a_check_is_a_reviewer_that_tells_its_style() -> None:
    reviewer: Reviewer = check()
    assert reviewer.instruction() == instruction(STYLE)


def test_a_summary_is_written_once_more_behind_the_bullets_before_its_first_fault() -> None:
    [example] = check().again([EXAMPLE], [written(REVENUE, WRONG, DIVIDEND)])
    assert example == SummaryExample("q2", SENTENCES, (), "q2", chosen=(1, 2), begun=(REVENUE,))
    assert begun(written(WRONG)) == [()]


@pytest.mark.parametrize(
    ("prediction", "changes"),
    [
        (written(REVENUE, ORDERS), {}),
        (written(WRONG), {"rewrite": False}),
        (written(REVENUE, ORDERS, DIVIDEND, "a mill opened."), {}),
        (written(REVENUE, ORDERS, DIVIDEND, WRONG), {}),
        (written(REVENUE), {"required": ["growth"]}),
        (written("a mill opened.", REVENUE), {"order": Order.figures_first}),
        (written(abstained="the document is empty"), {}),
    ],
    ids=["right", "not asked for", "too many", "wrong beyond", "lacks a word", "order", "abstained"],
)
def test_nothing_is_written_once_more_where_that_mends_nothing(
    prediction: SummaryPrediction, changes: dict[str, Any]
) -> None:
    assert begun(prediction, **changes) == []


def test_a_bullet_that_passes_is_given_with_its_evidence() -> None:
    found = settled(written(REVENUE, ORDERS))
    assert found == SummaryPrediction("q2", (Bullet(REVENUE, (1,)), Bullet(ORDERS, (2,))), read=(1, 2))


def test_what_the_second_run_wrote_is_marked() -> None:
    found = settled(written(REVENUE, WRONG), written(REVENUE, ORDERS))
    assert found.bullets == (Bullet(REVENUE, (1,)), Bullet(ORDERS, (2,), mark="rewritten"))


def test_a_second_run_with_fewer_right_bullets_is_not_taken() -> None:
    found = settled(written(REVENUE, WRONG, DIVIDEND), written(REVENUE))
    assert found.bullets == (Bullet(REVENUE, (1,)), ORDERS_QUOTED, Bullet(DIVIDEND, (3,)))


FEW = {"rewrite": False, "failed": Failed.drop}


def more(bullets: int, *predictions: SummaryPrediction, **changes: Any) -> tuple[list[SummaryExample], Any]:
    """The documents to write once more, and the summary given after the second writing, if there is one."""
    asked = replace(check(**{**FEW, **changes}), more=bullets)
    first, *second = predictions
    return asked.again([EXAMPLE], [first]), asked.settle([EXAMPLE], [first], second)[0]


def test_a_summary_of_few_bullets_is_written_once_more_from_sentences_that_none_of_them_tells() -> None:
    first = written(REVENUE, read=(1, 2, 3))
    assert more(2, first)[0] == [replace(EXAMPLE, bullets=(), chosen=(2, 3))]
    assert more(1, first)[0] == more(2, written(REVENUE, ORDERS))[0] == []
    assert more(2, written(REVENUE, read=(1,)))[0] == []  # nothing is left to read
    assert more(2, written(abstained="nothing was written"))[0] == []


def test_of_what_is_written_once_more_the_first_bullet_that_passes_and_is_new_is_added() -> None:
    second = written("orders fell 9%.", REVENUE, "orders fell 3% versus 9%.", DIVIDEND)
    _, found = more(3, written(REVENUE, read=(1, 2, 3)), second)
    assert found.bullets == (Bullet(REVENUE, (1,)), Bullet(ORDERS, (2,), mark="added"))
    _, found = more(3, written(REVENUE), written("orders fell 9%.", REVENUE))
    assert found.bullets == (Bullet(REVENUE, (1,)),)


def test_how_many_are_wanted_is_none_below_zero_and_none_where_all_is_kept() -> None:
    with pytest.raises(ConfigError, match=r"head\.check\.more=-1; allowed: 0 or more"):
        replace(check(), more=-1)
    with pytest.raises(ConfigError, match=r"head\.check\.more=2; allowed: 0 with failed=keep"):
        replace(check(failed=Failed.keep), more=2)


def test_a_bullet_that_fails_is_written_again_before_any_is_added() -> None:
    asked, _ = more(3, written(REVENUE, WRONG), rewrite=True)
    assert [example.begun for example in asked] == [(REVENUE,)]


@pytest.mark.parametrize("failed", [Failed.replace, Failed.drop])
def test_a_wrong_bullet_is_cut_back_to_the_clauses_that_pass(failed: Failed) -> None:
    found = settled(written("orders fell 3% versus 4% a year ago."), failed=failed)
    assert found.bullets == (Bullet("orders fell 3%.", (2,), mark="shortened"),)
    several = "orders fell 3%, in the quarter, compared with 4%, from 5%."
    assert lines(settled(written(several), failed=failed)) == ["orders fell 3%, in the quarter."]


def test_a_bullet_is_not_cut_within_a_number_nor_to_less_than_a_figure() -> None:
    assert settled(written("orders fell in the quarter, by 4%.")).bullets == (ORDERS_QUOTED,)
    assert settled(written("orders fell 4,000% in the quarter.")).bullets == (ORDERS_QUOTED,)
    assert settled(written("orders, 3% down versus 4%.")).bullets[0].text == "orders, 3% down."


def test_what_is_left_of_a_bullet_is_not_told_twice() -> None:
    twice = ("orders fell 3% versus 4%.", ORDERS, "orders fell 3% against 5%.")
    assert settled(written(*twice)).bullets == (Bullet(ORDERS, (2,)),)
    assert lines(settled(written(twice[0], twice[2]))) == [ORDERS]


def test_a_wrong_bullet_is_kept_whole_if_asked_for() -> None:
    found = settled(written("orders fell 3% versus 4%."), failed=Failed.keep).bullets
    assert [(bullet.text, bullet.mark) for bullet in found] == [("orders fell 3% versus 4%.", "")]


def test_a_wrong_bullet_gives_way_to_the_nearest_sentence_that_was_read() -> None:
    found = settled(written(WRONG, read=(1, 2, 3)))
    assert found.bullets == (ORDERS_QUOTED,)


def test_where_no_sentence_read_is_near_one_of_the_document_with_a_figure_in_common_stands_in() -> None:
    found = settled(written(REVENUE, "dividend is a great $0.25.", read=(1,)))
    assert found.bullets == (Bullet(REVENUE, (1,)), DIVIDEND_QUOTED)


def test_a_sentence_that_another_bullet_tells_does_not_stand_in() -> None:
    """The later bullet rests on the only near sentence; of two wrong bullets one alone is replaced."""
    assert lines(settled(written(WRONG, ORDERS))) == [ORDERS]
    assert settled(written(WRONG, "orders fell 5%.", REVENUE)).bullets == (
        ORDERS_QUOTED,
        Bullet(REVENUE, (1,)),
    )


def test_a_sentence_that_breaks_the_style_does_not_stand_in() -> None:
    assert settled(written(REVENUE, WRONG), forbidden=["quarter"]).bullets == (Bullet(REVENUE, (1,)),)


def test_a_wrong_bullet_is_dropped_or_kept_with_its_faults_if_asked_for() -> None:
    assert settled(written(REVENUE, WRONG), failed=Failed.drop).bullets == (Bullet(REVENUE, (1,)),)
    assert settled(written(REVENUE, WRONG), failed=Failed.keep).bullets == (
        Bullet(REVENUE, (1,)),
        Bullet(WRONG, (2,), faults=("bullet 2, figures: not in the document: 4%",)),
    )


SECOND = replace(EXAMPLE, sentences=("Welcome to the second quarter call.", *SENTENCES[1:]))


def kinds(prediction: SummaryPrediction, **changes: Any) -> tuple[Bullet, ...]:
    """The bullets given of the document, which reports the second quarter, but for their confidences."""
    asked = replace(check(**changes), kinds=True)
    [found] = asked.settle([SECOND], [prediction], [])
    return tuple(replace(bullet, confidence=None) for bullet in found.bullets)


def test_a_bullet_of_the_wrong_quarter_is_corrected() -> None:
    line = "q3 revenue rose 12%."
    assert kinds(written(line)) == (Bullet("q2 revenue rose 12%.", (1,), mark="corrected"),)
    assert settled(written(line), example=SECOND).bullets == (Bullet(line, (1,)),)


def test_where_kinds_are_checked_a_bullet_is_as_sure_as_the_document_says_it_plainly() -> None:
    """Outlook and adjusted agree; of three words, revenue and rose stand there."""
    asked = replace(check(), kinds=True)
    [found] = asked.settle([SECOND], [written("tellmere revenue rose 12%.", "a mill opened.")], [])
    assert [bullet.confidence for bullet in found.bullets] == [0.8889, None]


def placed(prediction: SummaryPrediction, **changes: Any) -> list[str]:
    [found] = replace(check(**changes), placed=True).settle([EXAMPLE], [prediction], [])
    return lines(found)


def test_bullets_stand_where_their_words_put_them() -> None:
    places = {"revenue": 0.2, "dividend": -0.1, "orders": 0.3, "fell": -0.3}
    first = written(REVENUE, DIVIDEND, ORDERS)
    assert placed(first, places=places) == [DIVIDEND, ORDERS, REVENUE]
    assert lines(settled(first, places=places)) == placed(first) == [REVENUE, DIVIDEND, ORDERS]


def test_the_order_that_the_style_asks_for_comes_before_places() -> None:
    first, places = written("a mill opened.", DIVIDEND), {"dividend": 1.0}
    assert placed(first, places=places) == ["a mill opened.", DIVIDEND]
    assert placed(first, places=places, order=Order.figures_first) == [DIVIDEND, "a mill opened."]


def test_faults_that_are_kept_name_bullets_as_they_stand() -> None:
    asked = replace(check(failed=Failed.keep, places={"revenue": 1.0}), placed=True)
    [found] = asked.settle([EXAMPLE], [written(REVENUE, WRONG)], [])
    assert [(bullet.text, bullet.faults) for bullet in found.bullets] == [
        (WRONG, ("bullet 1, figures: not in the document: 4%",)),
        (REVENUE, ()),
    ]


def test_what_a_correction_makes_alike_is_told_once() -> None:
    lines = ("q2 revenue rose 12%.", "q3 revenue rose 12%.", "q2 adjusted revenue rose 12%.")
    assert kinds(written(*lines)) == (Bullet(lines[0], (1,)),)


def test_a_wrong_kind_is_kept_with_its_fault_if_asked_for() -> None:
    [bullet] = kinds(written("q3 revenue rose 12%."), failed=Failed.keep)
    assert (bullet.text, bullet.mark) == ("q3 revenue rose 12%.", "")
    assert bullet.faults == ("bullet 1, quarter: not so in the document: 'q3'",)


def test_an_outlook_that_is_none_gives_way_to_the_sentence() -> None:
    assert kinds(written("sees orders down 3%.")) == (ORDERS_QUOTED,)
    assert kinds(written(REVENUE, "sees orders down 3%."), failed=Failed.drop) == (Bullet(REVENUE, (1,)),)


def test_what_is_written_again_stands_behind_corrected_bullets() -> None:
    [example] = replace(check(), kinds=True).again([SECOND], [written("q3 revenue rose 12%.", WRONG)])
    assert example.begun == ("q2 revenue rose 12%.",)


def test_a_bullet_is_not_added_that_tells_another_as_another_kind() -> None:
    first, second = written("adjusted revenue rose 12%."), written(REVENUE, DIVIDEND)
    example = replace(EXAMPLE, sentences=("Adjusted revenue rose 12%.", *SENTENCES[2:]))
    asked = replace(check(**FEW), kinds=True, more=3)
    [found] = asked.settle([example], [first], [second])
    assert lines(found) == ["adjusted revenue rose 12%.", DIVIDEND]


def test_a_repetition_is_left_out_not_replaced() -> None:
    assert settled(written(REVENUE, REVENUE)).bullets == (Bullet(REVENUE, (1,)),)
    kept = settled(written(REVENUE, REVENUE), failed=Failed.keep).bullets
    assert [bullet.faults for bullet in kept] == [(), (f"bullet 2, repeats: '{REVENUE}', as bullet 1",)]


@pytest.mark.parametrize("failed", [Failed.replace, Failed.drop])
def test_bullets_too_many_are_cut(failed: Failed) -> None:
    found = settled(written(REVENUE, ORDERS, DIVIDEND, "a mill opened."), failed=failed)
    assert lines(found) == [REVENUE, ORDERS, DIVIDEND]


def test_bullets_are_put_into_the_order_of_the_style() -> None:
    found = settled(written("a mill opened.", REVENUE), order=Order.figures_first)
    assert lines(found) == [REVENUE, "a mill opened."]


def test_bullets_too_few_are_filled_up_with_sentences_read_nearest_first() -> None:
    found = settled(written("a mill tripled.", read=(1, 3, 4)), bullets=Bounds(2, 3))
    assert found.bullets == (MILL_QUOTED, REVENUE_QUOTED)
    assert settled(written("a mill tripled.", read=(1, 4)), bullets=Bounds(2, 3), failed=Failed.drop) == (
        SummaryPrediction("q2", abstained="no bullet passed the check", read=(1, 4))
    )


def test_what_the_whole_lacks_is_added() -> None:
    found = settled(written(REVENUE, read=(1, 3, 2)), period=0.01)
    assert found.bullets == (Bullet(REVENUE, (1,)), ORDERS_QUOTED)


def test_what_the_whole_lacks_takes_the_place_of_the_last_bullet_without_it() -> None:
    """There is room for no third bullet; or a third one with a figure would leave one short of half."""
    first = written("a mill opened.", "the mill is open.", read=(1, 2))
    example = replace(EXAMPLE, sentences=(*SENTENCES, "The mill is open."))
    for most in (2, 3):
        found = settled(first, example=example, value=0.5, bullets=Bounds(1, most))
        assert found.bullets == (Bullet("a mill opened.", (4,)), REVENUE_QUOTED)


def test_an_abstention_names_the_rules_and_quotes_nothing() -> None:
    found = settled(written(REVENUE), required=["growth"], period=0.01, forbidden=["quarter"])
    assert found == SummaryPrediction(
        "q2", abstained="the summary breaks the style: period, required", read=(1, 2)
    )


def test_what_the_writer_abstains_from_is_left_as_it_is() -> None:
    empty = written(abstained="the document is empty", read=())
    assert settled(empty) == empty


def test_an_empty_document_bears_out_no_bullet() -> None:
    example = SummaryExample("q2", ())
    assert settled(written(REVENUE, read=()), example=example).abstained == "no bullet passed the check"


def test_a_document_in_another_language_gives_an_abstention_where_the_style_asks_for_words() -> None:
    german = ("Die Mühle in Tellmere wurde eröffnet.", "Der Umsatz stieg auf 41,2 Millionen Euro.")
    example = SummaryExample("q2", german)
    found = settled(written(REVENUE, read=(0, 1)), example=example, metric=0.01)
    assert (found.bullets, found.abstained) == ((), "the summary breaks the style: metric")


def test_of_a_sentence_of_20000_words_as_many_stand_in_as_the_style_allows() -> None:
    example = SummaryExample("q2", ("sales rose 5% " * 6700,))
    found = settled(written(WRONG, read=(0,)), example=example)
    assert found.bullets == (
        Bullet("sales rose 5% sales rose 5% sales rose 5% sales rose.", (0,), quoted=True, mark="replaced"),
    )


def test_predictions_must_answer_the_examples() -> None:
    with pytest.raises(UserError, match="1 predictions do not answer the 1 examples"):
        check().settle([EXAMPLE], [SummaryPrediction("q3")], [])
