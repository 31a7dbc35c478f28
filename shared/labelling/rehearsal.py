"""A review where gold stands in for the reviewer: what a share of the texts reviewed would buy."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.errors import UserError
from shared.files import folder_atomic
from shared.labelling.drafts import Label
from shared.labelling.folder import ABOUT, ACCEPT, ANSWERS, CORRECT, DECISIONS, TEXTS, Decision, add_decisions
from shared.labelling.log import Log
from shared.provenance import today

REVIEWER = "gold"


def rehearse(
    folder: Path, into: Path, *, ordered: Sequence[Label], gold: dict[str, Any], share: float
) -> int:
    """Copy the labelling with the first share of the ordered texts decided as gold says; return how many.

    Texts whose draft is gold count as reviewed like the others: a reviewer had to look at them.
    """
    chosen = ordered[: round(share * len(ordered))]
    if missing := [label.example.id for label in chosen if label.example.id not in gold]:
        raise UserError(
            f"{folder}: no gold for {missing[0]!r}: only texts of a split with gold can be rehearsed"
        )
    if into.exists():
        raise UserError(f"{into} is there already: remove it, or choose another rehearse.into")
    with folder_atomic(into) as partial:
        for name in (ABOUT, TEXTS, ANSWERS):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, partial / name)
        with Log(partial / DECISIONS) as log:
            add_decisions(log, [_decision(label, gold[label.example.id]) for label in chosen])
    return len(chosen)


def _decision(label: Label, gold: Any) -> Decision:
    answer = gold.gold()
    same = label.draft is not None and label.draft.key == answer.key
    return Decision(label.example.id, REVIEWER, ACCEPT if same else CORRECT, answer, at=today())
