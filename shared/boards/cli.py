"""`python -m leaderboards VERB`: render, verify, decide, measure, reproduce, rescore."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.cli import DATA_DIR, guarded
from shared.errors import UserError, suggest
from shared.files import read_yaml
from shared.help import CONF
from shared.runs import RECORD, say

_RUN, _JSON, _BOARD = "run=", "--json", "leaderboards_dir="
_NEW_SCORES = "--new-scores"


def main() -> None:
    """Run the verb on the command line; a user's mistake is printed without a traceback, exit code 2."""
    guarded(_act)


def _act() -> None:
    arguments = sys.argv[1:]
    if not arguments or {"-h", "--help"} & set(arguments):
        say(_help())
        return
    verb, *rest = arguments
    if verb not in VERBS:
        raise UserError(f"{verb!r} is no verb{suggest(verb, VERBS)}; verbs: {', '.join(VERBS)}")
    from shared.boards.own_board import LEADERBOARDS

    words = [word for word in rest if not word.startswith(_BOARD)]
    named = [Path(word.removeprefix(_BOARD)).expanduser() for word in rest if word.startswith(_BOARD)]
    board = named[-1] if named else LEADERBOARDS
    if not (board / "records").is_dir():
        raise UserError(f"{_BOARD}{board} is no board; publish makes one")
    VERBS[verb](words, board)


def _help() -> str:
    lines = [f"python -m leaderboards VERB [ARGUMENT ...] [{_BOARD}FOLDER: a board of your own]", "", "verbs"]
    for verb, function in VERBS.items():
        lines.append(f"  {verb:<10} {str(function.__doc__).strip().splitlines()[0]}")
    return "\n".join(lines)


def render(arguments: Sequence[str], board: Path) -> None:
    """Write the tables, the claims and the page again from what is published."""
    from shared.boards.board import render_all

    _none(arguments)
    changed = render_all(board)
    say("\n".join(f"rendered {path}" for path in changed) or "nothing has changed")


def verify(arguments: Sequence[str], board: Path) -> None:
    """Check that tables, page and README say what the records say, and score the records again."""
    from shared.boards.verify import verify_all

    _none(arguments)
    problems = verify_all(board, data_dir=_data_dir(), say=say)
    for problem in problems:
        say(f"wrong: {problem}")
    if problems:
        sys.exit(1)
    say("every table, number and record agrees")


def decide(arguments: Sequence[str], board: Path) -> None:
    """task=T data=SET [NAME=VALUE ...] [--json]: which row to use, or none, and why."""
    from shared.boards import decision
    from shared.boards.board import offers, task_names
    from shared.boards.decision_text import decision_json, decision_text
    from shared.boards.question import read_question
    from shared.boards.sections import read_sections

    words = [word for word in arguments if word != _JSON]
    task, words = _taken(words, "task", allowed=task_names())
    sections = {section.data: section for section in read_sections(task, board)}
    name, words = _taken(words, "data", allowed=list(sections))
    found = decision.decide(read_question(words), sections[name].rows, offers())
    say((decision_json if _JSON in arguments else decision_text)(found).rstrip())


def _taken(words: Sequence[str], name: str, *, allowed: Sequence[str]) -> tuple[str, list[str]]:
    """Return the value of `name=value`, and the other words; raises `UserError` for one not allowed."""
    given = [word.removeprefix(f"{name}=") for word in words if word.startswith(f"{name}=")]
    if not given or given[-1] not in allowed:
        close = suggest(given[-1], allowed) if given else ""
        raise UserError(f"{name}={given[-1] if given else ''}{close}; allowed: {', '.join(allowed)}")
    return given[-1], [word for word in words if not word.startswith(f"{name}=")]


def rescore(arguments: Sequence[str], board: Path) -> None:
    """[TASK] [--new-scores]: score published answers again, and record what to trust, or new scores."""
    from shared.boards.rescore import rescore as score_records

    words = [word for word in arguments if word != _NEW_SCORES]
    task = words[0] if words else None
    _none(words[1:])
    lines = score_records(board / "records", _data_dir(), task=task, new_scores=_NEW_SCORES in arguments)
    for line in lines:
        say(line)


def measure(arguments: Sequence[str], board: Path) -> None:
    """[RUN ...]: time evaluated runs of published rows (all below runs/) on an idle machine, one by one.

    Of several that were measured before it tells whether they rank as they did.
    """
    import subprocess

    from shared.boards.measure import measurable
    from shared.boards.measurements import read_measurements
    from shared.boards.ranks import compare_ranks, ranks_text
    from shared.record import read_record

    if len(arguments) == 1:
        _measure(Path(arguments[0]), board)
        return
    folders = [Path(word) for word in arguments] or measurable(Path("runs"), leaderboards_dir=board)
    if not folders:
        raise UserError("no evaluated run of a published row in runs/: python -m leaderboards reproduce ID")
    tasks = sorted({read_record(folder / RECORD).task for folder in folders})
    before = {task: read_measurements(board, task=task) for task in tasks}
    for folder in folders:  # each in a process of its own, whose peak of memory is the row's
        command = [sys.executable, "-m", "leaderboards", "measure", str(folder), f"{_BOARD}{board}"]
        subprocess.run(command, check=True)
    for task in tasks:
        ranks = compare_ranks(before[task], read_measurements(board, task=task))
        if ranks:
            say(f"{task}, {ranks_text(ranks)}")


def _measure(folder: Path, board: Path) -> None:
    from shared.boards.measure import Effort, measure_run
    from shared.boards.measurements import measurement_text, write_measurement
    from shared.record import read_record

    task = read_record(folder / RECORD).task
    found = measure_run(folder, leaderboards_dir=board, data_dir=_data_dir(), effort=Effort())
    path = write_measurement(found, board, task=task)
    say(f"{measurement_text(found)}\nwritten to {path}")


def reproduce(arguments: Sequence[str], board: Path) -> None:
    """ID [OVERRIDE ...]: run a published row's experiment again (run=FOLDER: it has been run) and compare."""
    from shared.boards.reproduce import compare_run, find_record, run_again
    from shared.record import read_record

    if not arguments:
        raise UserError("reproduce takes the id of a published record")
    path = find_record(arguments[0], board)
    overrides = [word for word in arguments[1:] if not word.startswith(_RUN)]
    given = [Path(word.removeprefix(_RUN)) for word in arguments[1:] if word.startswith(_RUN)]
    if not any(word.startswith("data_dir=") for word in overrides):
        overrides.append(f"data_dir='{_data_dir()}'")
    folder = given[-1] if given else run_again(read_record(path), overrides=overrides)
    found = compare_run(path, folder)
    say(found.text())
    if not found.holds:
        sys.exit(1)


def _none(arguments: Sequence[str]) -> None:
    if arguments:
        raise UserError(f"nothing more is taken here; found: {' '.join(arguments)}")


def _data_dir() -> str:
    return os.environ.get(DATA_DIR) or str(read_yaml(CONF / "config.yaml")["data_dir"])


VERBS: dict[str, Callable[[Sequence[str], Path], None]] = {
    "render": render,
    "verify": verify,
    "decide": decide,
    "measure": measure,
    "reproduce": reproduce,
    "rescore": rescore,
}
