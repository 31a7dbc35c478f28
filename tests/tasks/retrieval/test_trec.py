from pathlib import Path

import pytest

from shared.errors import DataError, UserError
from tasks.retrieval.trec import read_qrels, read_run, write_run


def written(folder: Path, *lines: str) -> Path:
    path = folder / "file.trec"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_run_is_ordered_by_its_scores_whatever_its_ranks_say(tmp_path: Path) -> None:
    path = written(
        tmp_path, "q1 Q0 a 1 0.5 x", "q2\tQ0\ta\t1\t-1e-1\tx", "", "q1 Q0 b 2 7 x", "q1 Q0 c 3 0.5 x"
    )
    found = read_run(path)
    assert found == {"q1": {"b": 7.0, "a": 0.5, "c": 0.5}, "q2": {"a": -0.1}}
    assert list(found["q1"]) == ["b", "a", "c"]


def test_a_run_is_written_with_ranks_and_read_back_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.trec"
    rankings = {"q1": {"b": 1 / 3, "a": -2.0}, "q2": {"a": 1e-9}}
    write_run(path, rankings, "ours")
    assert path.read_text(encoding="utf-8") == (
        "q1 Q0 b 1 0.3333333333333333 ours\nq1 Q0 a 2 -2.0 ours\nq2 Q0 a 1 1e-09 ours\n"
    )
    assert read_run(path) == rankings


@pytest.mark.parametrize(
    ("rankings", "tag", "message"),
    [
        ({"q 1": {"a": 1.0}}, "ours", "query 'q 1' cannot be written: empty or with white space"),
        ({"q1": {"": 1.0}}, "ours", "passage '' cannot be written"),
        ({"q1": {"a": 1.0}}, "our run", "tag 'our run' cannot be written"),
    ],
)
def test_what_would_shift_the_columns_is_not_written(
    tmp_path: Path, rankings: dict[str, dict[str, float]], tag: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        write_run(tmp_path / "run.trec", rankings, tag)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*run\.trec"):
        write_run(tmp_path / "file" / "run.trec", {"q1": {"a": 1.0}}, "ours")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1 Q0 b 2 0.4", "5 columns; allowed: 6: query Q0 passage rank score tag"),
        ("q1 Q0 b 2 0.4 x y", "7 columns"),
        ("q1 Q0 b second 0.4 x", "rank 'second'; allowed: a whole number"),
        ("q1 Q0 b 2 high x", "score 'high'; allowed: a number"),
        ("q1 Q0 b 2 nan x", "score 'nan'"),
        ("q1 Q0 b 2 1e39 x", r"score '1e39'; allowed: a number, at most 3e\+38 from 0"),
        ("q1 Q0 a 2 0.4 x", "passage 'a' stands on line 1 too for query 'q1'"),
    ],
)
def test_a_wrong_line_of_a_run_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, "q1 Q0 a 1 0.5 x", "q2 Q0 a 1 0.5 x", line)
    with pytest.raises(DataError, match=rf"file\.trec:3: {message}"):
        read_run(path)


def test_judgements_are_read_with_their_grades(tmp_path: Path) -> None:
    path = written(tmp_path, "q1 0 b 2", "q1 0 a 0", "q2 0 a 1")
    assert read_qrels(path) == {"q1": {"b": 2, "a": 0}, "q2": {"a": 1}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1\tb\t1", "3 columns; allowed: 4: query iteration passage grade"),
        ("q1 0 b 0.5", "grade '0.5'; allowed: a whole number, 0 or more"),
        ("q1 0 b -1", "grade '-1'"),
        ("q1 0 a 2", "passage 'a' stands on line 1 too for query 'q1'"),
    ],
)
def test_a_wrong_line_of_judgements_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, "q1 0 a 1", line)
    with pytest.raises(DataError, match=rf"file\.trec:2: {message}"):
        read_qrels(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.trec: cannot be read"):
        read_run(tmp_path / "none.trec")
