import numpy as np
import pytest
from numpy.typing import NDArray

from shared import integer_program
from shared.integer_program import Part, Program, Unsolvable


@pytest.fixture(params=[10, 0], ids=["trying all", "branch and bound"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integer_program, "ENUMERATED", request.param)


@pytest.mark.usefixtures("both_ways")
def test_the_best_answer_keeps_every_bound_and_parts_are_solved_apart() -> None:
    program = Program()
    a, b, c, d, e = (program.add(weight) for weight in (3.0, 2.0, 2.0, -1.0, 4.0))
    program.bind({a: 1.0, b: 1.0}, high=1.0)  # not both
    program.bind({a: 1.0, c: 1.0}, high=1.0)
    program.bind({e: 1.0, d: -1.0}, high=0.0)  # e needs d
    assert program.solve({}).tolist() == [False, True, True, True, True]  # 2 + 2 > 3; 4 - 1 > 0


@pytest.mark.usefixtures("both_ways")
def test_bounds_that_no_answer_keeps_are_unsolvable() -> None:
    program = Program()
    a, b = program.add(1.0), program.add(1.0)
    program.bind({a: 1.0, b: 1.0}, high=1.0)
    program.bind({a: 1.0}, low=1.0, high=1.0)
    program.bind({b: 1.0}, low=1.0, high=1.0)
    with pytest.raises(Unsolvable):
        program.solve({})


def test_a_part_that_was_solved_before_is_not_solved_again() -> None:
    program = Program()
    program.bind({program.add(1.0): 1.0}, high=1.0)
    solved: dict[Part, NDArray[np.bool_]] = {}
    assert program.solve(solved).tolist() == [True]
    (part,) = solved
    solved[part] = np.array([False])
    assert program.solve(solved).tolist() == [False]
