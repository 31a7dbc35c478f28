"""Words as BM25 counts them: runs of a to z and digits in the lower-cased text, stemmed or as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.errors import ConfigError, suggest

WORD = re.compile(r"[a-z0-9]+")


def tokenise(texts: Iterable[str], *, stemmer: str) -> list[list[str]]:
    """Return the words of each text, with their repetitions: 1,452.4 gives 1, 452 and 4.

    `stemmer` is a language of Snowball, or '' for none.
    """
    words = [WORD.findall(text.lower()) for text in texts]
    if not stemmer:
        return words
    import Stemmer

    stem = Stemmer.Stemmer(stemmer).stemWords
    return [stem(found) for found in words]


def check_stemmer(stemmer: str) -> None:
    """Raise `ConfigError` for a language that Snowball does not know."""
    import Stemmer

    languages = Stemmer.algorithms()
    if stemmer and stemmer not in languages:
        allowed = f"'' for none, or one of {', '.join(languages)}"
        raise ConfigError([f"first_stage.stemmer={stemmer}{suggest(stemmer, languages)}; allowed: {allowed}"])
