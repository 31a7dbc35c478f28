"""Verifying: what is published, what is rendered and what the README says agree to the last digit."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from shared.boards.board import read_board, rendered
from shared.boards.layout import CONF, read_layout
from shared.boards.own_board import is_own
from shared.boards.publication import answer_problems
from shared.boards.readme import readme_problems
from shared.boards.rescore import score_again
from shared.boards.sections import Section
from shared.errors import UserError
from shared.record import PREDICTIONS, read_record

README = CONF.parent / "README.md"
_SHOWN = 120  # characters of a line that differs


def verify_all(
    leaderboards_dir: Path,
    *,
    data_dir: str,
    say: Callable[[str], None],
    conf: Path = CONF,
    readme: Path = README,
) -> list[str]:
    """Return what is wrong, each with its place: records, scores that come out otherwise, tables, README.

    Records whose data is not in `data_dir` cannot be scored again, which is said and is no problem.
    """
    paths = sorted(leaderboards_dir.glob("records/*/*.json"))
    problems = [problem for path in paths for problem in record_problems(path, conf=conf)]
    if problems:  # what follows reads the records
        return problems
    problems += _scored_again(paths, data_dir=data_dir, say=say)
    try:
        sections = read_board(leaderboards_dir, conf=conf)
    except UserError as error:  # such as a score that its counts do not give
        return [*problems, str(error)]
    problems += rendering_problems(sections, leaderboards_dir, conf=conf)
    if not is_own(leaderboards_dir):  # whose numbers the README does not state
        problems += readme_problems(readme, itertools.chain.from_iterable(sections.values()), conf=conf)
    return problems


def record_problems(path: Path, *, conf: Path = CONF) -> Iterator[str]:
    """Yield what is wrong with a record and its answers: its name, its digest, its ids, text in them."""
    try:
        record = read_record(path)
    except UserError as error:
        yield str(error)
        return
    if (record.id, record.task) != (path.stem, path.parent.name):
        yield f"{path}: it is {record.id} of {record.task}, under another name"
    if record.experiment and not (conf / "experiment" / f"{record.experiment}.yaml").is_file():
        yield f"{path}: there is no conf/experiment/{record.experiment}.yaml"
    stored = path.with_name(path.stem + PREDICTIONS)
    if not stored.is_file():
        yield f"{stored} is missing"
        return
    content = stored.read_bytes()
    if hashlib.sha256(content).hexdigest() != record.predictions.sha256:
        yield f"{stored}: its sha256 is not the one that {path.name} names"
        return
    rows = [json.loads(line) for line in content.decode().splitlines()]
    for problem in answer_problems(rows, record, read_layout(record.task, conf=conf)):
        yield f"{stored}: {problem}"


def rendering_problems(
    sections: Mapping[str, Sequence[Section]], leaderboards_dir: Path, *, conf: Path = CONF
) -> Iterator[str]:
    """Yield each rendered file that is not what is published gives, with the first line that differs."""
    for name, text in rendered(sections, leaderboards_dir, conf=conf).items():
        path = leaderboards_dir / name
        if not path.is_file():
            yield f"{path} is missing: python -m leaderboards render writes it"
        elif (found := path.read_text(encoding="utf-8")) != text:
            yield f"{path}{_first_difference(found, text)}"


def _first_difference(found: str, expected: str) -> str:
    """Return the line of the first difference, and both sides from a little before the place."""
    left, right = found.splitlines(), expected.splitlines()
    number = next(
        (index for index, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]),
        min(len(left), len(right)),
    )
    sides = [lines[number] if number < len(lines) else "(no line)" for lines in (left, right)]
    same = next((i for i, (a, b) in enumerate(zip(*sides, strict=False)) if a != b), min(map(len, sides)))
    start = max(0, same - _SHOWN // 2)
    shown = [side[start : start + _SHOWN] for side in sides]
    return f":{number + 1}: found {shown[0]!r}, but what is published gives {shown[1]!r}"


def _scored_again(paths: list[Path], *, data_dir: str, say: Callable[[str], None]) -> Iterator[str]:
    """Yield the records whose stored answers do not give the stored score."""
    absent: dict[str, int] = {}
    for path in paths:
        try:
            again = score_again(path, data_dir)
        except UserError as error:
            yield f"{path}: {error}"
            continue
        if again is None:
            name = read_record(path).data.name
            absent[name] = absent.get(name, 0) + 1
        elif problem := again.problem:
            yield f"{path}: {problem}"
    for name, count in absent.items():
        say(f"not scored again: {count} records of {name}, whose data is not in {data_dir}")
