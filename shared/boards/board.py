"""The whole board: every file that is rendered from what is published, always the same bytes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.boards.claim_inputs import row_cells
from shared.boards.claims import check_claims, claims_markdown
from shared.boards.layout import CONF, read_common
from shared.boards.markdown import tables
from shared.boards.own_board import is_own
from shared.boards.page import Contents, page
from shared.boards.prices import read_prices
from shared.boards.question import read_fields
from shared.boards.sections import Section, read_sections
from shared.boards.speed import read_speeds
from shared.boards.speed_page import PAGE as SPEED_PAGE
from shared.boards.speed_page import speed_markdown, speed_plots
from shared.files import write_text_atomic

SUMS, PAGE = "SHA256SUMS", "index.html"
_SUMMED = ("records/*/*", "measurements/*/*")


def task_names(conf: Path = CONF) -> list[str]:
    """Return the tasks that have tables."""
    return sorted(path.stem for path in (conf / "leaderboard").glob("*.yaml"))


def render_all(leaderboards_dir: Path, *, conf: Path = CONF) -> list[Path]:
    """Write every rendered file; return those that changed."""
    changed = []
    for name, text in rendered(read_board(leaderboards_dir, conf=conf), leaderboards_dir, conf=conf).items():
        path = leaderboards_dir / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_text_atomic(path, text)
            changed.append(path)
    return changed


def read_board(leaderboards_dir: Path, *, conf: Path = CONF) -> dict[str, list[Section]]:
    """Return the sections of every task."""
    return {task: read_sections(task, leaderboards_dir, conf=conf) for task in task_names(conf)}


def rendered(
    sections: Mapping[str, Sequence[Section]], leaderboards_dir: Path, *, conf: Path = CONF
) -> dict[str, str]:
    """Return file name -> text of all that is rendered: tables, claims, page, sums of their sources.

    A board of one's own has the tasks it has rows of, and neither this project's claims nor its speeds.
    """
    own = is_own(leaderboards_dir)
    files: dict[str, str] = {}
    for task, of_task in sections.items():
        if of_task or not own:
            files |= tables(task, of_task, conf=conf)
    every = list(itertools.chain.from_iterable(sections.values()))
    claims = [] if own else check_claims(conf, cells=row_cells(every))
    if not own:
        speeds = read_speeds(leaderboards_dir)
        files |= {"claims.md": claims_markdown(claims), SPEED_PAGE: speed_markdown(speeds)}
        files |= speed_plots(speeds)
    contents = Contents(read_common(conf), read_fields(conf), offers(conf), claims)
    files[PAGE] = page([one for one in every if one.data not in one.layout.off_page], contents)
    return {**files, SUMS: _sums(leaderboards_dir)}


def offers(conf: Path = CONF) -> list[dict[str, Any]]:
    """Return the API models of the newest price list, by price alone: name, input, output."""
    lists = read_prices(conf)
    newest = lists[-1].prices if lists else []
    return [{"name": price.model, "input": price.input, "output": price.output} for price in newest]


def _sums(leaderboards_dir: Path) -> str:
    """Return the digest of each published file, as `sha256sum -c` checks them."""
    paths = sorted(path for pattern in _SUMMED for path in leaderboards_dir.glob(pattern) if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(leaderboards_dir).as_posix()}\n"
        for path in paths
    ]
    return "".join(lines)
