"""`python -m leaderboards` as a person types it."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from shared.boards.layout import CONF
from shared.boards.reproduce import find_record

ROOT = CONF.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
README_DECISIONS = re.findall(r"^    (python -m leaderboards decide .*)$", README, re.MULTILINE)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leaderboards", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_names_each_verb_with_what_it_does() -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in ("render", "verify", "decide", "measure", "reproduce", "rescore"):
        assert f"  {verb} " in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["decid"], "error: 'decid' is no verb (did you mean 'decide'?); verbs: "),
        (["decide", "task=nre"], "error: task=nre (did you mean 'ner'?); allowed: anomaly, ner, "),
        (["decide", "task=ner"], "error: data=; allowed: FiNER-ORD, WNUT17"),
        (["reproduce"], "error: reproduce takes the id of a published record"),
        (["reproduce", "finer-ord-minilm"], "error: 'finer-ord-minilm' is no published record"),
        (["verify", "now"], "error: nothing more is taken here; found: now"),
    ],
)
def test_a_mistake_is_said_in_one_line_with_exit_code_2(words: list[str], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_a_decision_is_text_for_a_person_and_json_for_a_program() -> None:
    question = ["decide", "task=ner", "data=FiNER-ORD", "volume=1000000"]
    text = run(*question)
    assert text.returncode == 0, text.stderr
    decision = json.loads(run(*question, "--json").stdout)
    assert text.stdout.lower().startswith(decision["verdict"].lower())
    assert any(one["name"] == "MiniLM + LoRA" for one in decision["candidates"])


@pytest.mark.parametrize("command", README_DECISIONS)
def test_a_decision_of_the_readme_is_answered(command: str) -> None:
    done = run(*shlex.split(command)[3:])
    assert done.returncode == 0, done.stderr
    assert "MiniLM + LoRA" in done.stdout


def test_the_readme_names_published_records_to_reproduce() -> None:
    ids = re.findall(r"^    python -m leaderboards reproduce (\S+)", README, re.MULTILINE)
    assert ids
    for id in ids:
        assert find_record(id, ROOT / "leaderboards").is_file()
