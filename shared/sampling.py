"""Drawing training examples, to learn how a score depends on how many of them were labelled.

The draw is plain, without regard of documents or classes: it is what labelling texts as they come would give,
and nobody can choose k texts a class before they are labelled. So a rare class may be missing from a small
draw, and the figure is not one of the `k per class` that few-shot papers report (Casanueva et al., arXiv
2003.04807). Sentences of many documents are also more varied than those of a few whole ones.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from shared.examples import E


def draw_examples(examples: Sequence[E], number: int, *, seed: int) -> list[E]:
    """Return so many of the examples, in their order; all of them for 0, or where there are no more.

    The draws of one seed are nested: the first 25 are among the first 50.
    """
    order = list(range(len(examples)))
    random.Random(f"{seed}-examples").shuffle(order)
    return [examples[index] for index in sorted(order[: number or len(order)])]
