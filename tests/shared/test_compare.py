import pytest

from shared.compare import compare, comparison_row, comparison_text
from shared.errors import UserError
from shared.examples import Span, SpanExample, SpanPrediction
from shared.passages import Passage, RankingExample, RankingPrediction
from tasks.ner.metric import EntityF1
from tasks.retrieval.metric import RankingScores

TEXT = "Ada left Acme"
ADA, ACME = Span(0, 3, "PER"), Span(9, 13, "ORG")
EXAMPLES = [SpanExample(str(id), TEXT, (ADA, ACME), document=str(id)) for id in range(4)]


def run(*answers: tuple[Span, ...]) -> list[SpanPrediction]:
    return [SpanPrediction(str(id), spans) for id, spans in enumerate(answers)]


BEFORE = run((ADA,), (ADA, ACME), (ADA,), (ADA, ACME))
NOW = run((ADA, ACME), (ADA,), (ACME,), (ADA, ACME))


def test_changed_items_are_listed_with_those_that_got_worse_first() -> None:
    items = compare(EXAMPLES, [BEFORE], [NOW], metric=EntityF1()).items
    assert [(item.id, item.change) for item in items] == [
        ("1", "got worse"),
        ("2", "changed"),
        ("0", "got better"),
    ]
    assert items[1].left == [[{"start": 0, "end": 3, "label": "PER", "text": "Ada"}]]
    assert items[1].right == [[{"start": 9, "end": 13, "label": "ORG", "text": "Acme"}]]


def test_the_difference_is_right_minus_left() -> None:
    """Left finds 6 of 8 spans, all right; the right side too; a third system finds all 8."""
    same = compare(EXAMPLES, [BEFORE], [NOW], metric=EntityF1())
    assert same.left.value == same.right.value == pytest.approx(12 / 14)
    assert same.difference.value == 0.0
    better = compare(EXAMPLES, [BEFORE], [run(*[(ADA, ACME)] * 4)], metric=EntityF1())
    assert better.difference.value == pytest.approx(1 - 12 / 14)


def test_shares_are_means_over_pairs_of_runs() -> None:
    """BEFORE and NOW differ on 3 of 4 items, and one run of the right is BEFORE itself."""
    found = compare(EXAMPLES, [BEFORE], [NOW, BEFORE], metric=EntityF1())
    assert found.changed_share == 3 / 8
    assert (found.left_churn, found.right_churn) == (None, 3 / 4)


def test_an_item_right_in_fewer_runs_got_worse() -> None:
    item = compare(EXAMPLES, [BEFORE, BEFORE], [BEFORE, NOW], metric=EntityF1()).items[0]
    assert (item.id, item.change, item.left_right, item.right_right) == ("1", "got worse", 1.0, 0.5)


def test_a_probability_alone_is_no_change() -> None:
    sure = run(*[(Span(0, 3, "PER", probability=0.9),)] * 4)
    found = compare(EXAMPLES, [run(*[(ADA,)] * 4)], [sure], metric=EntityF1())
    assert (found.changed_share, found.items) == (0.0, [])


def test_a_type_that_one_side_alone_predicts_can_be_compared() -> None:
    odd = run((ADA, ACME, Span(4, 8, "LOC")), *[(ADA, ACME)] * 3)
    found = compare(EXAMPLES, [BEFORE], [odd], metric=EntityF1())
    assert found.right.value == pytest.approx(16 / 17)


def test_the_page_names_both_sides_and_cuts_the_list() -> None:
    found = compare(EXAMPLES, [BEFORE], [NOW], metric=EntityF1())
    page = comparison_text(found, left="old", right="new", max_items=1)
    assert page.startswith("left:  old\nright: new\n")
    assert "right minus left" in page
    assert "answers differ on 75.0 % of 4 items" in page
    assert "items: 1 got worse, 1 changed, 1 got better" in page
    assert "1: got worse\n  Ada left Acme\n  gold:  Ada (PER), Acme (ORG)\n" in page
    assert page.endswith("... and 2 more")
    assert comparison_row(found)["items"][0]["id"] == "1"


def test_runs_over_other_examples_are_refused() -> None:
    with pytest.raises(UserError, match="do not answer the 4 examples"):
        compare(EXAMPLES, [BEFORE], [NOW[:3]], metric=EntityF1())


def test_a_side_without_a_run_is_refused() -> None:
    with pytest.raises(UserError, match="a side has no run"):
        compare(EXAMPLES, [BEFORE], [], metric=EntityF1())


def test_of_items_that_are_right_on_no_side_those_that_lost_most_come_first() -> None:
    """One of two spans: 2/3. Nothing found: 0. One of two and a wrong one: 1/2."""
    half, odd = (ADA,), (ADA, Span(4, 8, "LOC"))
    found = compare(EXAMPLES, [run(half, half, (), odd)], [run((ACME,), (), half, half)], metric=EntityF1())
    assert [item.id for item in found.items] == ["1", "0", "3", "2"]
    assert [(item.left_score, item.right_score) for item in found.items] == [
        pytest.approx(scores) for scores in [(2 / 3, 0), (2 / 3, 2 / 3), (1 / 2, 2 / 3), (0, 2 / 3)]
    ]
    page = comparison_text(found, left="old", right="new", max_items=9)
    assert "4 changed, 0 got better; of the changed, 1 with a lower f1 alone, 2 with a higher" in page
    assert "\n1: changed, f1 0.6667 to 0.0000\n" in page and "\n0: changed\n" in page


def test_a_sentence_of_a_longer_document_has_no_score_of_its_own() -> None:
    together = [SpanExample(example.id, TEXT, (ADA, ACME), document="one") for example in EXAMPLES]
    items = compare(together, [BEFORE], [NOW], metric=EntityF1()).items
    assert {(item.left_score, item.right_score) for item in items} == {(None, None)}


def test_a_query_has_the_main_score_of_its_own_order() -> None:
    """The relevant passage second: 1 / log2(3). A query without one has nothing to gain."""
    passages = (Passage("a", "one"), Passage("b", "two"))
    queries = [
        RankingExample(name, "?", passages, (), grades, document=name)
        for name, grades in (("odd", {}), ("even", {"a": 1}))
    ]
    left, right = (
        [RankingPrediction(query.id, order) for query in queries] for order in (("b", "a"), ("a", "b"))
    )
    items = {item.id: item for item in compare(queries, [left], [right], metric=RankingScores()).items}
    assert items["even"].left_score == pytest.approx(0.6309, abs=1e-4) and items["even"].right_score == 1.0
    assert items["odd"].gain == 0.0
