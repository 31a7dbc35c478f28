"""Names: short ids for IRIs, and plain words for ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import unquote


def words(name: str) -> str:
    """Return a name as plain words: ClosedEndCredit is closed end credit, US_LIBOR stays US LIBOR."""
    apart = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-\s]+", " ", name).split()
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in apart)


def local(iri: str) -> str:
    """Return the last part of an IRI: behind its last #, else its last / or colon."""
    trimmed = iri.rstrip("#/")
    return unquote(trimmed.rpartition("#")[2] if "#" in trimmed else re.split("[/:]", trimmed)[-1])


def short_names(iris: Iterable[str], prefixes: Mapping[str, str]) -> dict[str, str]:
    """Return IRI -> a short name that no other has: the local one, the prefixed one, or the IRI itself.

    `prefixes` maps a namespace to its prefix.
    """
    iris = set(iris)
    found: dict[str, str] = {}
    for name in (local, lambda iri: _prefixed(iri, prefixes), str):
        names = {iri: name(iri) for iri in iris - set(found)}
        uses = Counter(names.values())
        found |= {iri: short for iri, short in names.items() if uses[short] == 1}
    return found


def _prefixed(iri: str, prefixes: Mapping[str, str]) -> str:
    """Return the prefix bound to the namespace, else the namespace's last part, and the local name."""
    cut = max(iri.rstrip("#/").rfind(mark) for mark in "#/:") + 1
    return f"{prefixes.get(iri[:cut]) or local(iri[:cut])}:{local(iri)}"
