"""A board of one's own: tables of a team's data, in a folder of theirs with a `board.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from shared.boards.layout import CONF, Layout, read_layout
from shared.files import read_yaml, write_text_atomic
from shared.typed_json import read_as

FILE, README = "board.yaml", "README.md"
LEADERBOARDS = CONF.parent / "leaderboards"  # this project's own
_HEAD = (
    "# This board's data sets by task, each with the row that its others are compared with, '' for none.\n"
)


@dataclass(frozen=True)
class OwnBoard:
    """What `board.yaml` holds."""

    references: dict[str, dict[str, str]]  # task -> data set -> row


def is_own(leaderboards_dir: Path) -> bool:
    """Return whether the folder is a board of one's own."""
    return (leaderboards_dir / FILE).is_file()


def becomes_own(leaderboards_dir: Path) -> bool:
    """Return whether what is published there goes into a board of one's own: one, or nothing, is there yet.

    A folder with records and no `board.yaml` is a board of this project, such as that of another clone.
    """
    ours = (LEADERBOARDS, Path(LEADERBOARDS.name))  # the latter is where nobody said otherwise
    other = leaderboards_dir.resolve() not in [path.resolve() for path in ours]
    return is_own(leaderboards_dir) or (other and not (leaderboards_dir / "records").exists())


def layout_of(task: str, leaderboards_dir: Path, *, conf: Path = CONF) -> Layout:
    """Return the layout of the task's tables there: that of conf/, with the board's own data sets."""
    layout = read_layout(task, conf=conf)
    if not is_own(leaderboards_dir):
        return layout
    references = read_own(leaderboards_dir).references.get(task, {})
    return replace(layout, references=references, off_page=[])


def read_own(leaderboards_dir: Path) -> OwnBoard:
    """Return what the folder's `board.yaml` holds; raises `UserError` with its key for a mistake."""
    path = leaderboards_dir / FILE
    found: OwnBoard = read_as(OwnBoard, read_yaml(path), file=path)
    return found


def add_data(leaderboards_dir: Path, *, task: str, data: str) -> None:
    """Let the board, a new one where there is none, have tables of the task's data set."""
    references = read_own(leaderboards_dir).references if is_own(leaderboards_dir) else {}
    if data not in references.get(task, {}):
        references = {**references, task: {**references.get(task, {}), data: ""}}
        text = yaml.safe_dump({"references": references}, sort_keys=False, allow_unicode=True)
        write_text_atomic(leaderboards_dir / FILE, _HEAD + text)
    if not (leaderboards_dir / README).is_file():
        write_text_atomic(leaderboards_dir / README, (LEADERBOARDS / README).read_text(encoding="utf-8"))
