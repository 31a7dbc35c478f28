"""Which texts are the same, and a validation split that shares none with train."""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace

from shared.examples import FacetExample

_NO_LETTER = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """Return the letters and digits of a text in one case; a text that has none is left as it is."""
    return _NO_LETTER.sub("", text).casefold() or text


def same_text(example: FacetExample) -> str:
    """Return what two examples share that say the same, the second text included."""
    return folded(f"{example.text} {example.pair}")


def named(examples: Iterable[FacetExample], split: str) -> list[FacetExample]:
    """Return the examples, ids and documents as `<split>-<upstream's>`; without a document, each is one."""
    return [
        replace(item, id=f"{split}-{item.id}", document=f"{split}-{item.document or item.id}")
        for item in examples
    ]


def divide(
    examples: Sequence[FacetExample], split: str, *, share: float, stratum: Callable[[FacetExample], str]
) -> list[FacetExample]:
    """Return the part of upstream's training examples that is our `train` or our `validation`.

    The parts are the same at every call. Examples of the same text or the same document stay together;
    of each stratum the `share` of such groups, rounded, is drawn for validation by `random.Random(0)`.
    """
    strata: defaultdict[str, list[list[int]]] = defaultdict(list)
    for group in _groups([_keys(example) for example in examples]):
        strata[stratum(examples[group[0]])].append(group)
    draw = random.Random(0)
    drawn = [draw.sample(strata[name], round(share * len(strata[name]))) for name in sorted(strata)]
    held = {place for groups in drawn for place in itertools.chain.from_iterable(groups)}
    return [item for place, item in enumerate(examples) if (place in held) == (split == "validation")]


def _keys(example: FacetExample) -> list[Hashable]:
    document = [("document", example.document)] if example.document else []
    return [("text", same_text(example)), *document]


def _groups(keys: Sequence[Sequence[Hashable]]) -> list[list[int]]:
    """Return the places of rows that share a key, directly or through others, in the order of the rows."""
    parent = list(range(len(keys)))
    first: dict[Hashable, int] = {}

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    for place, own in enumerate(keys):
        for key in own:
            parent[root(place)] = root(first.setdefault(key, place))
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place in range(len(keys)):
        groups[root(place)].append(place)
    return list(groups.values())
