"""Dividing documents into folds and a validation part, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def divide(sizes: Mapping[str, int], *, folds: int, fold: int, validation_share: float) -> dict[str, str]:
    """Return document -> train, validation or test.

    `sizes` maps documents to their numbers of texts. The test part is the `fold`-th of `folds` parts of about
    as many texts each, none for fold 0; of the rest, `validation_share` of the texts or a little more are for
    validation. Documents are taken in the order of the hash of their name.
    """
    test = {document for document, own in _folds(sizes, folds).items() if own == fold}
    rest = [document for document in _shuffled(sizes, "validation") if document not in test]
    wanted = validation_share * sum(sizes[document] for document in rest)
    parts = dict.fromkeys(test, "test")
    for document in rest:
        parts[document] = "validation" if wanted > 0 else "train"
        wanted -= sizes[document]
    return parts


def _folds(sizes: Mapping[str, int], folds: int) -> dict[str, int]:
    """Return the fold of each document, from 1: each goes where the fewest texts are."""
    filled = [0] * folds
    found = {}
    for document in _shuffled(sizes, "fold") if folds else []:
        fewest = filled.index(min(filled))
        filled[fewest] += sizes[document]
        found[document] = fewest + 1
    return found


def _shuffled(documents: Mapping[str, int], purpose: str) -> list[str]:
    return sorted(documents, key=lambda name: hashlib.sha256(f"{purpose}-{name}".encode()).hexdigest())
