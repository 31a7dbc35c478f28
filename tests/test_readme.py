"""What the README tells a person to type is what the program takes."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from shared.compose import compose_run
from shared.help import VERBS

ROOT = Path(__file__).resolve().parent.parent
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
    assert verb in VERBS
    overrides = [word for word in words if "=" in word]
    assert compose_run(module.partition(".")[2], overrides).task.name == module.partition(".")[2]


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


def test_a_score_in_the_readme_stands_in_a_leaderboard() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    tables = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "leaderboards").glob("*.md"))
    scores = re.findall(r"\b0\.\d{3}\b", text)
    assert scores
    for score in scores:
        assert score in tables, score
