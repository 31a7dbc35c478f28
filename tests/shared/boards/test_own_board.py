"""A board of one's own takes any data; what it is compared with stands in a file that its owner edits."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.boards.board import render_all
from shared.boards.layout import CONF
from shared.boards.own_board import FILE
from shared.boards.publication import publish
from shared.boards.sections import read_sections
from shared.errors import UserError
from shared.record import DataFacts
from tests.shared.publishing import ROWS, make_run

NEWS = DataFacts("news", "ours", "test", "d", 3, 2)


def add(folder: Path, boards: Path, conf: Path, **changes: Any) -> Path:
    """Publish a run on news, made from sources that no commit names."""
    values = {"data": NEWS, "code": None, "config": {"data": {"test": "/home/me/c.jsonl"}}, **changes}
    return publish(*make_run(folder / "run", **values), leaderboards_dir=boards, own=True, conf=conf)


def test_any_data_has_tables_there_and_nothing_of_this_project_is_beside_them(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    path = add(tmp_path, boards, conf)
    assert path == boards / "records" / "ner" / "ner-tiny-seed1-0a1b2c3d.json"
    names = {path.name for path in boards.iterdir()}
    assert names == {FILE, "README.md", "SHA256SUMS", "index.html", "ner.csv", "ner.md", "records"}
    text = (boards / "ner.md").read_text(encoding="utf-8")
    assert "## news" in text and "../conf/experiment" not in text
    assert "Claims" not in (boards / "index.html").read_text(encoding="utf-8")


def test_the_row_that_others_are_compared_with_is_the_owners_choice_and_stays(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    add(tmp_path, boards, conf)
    add(tmp_path, boards, conf, id="large-1", name="large", kind="replayed", training=None)
    assert (boards / FILE).read_text(encoding="utf-8").endswith("references:\n  ner:\n    news: ''\n")
    (boards / FILE).write_text("references: {ner: {news: large}}", encoding="utf-8")
    add(tmp_path, boards, conf, id="other-1", data=DataFacts("mail", "ours", "test", "d", 3, 2))
    news, mail = read_sections("ner", boards, conf=conf)
    assert (news.data, news.reference, mail.data, mail.reference) == ("news", "large", "mail", "")
    assert [row["versus"] is not None for row in news.rows if row["name"] != "large"] == [True]
    assert render_all(boards, conf=conf) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": DataFacts("news", "ours", "validation", "d", 3, 2)}, "its split is 'validation'"),
        ({"rows": ROWS[:2]}, "must hold each of 3 ids once"),
        ({"rows": [*ROWS[:2], {"id": "c", "text": "He said"}]}, "prediction 3 has the key 'text'"),
    ],
)
def test_what_would_be_wrong_on_any_board_is_refused(
    tmp_path: Path, conf: Path, boards: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        add(tmp_path, boards, conf, **changes)
    assert not boards.exists()


def test_a_mistake_in_the_owners_file_is_named(tmp_path: Path, conf: Path, boards: Path) -> None:
    add(tmp_path, boards, conf)
    (boards / FILE).write_text("reference: {}", encoding="utf-8")
    with pytest.raises(UserError, match=r"board\.yaml: reference is unknown \(did you mean 'references'"):
        render_all(boards, conf=conf)


def test_a_row_of_stored_answers_costs_its_tokens(tmp_path: Path, conf: Path, boards: Path) -> None:
    shutil.copytree(CONF / "prices", conf / "prices")
    notes = {"priced_as": "gpt-4o-2024-08-06", "input_tokens": 400.0, "output_tokens": 20.0}
    add(tmp_path, boards, conf, coverage=notes, kind="replayed", training=None)
    (section,) = read_sections("ner", boards, conf=conf)
    assert section.rows[0]["cost"]["dollars_per_1000"] == pytest.approx(0.4 * 2.5 + 0.02 * 10)
