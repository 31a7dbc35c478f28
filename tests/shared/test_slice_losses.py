import pytest

from shared.examples import AnomalyExample, AnomalyPrediction, Span, SpanExample, SpanPrediction
from shared.intervals import Difference
from shared.slice_losses import SliceLoss, loss_p, slice_losses
from shared.slices import LABEL, LENGTH, Slice, find_slices
from tasks.anomaly.metric import AnomalyScores
from tasks.ner.metric import EntityF1

A, B = Span(0, 3, "A"), Span(0, 3, "B")
EXAMPLES = [
    *(SpanExample(f"a{n}", "one two", (A,), document=f"a{n}") for n in range(20)),
    *(SpanExample(f"b{n}", "word " * 15, (B,), document=f"b{n}") for n in range(20)),
]
GOLD = [example.gold() for example in EXAMPLES]
SWAPPED = [*(SpanPrediction(f"a{n}", (B if n < 10 else A,)) for n in range(20)), *GOLD[20:]]  # ten A's


def losses(
    kinds: list[str], *, fewest_items: int = 20, examples: list[SpanExample] = EXAMPLES
) -> list[SliceLoss]:
    return slice_losses(
        examples,
        [GOLD],
        [SWAPPED],
        slices=find_slices(examples, kinds),
        metric=EntityF1(),
        fewest_items=fewest_items,
    )


def test_a_label_is_scored_by_its_f1_with_what_is_wrongly_given_elsewhere() -> None:
    """A: 10 right of 10 given and 20 gold. B: 20 right of 30 given and 20 gold."""
    a, b = losses([LABEL])
    assert (a.old, a.new, a.value) == (1.0, pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (b.old, b.new, b.value) == (1.0, pytest.approx(0.8), pytest.approx(0.2))
    assert a.breaks(0.3) and not a.breaks(0.34)


def test_a_band_of_lengths_is_scored_by_the_main_score() -> None:
    """The ten that are wrong are all short: 10 right of 20 given and 20 gold."""
    short, long = losses([LENGTH])
    assert (short.slice.name, short.score, short.new) == ("1-10 words", "f1", 0.5)
    assert (long.slice.name, long.value, long.p) == ("11-20 words", 0.0, 1.0)


def test_a_slice_of_few_items_or_documents_is_not_judged() -> None:
    assert {part.unjudged for part in losses([LABEL], fewest_items=21)} == {"fewer than 21 items"}
    together = [SpanExample(e.id, e.text, e.spans, document=e.id[:1]) for e in EXAMPLES]
    found = losses([LABEL], examples=together)
    assert [(part.num_documents, part.unjudged) for part in found] == [(1, "fewer than 5 documents")] * 2
    assert not any(part.breaks(0.0) for part in found)


def test_a_slice_that_the_main_score_has_no_ground_in_says_so() -> None:
    examples = [AnomalyExample(str(n), ("all well",), anomalous=False, document=str(n)) for n in range(5)]
    run = [AnomalyPrediction(example.id) for example in examples]
    part = Slice(LENGTH, "1-10 words", frozenset(example.id for example in examples))
    metric = AnomalyScores(main="average_precision", promised=[])
    (found,) = slice_losses(examples, [run], [run], slices=[part], metric=metric, fewest_items=1)
    assert found.unjudged.startswith("average_precision needs anomalous and normal texts")


def test_p_is_one_sided_and_normal() -> None:
    """The interval is 1.96 standard errors wide to each side, and the loss 1.96 of them from 0."""
    assert loss_p(Difference(0.1, low=0.0, high=0.2, p=1.0)) == pytest.approx(0.025)
    assert loss_p(Difference(-0.1, low=-0.2, high=0.0, p=1.0)) == pytest.approx(0.975)
    assert loss_p(Difference(0.1, low=0.1, high=0.1, p=1.0)) == 0.0
    assert loss_p(Difference(0.0, low=0.0, high=0.0, p=1.0)) == 1.0


def test_p_is_corrected_for_the_slices_that_are_judged() -> None:
    """Beside a slice that lost nothing, A's loss is the smaller p of two: Holm doubles it."""
    short_label = find_slices(EXAMPLES, [LABEL])[:1]
    long = find_slices(EXAMPLES, [LENGTH])[1:]
    settings = {"metric": EntityF1(), "fewest_items": 1}
    (alone,) = slice_losses(EXAMPLES, [GOLD], [SWAPPED], slices=short_label, **settings)
    beside, unchanged = slice_losses(EXAMPLES, [GOLD], [SWAPPED], slices=[*short_label, *long], **settings)
    assert (beside.p, unchanged.p) == (2 * alone.p, 1.0)
    assert 0 < alone.p < 0.001
