"""The committed tables and predictions are what the committed records say, to the byte."""

from pathlib import Path

import pytest

from shared.boards.board import task_names
from shared.boards.layout import read_cited
from shared.boards.rescore import score_again
from shared.boards.sections import Section
from shared.boards.verify import record_problems, rendering_problems

BOARDS = Path(__file__).resolve().parent.parent / "leaderboards"
RECORDS = sorted(BOARDS.glob("records/*/*.json"))
EACH_RECORD = pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)


def test_rendering_what_is_published_gives_the_committed_files(
    committed_board: dict[str, list[Section]],
) -> None:
    assert list(rendering_problems(committed_board, BOARDS)) == []


@pytest.mark.parametrize("task", task_names())
def test_every_cited_figure_says_where_it_stands_and_who_computed_it(task: str) -> None:
    for cited in read_cited(task):
        assert cited.source.startswith("https://") and cited.computed
        assert cited.comparable == (cited.split == "test")


@EACH_RECORD
def test_a_record_stands_under_its_name_and_its_answers_hold_no_text(path: Path) -> None:
    assert list(record_problems(path)) == []


@EACH_RECORD
def test_committed_predictions_score_again_as_recorded(path: Path, public_data_dir: Path) -> None:
    again = score_again(path, public_data_dir)
    assert again is not None and again.problem == ""
