"""The settings of each head: what its YAML may say, known without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from shared.errors import ConfigError
from shared.typed_config import build as build_node

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Reviewer, Types
    from shared.fast_tokenizer import FastTokenizer


# The parts of an anomaly score; the last one is trained.
PARTS = ("neighbours", "mahalanobis", "surface", "likeness", "logit")
DETECTORS = ("max_softmax", "energy", "mahalanobis")
PLACES = 16  # parts of a document that a sentence can stand in


def _check_window(window_tokens: int, overlap_tokens: int) -> None:
    if not 0 <= overlap_tokens < window_tokens:
        allowed = f"0 up to head.window_tokens={window_tokens} exclusive"
        raise ConfigError([f"head.overlap_tokens={overlap_tokens}; allowed: {allowed}"])


def _check_positive(settings: Any, *names: str) -> None:
    wrong = [name for name in names if getattr(settings, name) < 1]
    if wrong:
        raise ConfigError(
            [f"head.{name}={getattr(settings, name)}; allowed: a whole number above 0" for name in wrong]
        )


@dataclass(frozen=True)
class TokenClassification:
    """One tag per word by a linear layer over the encoder and a CRF over the sequence of tags."""

    dropout: float
    document_share: float  # of a name's evidence, from all its occurrences in the document; 0 for none
    word_shape: bool  # tell an uncased encoder how each word is written (capitals, digits)
    window_tokens: int  # longest input of the encoder, special tokens excluded
    overlap_tokens: int  # shared by neighbouring windows of a long text
    # with word_shape: into the encoder as well, not only beside its output. Older bundles' settings lack it.
    word_shape_in: bool = True

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.word_tagger import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.token_classification import TokenClassificationHead

        return TokenClassificationHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class SpanExtraction:
    """GLiNER: spans up to `max_width` words are matched with names of entity types (arXiv 2311.08526)."""

    max_width: int  # longest span, in words
    hidden_size: int  # of the span and type representations
    rnn_layers: int  # of the LSTM between encoder and spans; 0 for none
    dropout: float
    threshold: float  # a span is an entity from this probability on; `train` replaces it by validation's best
    window_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.span_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.span_extraction import SpanExtractionHead

        return SpanExtractionHead(self, types=types, tokenizer=tokenizer, module=module)


class Classifier(Enum):
    """How a concept's vector meets the text's embedding: by its cosine times `scale`, or by a dot product."""

    cosine = "cosine"
    linear = "linear"


@dataclass(frozen=True)
class SequenceClassification:
    """The concepts of an ontology by one encoder pass, all facets at once; see the head's file."""

    classifier: Classifier
    scale: float  # of the cosine
    name_start: bool  # a concept's vector begins as the embedding of its label and definition
    dropout: float
    label_smoothing: float
    balance: float  # weight of a concept: (mean count / its count) to this power; 0 for equal weights
    prior_shift: (
        float  # how much less often a common concept is chosen, 0 to 1; see `facet_decoding.prior_shift`
    )
    outliers: float  # weight of training texts out of scope, which are drawn to no concept; 0 leaves them out
    number_weight: float  # of the squared error of facets that are numbers
    detectors: list[str]  # of texts out of scope, from which validation chooses
    sent_away: float  # share of validation's texts in scope that may be taken for out of scope
    explained_by: int  # training examples shown beside an answer, where explanation is asked for
    first_tokens: int  # of the text, where a second text stands behind it
    window_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)
        wrong = [name for name in self.detectors if name not in DETECTORS]
        if wrong or not self.detectors:
            raise ConfigError([f"head.detectors={list(self.detectors)}; allowed: {', '.join(DETECTORS)}"])
        if not 0 <= self.sent_away < 1:
            raise ConfigError([f"head.sent_away={self.sent_away}; allowed: 0 up to 1 exclusive"])
        if not 0 < self.first_tokens < self.window_tokens - 1:  # a mark and a token of the second text follow
            allowed = f"1 to {self.window_tokens - 2}, 2 less than head.window_tokens"
            raise ConfigError([f"head.first_tokens={self.first_tokens}; allowed: {allowed}"])

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.facet_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.sequence_classification import SequenceClassificationHead

        return SequenceClassificationHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class EmbeddingDensity:
    """How odd a text is among normal ones, by its embedding and its writing; see the head's file."""

    weights: dict[
        str, float
    ]  # of the parts of the score, each in standard deviations of held-out normal texts
    scale: float  # of the embedding, of length 1, before the trained output
    false_alarms: float  # the share of normal texts that may raise an alarm
    max_neighbours: int  # normal texts kept in the bundle to compare with
    explained_by: int  # normal texts shown beside an alarm
    max_parts: int  # of a text that are left out one at a time to explain an alarm
    window_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)
        if set(self.weights) != set(PARTS):
            raise ConfigError([f"head.weights names {sorted(self.weights)}; needed: {', '.join(PARTS)}"])
        if not 0 < self.false_alarms < 1:
            raise ConfigError([f"head.false_alarms={self.false_alarms}; allowed: above 0, below 1"])

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.anomaly_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.embedding_density import EmbeddingDensityHead

        return EmbeddingDensityHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class SentenceSelection:
    """How much of a summary each sentence of a document tells; see the head's file."""

    sentences: int  # chosen of each document
    figures_only: bool  # of a document with figures, look at the sentences that have one
    negatives: int  # sentences of a training document that tell nothing, drawn to train beside those that do
    dropout: float
    max_tokens: int  # of a sentence; what is longer is cut

    def __post_init__(self) -> None:
        _check_positive(self, "sentences", "negatives", "max_tokens")

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.sentence_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.sentence_selection import SentenceSelectionHead

        return SentenceSelectionHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class TextGeneration:
    """A summary written by a decoder from a document's chosen sentences; see the head's file."""

    selector: str  # the bundle of a trained `sentence_selection`; '' takes the sentences as they come
    sentences: int  # read at most, the best ones
    prompt_tokens: int  # of the sentences
    max_new_tokens: int
    batch_rows: int  # documents that are written together, always so many
    instruction: str  # what the base is told in front of the sentences
    style_in_prompt: bool  # tell it the checker's house style too
    check: Any  # a `_target_` node of a `Reviewer`, or null

    def __post_init__(self) -> None:
        _check_positive(self, "sentences", "prompt_tokens", "max_new_tokens", "batch_rows")
        self.reviewer()

    def reviewer(self) -> Reviewer | None:
        """Return who checks what was written, if anybody; raises `ConfigError` for a wrong setting of it."""
        return build_node(OmegaConf.create(self.check), path="head.check") if self.check else None

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return decoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.text_writer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around what writes; see `ExportableSettings.head`."""
        from shared.heads.text_generation import TextGenerationHead

        return TextGenerationHead(self, types=types, tokenizer=tokenizer, module=module)


class RankingLoss(Enum):
    """What a pair scorer learns: to choose among a query's passages, or pairs of a positive and another."""

    listwise = "listwise"
    pairwise = "pairwise"


@dataclass(frozen=True)
class Ordering:
    """How scores become an answer: weights that validation chooses from, and the threshold of 'nothing'."""

    first_weights: list[float]  # of the first stage's score beside the head's; [0] leaves it aside
    document_weights: list[float]  # of the best score in a passage's document; [0] leaves it aside
    sent_away: float  # share of validation's queries that may get 'nothing' though a candidate is relevant
    answers: int  # passages of an answer

    def __post_init__(self) -> None:
        _check_positive(self, "answers")
        if not self.first_weights or not self.document_weights:
            raise ConfigError(["head.order: first_weights and document_weights need one weight or more"])
        if not 0 <= self.sent_away < 1:
            raise ConfigError([f"head.order.sent_away={self.sent_away}; allowed: 0 up to 1 exclusive"])


@dataclass(frozen=True)
class PairScoring:
    """How well a passage answers a query, both read together; see the head's file."""

    depth: int  # passages of a query that are scored, the first stage's best; the rest keep their order
    loss: RankingLoss
    negatives: int  # of a query beside one relevant passage, drawn anew for each batch
    teacher: str  # the bundle of a larger scorer to learn from, or ''
    teacher_weight: float  # of its margins (arXiv 2010.02666) beside the loss of the labels
    dropout: float
    query_tokens: int  # what is longer is cut, and counted
    window_tokens: int  # of a passage; its best window counts
    overlap_tokens: int
    order: Ordering

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)
        _check_positive(self, "depth", "negatives", "query_tokens")

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.pair_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.pair_scoring import PairScoringHead

        return PairScoringHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class DualEncoding:
    """How near a passage is to a query, each read alone; see the head's file."""

    scale: float  # of the cosine in the loss, the inverse of its temperature
    negatives: int  # hard ones of a query, drawn anew for each batch, beside those of the whole batch
    depth: int  # of the first stage's best passages that negatives are drawn from
    query_tokens: int  # what is longer is cut, and counted
    window_tokens: int  # of a passage; its best window counts
    overlap_tokens: int
    order: Ordering

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)
        _check_positive(self, "depth", "query_tokens")

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.text_embedder import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.dual_encoding import DualEncodingHead

        return DualEncodingHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class QueryWriting:
    """Queries written by a decoder for a passage; see the head's file."""

    instruction: str  # what the base is told in front of the passage
    shots: list[dict[str, str]]  # {passage, queries (a line each)} that stand in front, for an untuned base
    samples: int  # answers sampled for each passage, each with a query a line
    queries: int  # of a passage kept at most, each once
    temperature: float  # of sampling; 0 is greedy
    top_p: float
    sampling_seed: int  # the same passage always gets the same queries
    passage_tokens: int  # what is longer is cut, and counted
    max_new_tokens: int
    batch_rows: int  # answers that are written together, always so many

    def __post_init__(self) -> None:
        _check_positive(self, "samples", "queries", "passage_tokens", "max_new_tokens", "batch_rows")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            given = f"head.temperature={self.temperature}, head.top_p={self.top_p}"
            raise ConfigError([f"{given}; allowed: 0 or more, and above 0 up to 1"])
        if not self.temperature and self.samples > 1:
            raise ConfigError([f"head.samples={self.samples}: with head.temperature=0 all would be the same"])
        for place, shot in enumerate(self.shots):
            if set(shot) != {"passage", "queries"}:
                raise ConfigError([f"head.shots[{place}] has {sorted(shot)}; needed: passage, queries"])

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return decoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.query_writer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around what writes; see `ExportableSettings.head`."""
        from shared.heads.query_writing import QueryWritingHead

        return QueryWritingHead(self, types=types, tokenizer=tokenizer, module=module)


ALONE = (SpanExtraction, TextGeneration, QueryWriting)  # heads that hold their backbone, or write with it
