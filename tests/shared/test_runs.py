import json
import re
from pathlib import Path

import pytest

from shared import runs
from shared.errors import UserError
from shared.train import Fitted


def made(folder: Path, *names: str, holding: str) -> None:
    for name in names:
        (folder / "ner" / name).mkdir(parents=True)
        (folder / "ner" / name / holding).touch()


def test_latest_is_the_newest_run_with_what_the_verb_needs(tmp_path: Path) -> None:
    made(tmp_path, "20260101-000000-a", "20260102-000000-b", holding=runs.BUNDLE)
    made(tmp_path, "20260103-000000-c", holding=runs.CHECKPOINT)
    made(tmp_path, "20260104-000000-d", holding=runs.RECORD)
    found = {
        holding: runs.find_run("latest", runs_dir=tmp_path, task="ner", holding=holding).name
        for holding in (runs.BUNDLE, runs.CHECKPOINT, runs.RECORD)
    }
    assert found == {
        runs.BUNDLE: "20260102-000000-b",
        runs.CHECKPOINT: "20260103-000000-c",
        runs.RECORD: "20260104-000000-d",
    }


def test_same_is_the_newest_run_of_one_configuration_with_what_the_verb_needs(tmp_path: Path) -> None:
    made(tmp_path, "20260101-000000-ab", "20260102-000000-ab", "20260104-000000-cd", holding=runs.BUNDLE)
    made(tmp_path, "20260103-000000-ab", holding=runs.CHECKPOINT)
    assert runs.find_same("ab", runs_dir=tmp_path, task="ner").name == "20260102-000000-ab"
    with pytest.raises(
        UserError, match=r"no run of this configuration with record\.json: python -m tasks\.ner evaluate"
    ):
        runs.find_same("ab", runs_dir=tmp_path, task="ner", holding=runs.RECORD)


@pytest.mark.parametrize("holding", [runs.BUNDLE, runs.CHECKPOINT, runs.RECORD])
def test_where_there_is_none_the_message_says_which_command_makes_one(holding: str, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=rf"no run with {re.escape(holding)}: python -m tasks\.ner (train|evaluate)"
    ):
        runs.find_run("latest", runs_dir=tmp_path, task="ner", holding=holding)


def test_a_run_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    made(tmp_path, "x", holding=runs.BUNDLE)
    for name in ("x", str(tmp_path / "ner" / "x")):
        assert runs.find_run(name, runs_dir=tmp_path, task="ner") == tmp_path / "ner" / "x"
    with pytest.raises(UserError, match=r"run='y' is no folder; runs in .*: x"):
        runs.find_run("y", runs_dir=tmp_path, task="ner")


def test_two_runs_of_one_second_have_their_own_folders(tmp_path: Path) -> None:
    first, second = (runs.create_run(tmp_path, task="ner", digest="ab", config={"seed": 1}) for _ in range(2))
    assert first != second
    assert runs.read_run_config(first) == runs.read_run_config(second) == {"seed": 1}


def test_a_terminal_sees_progress_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = Fitted(scores=[0.5], wall_seconds=1.0, num_tokens=3000)
    for terminal, seen in (("1", True), ("0", False)):
        monkeypatch.setenv("TTY_COMPATIBLE", terminal)
        assert list(runs.counted(["a", "b"], what="texts")) == ["a", "b"]
        with runs.Progress(tmp_path, metric="f1") as progress:
            progress.step(1, 2, loss=0.25, norm=1.0, epoch=0, fitted=fitted)
        shown = capsys.readouterr().err
        assert ("2 texts" in shown) is seen
        assert ("loss 0.2500 f1 0.5000 3,000 tokens/s" in shown) is seen


def test_a_row_that_is_no_prediction_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"id": "0", "spans": []}) + '\n{"id": "1"}\n')
    with pytest.raises(UserError, match=r"p\.jsonl:2: no prediction"):
        runs.read_predictions(path)
