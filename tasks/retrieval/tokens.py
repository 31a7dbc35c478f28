"""Words as BM25 counts them: runs of a to z and digits in the lower-cased text, stemmed or as they are."""

from __future__ import annotations

from collections.abc import Iterable

from shared.errors import ConfigError, suggest
from shared.ngrams import words


def tokenise(texts: Iterable[str], *, stemmer: str) -> list[list[str]]:
    """Return the words of each text, with their repetitions: 1,452.4 gives 1, 452 and 4.

    `stemmer` is a language of Snowball, or '' for none.
    """
    found = [words(text) for text in texts]
    if not stemmer:
        return found
    import Stemmer

    stem = Stemmer.Stemmer(stemmer).stemWords
    return [stem(own) for own in found]


def check_stemmer(stemmer: str) -> None:
    """Raise `ConfigError` for a language that Snowball does not know."""
    if not stemmer:
        return
    import Stemmer

    languages = Stemmer.algorithms()
    if stemmer not in languages:
        allowed = f"'' for none, or one of {', '.join(languages)}"
        raise ConfigError([f"first_stage.stemmer={stemmer}{suggest(stemmer, languages)}; allowed: {allowed}"])
