"""First stages: what finds a query's candidates among all passages, quickly.

Words (BM25), embeddings, both together, or what another system found.

Q queries, P passages, W windows of passages, V words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError, DataError, UserError
from shared.passages import Passage
from shared.training_config import ModelConfig
from tasks.retrieval.collection import Query
from tasks.retrieval.index import Index, find_index
from tasks.retrieval.tokens import check_stemmer, tokenise
from tasks.retrieval.trec import run_rows

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]


class Variant(Enum):
    """The BM25 formulas of bm25s that give nothing for an absent word (Kamphuis et al. 2020)."""

    lucene = "lucene"
    robertson = "robertson"
    atire = "atire"


@dataclass(frozen=True)
class Bm25:
    """The words that query and passage share, rare ones first (Robertson & Zaragoza 2009); none gives 0.

    A word that a query repeats counts as often.
    """

    k1: float  # how much more a passage gets for having a word again; 0 for nothing
    b: float  # how much a long passage loses, 0 to 1
    method: Variant
    stemmer: str  # a language of Snowball, such as english; '' for none
    index: str  # the folder to keep the index in; '' for none

    def __post_init__(self) -> None:
        if self.k1 < 0 or not 0 <= self.b <= 1:
            raise ConfigError(
                [f"first_stage.k1={self.k1}, first_stage.b={self.b}; allowed: 0 or more, and 0 to 1"]
            )
        check_stemmer(self.stemmer)

    def score(self, passages: Sequence[Passage], queries: Sequence[Query]) -> Array:
        """Return (Q, P); see `FirstStage.score`."""
        from scipy.sparse import csc_matrix

        settings = {"k1": self.k1, "b": self.b, "method": self.method.name, "stemmer": self.stemmer}
        index = find_index(
            passages, kind="bm25", settings=settings, folder=self.index, build=lambda: self._built(passages)
        )
        parts = tuple(index.arrays[name] for name in ("data", "indices", "indptr"))
        weights = csc_matrix(parts, shape=(len(passages), len(index.words)))
        scores: Array = (self._counts(queries, index.words) @ weights.T).toarray()
        return scores

    def _built(self, passages: Sequence[Passage]) -> Index:
        import bm25s

        words: dict[str, int] = {}  # numbered as they come: bm25s would do it in the order of a set
        texts = tokenise((passage.whole for passage in passages), stemmer=self.stemmer)
        ids = [[words.setdefault(word, len(words)) for word in text] for text in texts]
        if not words:
            raise UserError("no passage has a word of a to z or digits: BM25 finds nothing in them")
        scorer = bm25s.BM25(k1=self.k1, b=self.b, method=self.method.name)
        scorer.index((ids, words), create_empty_token=False, show_progress=False)
        return Index({name: scorer.scores[name] for name in ("data", "indices", "indptr")}, list(words))

    def _counts(self, queries: Sequence[Query], words: Sequence[str]) -> Any:
        """Return how often each query has each word of the passages, sparse (Q, V) float32."""
        import numpy as np
        from scipy.sparse import csr_matrix

        columns = {word: column for column, word in enumerate(words)}
        texts = tokenise((query.text for query in queries), stemmer=self.stemmer)
        cells = [
            (row, columns[word], count)
            for row, text in enumerate(texts)
            for word, count in Counter(text).items()
            if word in columns
        ]
        rows, places, counts = np.array(cells, dtype=np.int64).reshape(-1, 3).T
        return csr_matrix((counts.astype(np.float32), (rows, places)), shape=(len(texts), len(words)))


@dataclass(frozen=True)
class Dense:
    """The cosine of a query's embedding and that of a passage's best window."""

    model: ModelConfig
    bundle: str  # the adapter folder of a trained dual encoder; '' for the base as it is
    window_tokens: int  # of a passage, special tokens excluded
    overlap_tokens: int  # shared by neighbouring windows of a long passage
    query_tokens: int  # what is longer is cut
    index: str  # the folder to keep the embeddings in; '' for none

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_tokens < self.window_tokens:
            allowed = f"0 up to first_stage.window_tokens={self.window_tokens} exclusive"
            raise ConfigError([f"first_stage.overlap_tokens={self.overlap_tokens}; allowed: {allowed}"])
        if self.query_tokens < 1:
            raise ConfigError(
                [f"first_stage.query_tokens={self.query_tokens}; allowed: a whole number above 0"]
            )

    def score(self, passages: Sequence[Passage], queries: Sequence[Query]) -> Array:
        """Return (Q, P); see `FirstStage.score`."""
        import numpy as np

        from shared.passage_embedding import embed_queries, embed_windows, load_text_encoder

        encoder = load_text_encoder(self.model, bundle=self.bundle)

        def built() -> Index:
            vectors, texts = embed_windows(encoder, passages, limits=self)
            return Index({"vectors": vectors, "texts": texts})

        settings = {
            "weights": encoder.digest,
            "window_tokens": self.window_tokens,
            "overlap_tokens": self.overlap_tokens,
        }
        windows = find_index(passages, kind="dense", settings=settings, folder=self.index, build=built).arrays
        asked = embed_queries(encoder, [query.text for query in queries], limits=self)
        starts = np.searchsorted(windows["texts"], np.arange(len(passages)))
        scores: Array = np.maximum.reduceat(asked @ windows["vectors"].T, starts, axis=1)
        return scores


@dataclass(frozen=True)
class TrecRun:
    """What another system found, from its TREC run; queries of other splits may stand in it too."""

    path: str

    def score(self, passages: Sequence[Passage], queries: Sequence[Query]) -> Array:
        """Return (Q, P); raises `DataError` for a passage that is not there, and a query without any."""
        import numpy as np

        path = self._file()
        rows = {query.id: row for row, query in enumerate(queries)}
        columns = {passage.id: column for column, passage in enumerate(passages)}
        scores = np.full((len(rows), len(columns)), -np.inf, dtype=np.float32)
        for line, query, passage, score in run_rows(path):
            if query in rows and passage not in columns:
                raise DataError(
                    f"passage {passage!r} of query {query!r} is not in the data", file=path, line=line
                )
            if query in rows:
                scores[rows[query], columns[passage]] = score
        for query, row in rows.items():
            if not np.isfinite(scores[row]).any():
                raise DataError(f"no passage for query {query!r}, which the data has", file=path)
        return scores

    def _file(self) -> Path:
        if not self.path:
            raise ConfigError(
                ["first_stage.path is empty: give the run, as first_stage.path=path/to/run.trec"]
            )
        return Path(self.path)
