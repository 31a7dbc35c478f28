"""The verdict on a new version as a CI log shows it: each limit, the slices that broke it, the flips."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from shared.compare import ChangedItem, one_line
from shared.errors import few
from shared.release import Check, Release, flips_by_slice
from shared.slice_losses import SliceLoss

TEXT_WIDTH = 200  # characters of an item's text
HEADERS = ["limit on", "found", "limit", "verdict", ""]


def release_text(release: Release, *, max_flips: int, file: Path) -> str:
    """Return the limits, the first `max_flips` negative flips, and last the verdict; `file` has all of it."""
    from tabulate import tabulate

    found = release.comparison
    score = f"{found.score}: {found.left.value:.4f} before, {found.right.value:.4f} now"
    rows = [_check_row(check) for check in release.checks]
    table = tabulate(rows, headers=HEADERS, disable_numparse=True)
    lines = [f"old: {release.old.name}", f"new: {release.new.name}", f"{score}, {found.num_items:,} items"]
    lines += ["", table, "", *_judged_lines(release.slices)]
    lines += [*_flip_lines(release, max_flips=max_flips), ""]
    verdict = f"FAIL: {', '.join(release.broken)}" if release.broken else "PASS"
    return "\n".join([*lines, f"{verdict}; all of it: {file}"])


def _check_row(check: Check) -> list[str]:
    found = "-" if check.found is None else f"{check.found:z.4f}"
    return [check.name, found, f"{check.limit:.4f}", "PASS" if check.passed else "FAIL", check.note]


def _judged_lines(slices: Sequence[SliceLoss]) -> list[str]:
    """Return how many slices are judged, then by reason which are not, with their items."""
    reasons: dict[str, list[str]] = {}
    for part in slices:
        if part.unjudged:
            reasons.setdefault(part.unjudged, []).append(f"{part.slice.title} ({len(part.slice.ids)})")
    judged = sum(part.loss is not None for part in slices)
    return [
        f"slices judged: {judged} of {len(slices)}",
        *(f"not judged, {reason}: {few(names)}" for reason, names in reasons.items()),
    ]


def _flip_lines(release: Release, *, max_flips: int) -> list[str]:
    """Return the flips under their slices, the first ones of them all."""
    lines, shown = [f"negative flips: {len(release.flips)}"], 0
    for part, items in flips_by_slice(release):
        if shown < max_flips:
            lines += ["", _slice_line(part, len(items)), *map(_item_lines, items[: max_flips - shown])]
            shown += min(len(items), max_flips - shown)
    if shown < len(release.flips):
        lines.append(f"... and {len(release.flips) - shown} more")
    return lines


def _slice_line(part: SliceLoss | None, num_flips: int) -> str:
    if part is None:
        return f"in no slice that lost: {num_flips}"
    change = f"{part.score} {part.old:.4f} before, {part.new:.4f} now"
    return f"{part.slice.title}: {change}; items {len(part.slice.ids)}, negative flips {num_flips}"


def _item_lines(item: ChangedItem) -> str:
    text = textwrap.shorten(item.text, TEXT_WIDTH, placeholder=" ...")
    old, new = (" / ".join(map(one_line, side)) for side in (item.left, item.right))
    return f"  {item.id}: {text}\n    gold: {one_line(item.gold)}\n    old:  {old}\n    new:  {new}"
