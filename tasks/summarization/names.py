"""Words of a summary that must stand in its source: names, and in a text of small letters all uncommon words.

Words are runs of letters, parted at hyphens and stops; what holds a digit, such as q2, and single letters are
none. Months are one word, abbreviated or not; legal forms of companies are no names.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+(?:['’&]\w+)*")
_POSSESSIVE = re.compile(r"['’]s$")
_FUNCTION_WORDS = (
    "about after against all also although an and any are as at be because been before between both but "
    "by can could despite did do does down due during each for from had has have he her his how if in "
    "into is it its less may more most near no nor not of off on only or other our out over per she "
    "should since so some such than that the their them then there these they this those through to under "
    "until up us versus was we were what when where which while who will with within without would you "
    "your"
)
_LEGAL_FORMS = "co company corp corporation inc incorporated limited llc lp ltd plc"
FREE_WORDS = frozenset(f"{_FUNCTION_WORDS} {_LEGAL_FORMS}".split())  # need not stand in a source
_MONTHS = {
    **{"jan": "january", "feb": "february", "mar": "march", "apr": "april", "jun": "june", "jul": "july"},
    **{"aug": "august", "sep": "september", "sept": "september", "oct": "october", "nov": "november"},
    "dec": "december",
}


def find_names(text: str, *, wording: frozenset[str]) -> list[str]:
    """Return the words that must stand in the source, in order: neither house wording nor `FREE_WORDS`.

    Where the text has capitals, only words that begin with one count; a text of small letters does not tell
    names apart, so all its words do. `wording` is in small letters.
    """
    words = [match[0] for match in _WORD.finditer(text) if _of_letters(match[0])]
    if text != text.lower():
        words = [word for word in words if word[0].isupper()]
    return [word for word in words if not _known(word, wording)]


def unsupported_names(text: str, *, source: str, wording: frozenset[str]) -> list[str]:
    """Return the names that the source lacks, in order; case, plural and possessive s do not matter."""
    names = find_names(text, wording=wording)
    if not names:
        return []
    known = {_key(word) for word in _WORD.findall(source)}
    return [name for name in names if _key(name) not in known]


def _of_letters(word: str) -> bool:
    return len(word) > 1 and not any(character.isdigit() or character == "_" for character in word)


def _known(word: str, wording: frozenset[str]) -> bool:
    forms = {word.casefold(), _key(word)}
    return not (forms.isdisjoint(FREE_WORDS) and forms.isdisjoint(wording))


def _key(word: str) -> str:
    """Return what two forms of a word share."""
    stem = _POSSESSIVE.sub("", word.casefold())
    stem = _MONTHS.get(stem, stem)
    return stem[:-1] if len(stem) > 3 and stem.endswith("s") and not stem.endswith("ss") else stem
