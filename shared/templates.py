"""Templates of texts: what stays the same from line to line, with `<*>` for what changes.

They are mined by Drain (He et al. 2017, 'Drain: an online log parsing approach with fixed depth tree') in
drain3-improved, after numbers and hexadecimal values are masked. Drain's tree is left once they are mined: it
misses texts of known templates where the tree splits words that a template leaves open, and cannot be rebuilt
from them. A text has a known template if all its words fit it one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

OPEN = "<*>"  # what fits any one word

_HEXADECIMAL = r"\b0[xX][0-9a-fA-F]+\b|\b(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{6,}\b"
_NUMBER = r"\d+(?:[.,:]\d+)*"  # also decimals, times and addresses, and within words
_CHANGING = re.compile(f"{_HEXADECIMAL}|{_NUMBER}")


@dataclass(frozen=True)
class Templates:
    """The known templates; words are separated by single spaces."""

    known: list[str]

    @classmethod
    def mined(cls, texts: Iterable[str]) -> Templates:
        """Return the templates of the texts, in the order they were found in; each text fits one of them.

        Equal masked texts are mined once: Drain never takes a text that is nearly all masked for its like.
        """
        from drain3.drain import Drain

        drain = Drain(param_str=OPEN)
        for masked in dict.fromkeys(" ".join(_masked(text)) for text in texts):
            drain.add_log_message(masked)
        return cls(list(dict.fromkeys(cluster.get_template() for cluster in drain.clusters)))

    def of(self, text: str) -> tuple[str, bool]:
        """Return the text's template and whether it is known; the template of another is the masked text.

        Of several that fit, the one with the fewest open words is taken, and of these the first.
        """
        given = _masked(text)
        for template in self._by_length.get(len(given), ()):
            if all(word in (OPEN, other) for word, other in zip(template, given, strict=True)):
                return " ".join(template), True
        return " ".join(given), False

    @cached_property
    def _by_length(self) -> dict[int, list[list[str]]]:
        """Return number of words -> templates as words, those with the fewest open words first."""
        found: dict[int, list[list[str]]] = {}
        for template in sorted((known.split() for known in self.known), key=lambda words: words.count(OPEN)):
            found.setdefault(len(template), []).append(template)
        return found


def _masked(text: str) -> list[str]:
    """Return the words, numbers and hexadecimal values in them masked."""
    return _CHANGING.sub(OPEN, text).split()
