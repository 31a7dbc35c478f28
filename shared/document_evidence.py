"""What the sentences of one document tell of a name together, before each is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.examples import SpanExample

Array = np.ndarray[Any, np.dtype[np.float32]]


def share_evidence(examples: Sequence[SpanExample], scores: Sequence[Array], *, share: float) -> list[Array]:
    """Return word scores (W, C) of which a capitalised word takes `share` from its mean over the document.

    A name means the same throughout a text, and one sentence tells of it what another leaves open. Words are
    compared as written; a single letter is no name. An example without a document stands alone.
    """
    if not share:
        return list(scores)
    words = [[example.text[start:end] for start, end in example.words] for example in examples]
    places: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row, (example, written) in enumerate(zip(examples, words, strict=True)):
        for column, word in enumerate(written):
            if example.document and len(word) > 1 and word[0].isupper():
                places[example.document, word].append((row, column))
    shared = [rows.copy() for rows in scores]
    for found in places.values():
        if len(found) > 1:
            mean = np.mean([scores[row][column] for row, column in found], axis=0)
            for row, column in found:
                shared[row][column] = (1 - share) * scores[row][column] + share * mean
    return shared
