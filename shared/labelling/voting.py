"""Votes and agreement: what a further answer is expected to be, and how far two people agree."""

from __future__ import annotations

from collections.abc import Sequence

from shared.labelling.contracts import Agreement


def expected(votes: float, num: int) -> float:
    """Return the chance that a further answer says what `votes` of `num` answers said (Jeffreys' prior)."""
    return (votes + 0.5) / (num + 1)


def kappa(label: str, pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Return Cohen's kappa of two people's words; None where both always said the same one."""
    from sklearn.metrics import cohen_kappa_score

    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    if len({*left, *right}) < 2:
        return Agreement("kappa", label, None, len(pairs))
    return Agreement("kappa", label, float(cohen_kappa_score(left, right)), len(pairs))
