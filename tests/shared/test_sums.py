import numpy as np
import pytest

from shared.sums import bootstrapped, brier, by_document, divided, ece


def test_rows_of_one_document_are_summed() -> None:
    rows = by_document(["a", "b", "a"], [[1.0, 1.0], [0.5, 1.0], [0.25, 1.0]])
    assert rows == {"a": [1.25, 2.0], "b": [0.5, 1.0]}


def test_nothing_to_divide_by_gives_nothing() -> None:
    found = divided(np.array([1.0, 3.0, 2.0]), np.array([4.0, 0.0, -1.0]))
    assert found.tolist() == [0.25, 0.0, 0.0]
    assert divided(np.array([[1.0], [2.0]]), np.array([2.0, 4.0])).tolist() == [[0.5, 0.25], [1.0, 0.5]]


def test_a_score_of_equal_documents_has_no_spread() -> None:
    rows = [[1.0, 2.0], [2.0, 4.0], [4.0, 8.0]]
    scores = bootstrapped(rows, {"share": lambda summed: divided(summed[..., 0], summed[..., 1])})
    assert (scores["share"].value, scores["share"].low, scores["share"].high) == (0.5, 0.5, 0.5)
    spread = bootstrapped([[0.0, 1.0], [1.0, 1.0]], {"mean": lambda s: divided(s[..., 0], s[..., 1])})["mean"]
    assert (spread.value, spread.low, spread.high) == (pytest.approx(0.5), 0.0, 1.0)


def test_gaps_of_all_bins_count_whatever_their_sign_and_no_answers_have_none() -> None:
    summed = np.array([[0.3, -0.1, 0.5, 4.0], [0.0, 0.0, 0.0, 0.0]])  # two bins, squares, number
    assert ece(summed).tolist() == [0.1, 0.0]
    assert brier(summed).tolist() == [0.125, 0.0]
