import math
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import ConfigError, DataError, UserError
from tasks.retrieval.first_stage import Dense, TrecRun, Variant
from tests.tasks.retrieval.stages import BM25, NOT, configured, passages, queries, run


def formula(query: list[str], text: list[str], texts: list[list[str]], k1: float, b: float) -> float:
    """Lucene's BM25: N texts, n of them with the word."""
    length = len(text) / (sum(map(len, texts)) / len(texts))
    having = {word: sum(word in other for other in texts) for word in query}
    idf = {word: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for word, n in having.items()}
    return sum(idf[w] * (tf := text.count(w)) / (tf + k1 * (1 - b + b * length)) for w in query if w in text)


def test_a_score_by_hand() -> None:
    """Rain: ln 2 * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)); sun: ln 1.2 / 2.65 and ln 1.2 / 1.75."""
    found = BM25.score(passages("Rain, rain, sun.", "Sun"), queries("rain", "the SUN"))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.379807, 0], [0.068801, 0.104184]], atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_scores_are_those_of_the_formula(seed: int) -> None:
    generator = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(generator.randint(2, 30))]
    texts = [generator.choices(vocabulary, k=generator.randint(0, 25)) for _ in range(15)]
    texts.append(vocabulary[:1])
    asked = [generator.choices([*vocabulary, "unseen"], k=generator.randint(0, 9)) for _ in range(8)]
    k1, b = generator.uniform(0, 3), generator.random()
    stage = replace(BM25, k1=k1, b=b)
    found = stage.score(passages(*map(" ".join, texts)), queries(*map(" ".join, asked)))
    expected = [[formula(query, text, texts, k1, b) for text in texts] for query in asked]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_query_without_a_known_word_gives_zeros() -> None:
    found = BM25.score(passages("rain", "sun"), queries("", "?!", "snow", "rain"))
    assert found[:3].tolist() == [[0, 0], [0, 0], [0, 0]]
    assert found[3, 0] > 0


def test_a_query_of_a_million_characters_is_answered_at_once() -> None:
    texts = passages(*(f"rain and sun {number}" for number in range(500)))
    start = time.monotonic()
    found = replace(BM25, stemmer="english").score(texts, queries("rain " * 200_000, "a" * 1_000_000))
    assert time.monotonic() - start < 5
    assert found[0].min() > 0 and not found[1].any()


def test_a_stemmer_finds_other_forms_of_a_word() -> None:
    asked, texts = queries("Did sales rise?"), passages("Sales rising", "Rain")
    assert BM25.score(texts, asked)[0, 0] < replace(BM25, stemmer="english").score(texts, asked)[0, 0]


def test_passages_without_any_word_are_refused() -> None:
    with pytest.raises(UserError, match="no passage has a word of a to z or digits"):
        BM25.score(passages("雨", ""), queries("rain"))


def test_a_saved_index_gives_the_same_bits(tmp_path: Path) -> None:
    texts, asked = passages("rain and sun", "sun", "snow"), queries("sun and snow", "rain")
    expected = BM25.score(texts, asked)
    for _ in range(2):
        found = replace(BM25, index=str(tmp_path)).score(texts, asked)
        np.testing.assert_array_equal(found, expected)
    assert (tmp_path / "bm25" / "words.json").read_text() == '["rain", "and", "sun", "snow"]'
    with pytest.raises(DataError, match=r"method is lucene there, atire here"):
        replace(BM25, index=str(tmp_path), method=Variant.atire).score(texts, asked)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("first_stage.k1=-1", r"first_stage\.k1=-1\.0, first_stage\.b=0\.75; allowed: 0 or more, and 0 to 1"),
        ("first_stage.b=1.5", r"first_stage\.b=1\.5"),
        ("first_stage.stemmer=englsh", "did you mean 'english'"),
        ("first_stage.method=bm25l", r"data\.first_stage\.method='bm25l': .*allowed: Variant"),
    ],
)
def test_wrong_settings_of_bm25_are_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured("bm25", override)


def test_a_run_scores_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = run(tmp_path, "q1 p2 0.5", "q0 p0 3", "other-split p9 1")
    found = TrecRun(path).score(passages("a", "b", "c"), queries("x", "y"))
    assert found.tolist() == [[3.0, NOT, NOT], [NOT, NOT, 0.5]]


def test_a_run_of_other_passages_or_other_queries_is_refused(tmp_path: Path) -> None:
    stage = TrecRun(run(tmp_path, "q0 p0 3", "q0 p7 2"))
    with pytest.raises(DataError, match=r"\.trec:2: passage 'p7' of query 'q0' is not in the data"):
        stage.score(passages("a"), queries("x"))
    with pytest.raises(DataError, match=r"\.trec: no passage for query 'q1', which the data has"):
        TrecRun(run(tmp_path, "q0 p0 3")).score(passages("a"), queries("x", "y"))


def test_a_run_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"first_stage\.path is empty: give the run"):
        configured("trec").score(passages("a"), queries("x"))


def test_bm25_is_lucenes_without_a_stemmer() -> None:
    assert configured("bm25") == BM25


MARKETING = "Revenue from licences grew in the quarter while the costs of marketing and travel fell again. "
TEXTS = passages(
    "Orla Bank paid a dividend of 40 cents a share in May.",
    "The plant in Ghent makes tyres for lorries.",
    MARKETING * 15 + "The factory's roof was repaired after the storm.",
    "Staff may work from home on two days a week.",
    "Our auditors are Lind & Partners.",
)


def dense(**settings: Any) -> Dense:
    stage: Dense = configured("minilm")
    return replace(stage, **settings)


def test_embeddings_find_the_passage_that_says_it_in_other_words() -> None:
    asked = queries("How much money did shareholders get?", "remote work rules for employees")
    found = dense().score(TEXTS, asked)
    assert (found.shape, found.dtype) == ((2, 5), np.float32)
    assert found.argmax(axis=1).tolist() == [0, 3]


def test_the_last_sentence_of_a_long_passage_is_found_by_its_window_alone(tmp_path: Path) -> None:
    asked = queries("Was the damaged roof of the plant mended?")
    windows = dense(window_tokens=24, overlap_tokens=12, index=str(tmp_path))
    found = windows.score(TEXTS, asked)
    assert found.argmax() == 2
    assert dense(window_tokens=400, overlap_tokens=0).score(TEXTS, asked).argmax() == 1
    np.testing.assert_array_equal(windows.score(TEXTS, asked), found)
    with pytest.raises(DataError, match="window_tokens is 24 there, 32 here"):
        replace(windows, window_tokens=32).score(TEXTS, asked)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"overlap_tokens": 160}, r"overlap_tokens=160; allowed: 0 up to first_stage\.window_tokens=160"),
        ({"query_tokens": 0}, r"first_stage\.query_tokens=0; allowed: a whole number above 0"),
    ],
)
def test_wrong_windows_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dense(**settings)
