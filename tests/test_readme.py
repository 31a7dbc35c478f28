"""What the README tells a person to type is what the program takes."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from shared.compose import CONF, compose_run
from shared.help import verbs
from tests.command_line import command_line

ROOT = Path(__file__).resolve().parent.parent
FIRST = {"retrieval": "reranking"}  # the task that a package does where none is chosen
PAGES = [ROOT / "README.md", ROOT / "leaderboards" / "README.md"]
COMMANDS = [
    line.strip().partition("#")[0].strip()
    for page in PAGES
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith("    python -m tasks.")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_taken_as_it_stands(command: str) -> None:
    """Each is composed; those that take seconds are run for real by `test_cli.py`."""
    module, verb, *words = shlex.split(command)[2:]
    if verb == "--help":
        return
    overrides = [word for word in words if "=" in word and not word.startswith("task=")]
    chosen = [word.removeprefix("task=") for word in words if word.startswith("task=")]
    package = module.partition(".")[2]
    task = chosen[0] if chosen else FIRST.get(package, package)
    assert verb in verbs(task, conf=CONF)
    config = compose_run(task, overrides, sweep="-m" in words)
    assert (config.task.name, config.task.package) == (task, package)


def test_the_tour_of_ones_own_ontology_runs_as_the_readme_tells_it(tmp_path: Path) -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    files = dict(re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL))
    assert set(files) == {"concepts.yaml", "notes.csv"}
    header, *rows = files["notes.csv"].splitlines(keepends=True)
    files["more.csv"] = header + "".join(f"Yesterday: {row}" for row in rows if not row.startswith('"'))
    files["texts.txt"] = "Shares of the fund fell\n"
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    tour = [command for command in COMMANDS if "notes.csv" in command or "texts.txt" in command]
    tour = [command for command in tour if command.startswith("python -m tasks.ontology")]
    assert len(tour) == 3
    for command in tour:
        words = [*shlex.split(command)[2:], f"runs_dir='{tmp_path}/runs'"]
        if words[1] == "train":
            words += ["train.epochs=1"]
        done = command_line(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "why.jsonl").read_text(encoding="utf-8"))
    assert [facet["facet"] for facet in answer["facets"]] == ["topic", "actors", "tone"]
    assert len(answer["nearest"]) == 5


def test_every_make_target_of_the_readme_exists() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z-]+)", text)) - {"and"}
    assert {"quickstart", "test", "check", "bench-ner"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_make_help_lists_each_target_with_its_meaning() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("quickstart", "test", "check", "bench-ner"):
        assert re.search(rf"^{target} +\w", listed, re.MULTILINE), target
