"""A board of one's own takes any data; what it is compared with stands in a file that its owner edits."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.boards.board import render_all
from shared.boards.layout import CONF
from shared.boards.own_board import FILE, LEADERBOARDS, becomes_own
from shared.boards.publication import publish
from shared.boards.rescore import _read_data, score_again
from shared.boards.sections import read_sections
from shared.errors import UserError
from shared.record import Cost, DataFacts
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


def test_a_folder_of_this_projects_records_never_becomes_ones_own(
    tmp_path: Path, conf: Path, boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not any(
        becomes_own(path) for path in (LEADERBOARDS, Path("leaderboards"), Path("a/../leaderboards"))
    )
    assert becomes_own(tmp_path / "ours")
    add(tmp_path, tmp_path / "ours", conf)
    assert becomes_own(tmp_path / "ours")
    publish(*make_run(tmp_path / "run"), leaderboards_dir=tmp_path / "clone", conf=conf)
    assert not becomes_own(tmp_path / "clone")


def test_data_of_ones_own_is_scored_again_where_it_is(tmp_path: Path, conf: Path, boards: Path) -> None:
    data = {
        "_target_": "tasks.ner.data.Jsonl",
        "name": "news",
        "licence": "ours",
        "labels": {"PER": "person"},
    }
    data |= {"train": "", "validation": "", "test": "<data_dir>/c.jsonl"}
    config = {"data": data, "task": {"metric": {"_target_": "tasks.ner.metric.EntityF1"}}}
    path = add(tmp_path, boards, conf, config=config)
    assert score_again(path, tmp_path) is None
    (tmp_path / "c.jsonl").write_text(
        "".join(json.dumps({"id": row["id"], "text": "Ada Lind", "spans": []}) + "\n" for row in ROWS)
    )
    _read_data.cache_clear()
    again = score_again(path, tmp_path)
    assert again and again.score == 0.0 and not again.digest_matches


def test_a_machine_that_nobody_priced_costs_what_evaluate_was_told(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    add(tmp_path, boards, conf, cost=Cost(0.36, None, "ours"))  # reads 100 documents a second
    (section,) = read_sections("ner", boards, conf=conf)
    cost = section.rows[0]["cost"]
    assert cost["dollars_per_1000"] == pytest.approx(10 / 3600 * 0.36)
    assert cost["priced_as"] == "a processor"


def test_a_row_of_stored_answers_costs_its_tokens(tmp_path: Path, conf: Path, boards: Path) -> None:
    shutil.copytree(CONF / "prices", conf / "prices")
    notes = {"priced_as": "gpt-4o-2024-08-06", "input_tokens": 400.0, "output_tokens": 20.0}
    add(tmp_path, boards, conf, coverage=notes, kind="replayed", training=None)
    (section,) = read_sections("ner", boards, conf=conf)
    assert section.rows[0]["cost"]["dollars_per_1000"] == pytest.approx(0.4 * 2.5 + 0.02 * 10)
