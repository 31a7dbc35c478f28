"""What reviewers work on: the queue, the text that comes next, what was decided, how far they agree."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.errors import UserError
from shared.labelling.contracts import Form
from shared.labelling.drafts import Label
from shared.labelling.folder import (
    ACCEPT,
    CORRECT,
    REJECT,
    UNDO,
    Decision,
    add_decisions,
    settled,
    standing,
)
from shared.labelling.log import Log

LEASE_SECONDS = 600.0  # for which a text that one reviewer looks at is not shown to another
PERIOD = 50  # decisions of a reviewer after which agreement is told anew


@dataclass
class Desk:
    """The labelling while it is reviewed; its methods may be called by several threads.

    `shared` is the share of the texts, by the hash of their id, that `copies` reviewers see. Every decision
    is in the log before it counts.
    """

    labels: Sequence[Label]  # in the order of the queue
    decisions: list[Decision]
    form: Form
    log: Log
    copies: int = 1
    shared: float = 0.0
    lock: threading.RLock = field(default_factory=threading.RLock)
    leases: dict[str, tuple[str, float]] = field(default_factory=dict)  # id -> reviewer, until when

    def __post_init__(self) -> None:
        self.places = {label.example.id: place for place, label in enumerate(self.labels)}
        self.standing = standing(self.decisions)
        self.reviewers: dict[str, set[str]] = {}
        for name, reviewer in self.standing:
            self.reviewers.setdefault(name, set()).add(reviewer)

    def next(self, reviewer: str, *, after: str = "") -> str | None:
        """Return the id of the text to look at next, behind `after` where that was skipped."""
        with self.lock:
            start = self.places.get(after, -1) + 1
            for label in itertools.chain(self.labels[start:], self.labels[:start]):
                if self._waits(label.example.id, reviewer):
                    self.leases[label.example.id] = (reviewer, time.monotonic() + LEASE_SECONDS)
                    return str(label.example.id)
            return None

    def item(self, name: str, reviewer: str) -> dict[str, Any]:
        """Return what the page shows of a text: what stands of it, as its editor takes it."""
        label = self._label(name)
        decision = self.standing.get((name, reviewer))
        shown = decision.prediction if decision and decision.prediction else label.draft
        blank = type(label.example.gold())(name)
        return {
            "id": name,
            "status": decision.action if decision else label.status.value,
            "confidence": label.confidence,
            "doubt": label.doubt,
            "voices": label.voices,
            "editor": self.form.editor(label.example, shown or blank),
        }

    def decide(self, name: str, reviewer: str, *, value: Any, rejected: bool, seconds: float) -> Decision:
        """Enter a decision: rejected, or the answer of the editor; returns it once it is on the disk."""
        label = self._label(name)
        prediction = None if rejected else self.form.edited(label.example, value)
        same = label.draft is not None and prediction is not None and prediction.key == label.draft.key
        action = REJECT if rejected else ACCEPT if same else CORRECT
        decision = Decision(name, _checked(reviewer), action, prediction, _now(), round(seconds, 1))
        with self.lock:
            self._enter(decision)
            self.standing[name, reviewer] = decision
            self.reviewers.setdefault(name, set()).add(reviewer)
            self.leases.pop(name, None)
        return decision

    def undo(self, reviewer: str) -> str:
        """Take back the reviewer's latest decision that stands, and return the text it was about."""
        with self.lock:
            latest = [key for key in standing(self.decisions) if key[1] == reviewer]
            if not latest:
                raise UserError("there is nothing to undo")
            name = latest[-1][0]
            self._enter(Decision(name, reviewer, UNDO, None, _now()))
            found = standing([one for one in self.decisions if (one.id, one.reviewer) == (name, reviewer)])
            if found:
                self.standing[name, reviewer] = found[name, reviewer]
            else:
                del self.standing[name, reviewer]
                self.reviewers[name].discard(reviewer)
            return name

    def progress(self, reviewer: str) -> dict[str, int]:
        """Return how many texts there are, how many are decided, and how many by this reviewer."""
        with self.lock:
            own = sum(key[1] == reviewer for key in self.standing)
            return {"texts": len(self.labels), "decided": len({key[0] for key in self.standing}), "own": own}

    def agreement(self) -> list[dict[str, Any]]:
        """Return how far each two reviewers agree, in all and by period of the texts that both decided."""
        with self.lock:
            return agreements(self.decisions, self.form)

    def _waits(self, name: str, reviewer: str) -> bool:
        decided = self.reviewers.get(name, set())
        holder, until = self.leases.get(name, (reviewer, 0.0))
        if reviewer in decided or (holder != reviewer and until > time.monotonic()):
            return False
        return len(decided) < (self.copies if is_shared(name, self.shared) else 1)

    def _label(self, name: str) -> Label:
        if name not in self.places:
            raise UserError(f"there is no text {name!r} in this labelling")
        return self.labels[self.places[name]]

    def _enter(self, decision: Decision) -> None:
        add_decisions(self.log, [decision])
        self.decisions.append(decision)


def is_shared(name: str, share: float) -> bool:
    """Return whether the text is among those that several reviewers see: the same ones on every machine."""
    return int(hashlib.sha256(f"shared-{name}".encode()).hexdigest(), 16) % 10_000 < 10_000 * share


def agreements(decisions: Sequence[Decision], form: Form) -> list[dict[str, Any]]:
    """Return for each two reviewers how far they agree, over all texts and in periods of `PERIOD` of them.

    A text that one of the two rejected is counted, and not compared.
    """
    found = []
    stands = standing(decisions)
    names = sorted({reviewer for _, reviewer in stands})
    for left, right in itertools.combinations(names, 2):
        both = [key[0] for key in stands if key[1] == right and (key[0], left) in stands]
        pairs = [(stands[name, left].prediction, stands[name, right].prediction) for name in both]
        kept = [pair for pair in pairs if pair[0] is not None and pair[1] is not None]
        periods = [kept[start : start + PERIOD] for start in range(0, len(kept), PERIOD)]
        found.append(
            {
                "reviewers": [left, right],
                "texts": len(both),
                "rejected": len(both) - len(kept),
                "labels": [asdict(one) for one in form.agreement(kept)] if kept else [],
                "periods": [asdict(form.agreement(period)[0]) for period in periods],
            }
        )
    return found


def agreement_text(decisions: Sequence[Decision], form: Form) -> str:
    """Return the decisions by what was decided, and each two reviewers' agreement, as lines."""
    actions = [decision.action for decision in settled(decisions).values()]
    counts = ", ".join(f"{actions.count(action):,} {action}ed" for action in (ACCEPT, CORRECT, REJECT))
    lines = [f"{len(actions):,} texts decided: {counts}"]
    for pair in agreements(decisions, form):
        shown = [
            f"{row['label'] or 'all'} {row['value']:.3f}"
            for row in pair["labels"]
            if row["value"] is not None
        ]
        measure = pair["labels"][0]["measure"] if pair["labels"] else "agreement"
        who = " and ".join(pair["reviewers"])
        lines.append(f"{who}, {pair['texts']:,} texts: {measure} {', '.join(shown) or 'not defined'}")
    return "\n".join(lines)


def _checked(reviewer: str) -> str:
    if not reviewer.strip() or len(reviewer) > 64:
        raise UserError("say who reviews: a name of 1 to 64 characters")
    return reviewer


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
