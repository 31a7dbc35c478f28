from shared.examples import SpanExample
from shared.sampling import draw_examples

EXAMPLES = [SpanExample(id=str(index), text="Ann left.") for index in range(100)]


def drawn(number: int, *, seed: int = 1) -> list[str]:
    return [example.id for example in draw_examples(EXAMPLES, number, seed=seed)]


def test_a_draw_has_so_many_examples_and_each_once() -> None:
    assert len(drawn(25)) == len(set(drawn(25))) == 25


def test_a_smaller_draw_of_the_same_seed_is_part_of_a_larger_one() -> None:
    assert set(drawn(25)) < set(drawn(50)) < set(drawn(99))


def test_a_draw_depends_on_the_seed_alone() -> None:
    assert drawn(3) == drawn(3) == ["2", "19", "26"]
    assert drawn(3, seed=2) != drawn(3)


def test_zero_and_more_than_there_are_both_mean_all_in_their_order() -> None:
    assert draw_examples(EXAMPLES, 0, seed=1) == draw_examples(EXAMPLES, 101, seed=1) == EXAMPLES
