"""The settings of each head: what its YAML may say, known without torch."""

from shared.heads.settings.anomalies import PARTS, EmbeddingDensity
from shared.heads.settings.facets import DETECTORS, Classifier, SequenceClassification
from shared.heads.settings.queries import QueryWriting
from shared.heads.settings.ranking import DualEncoding, Ordering, PairScoring, RankingLoss
from shared.heads.settings.spans import SpanExtraction, TokenClassification
from shared.heads.settings.summaries import PLACES, SentenceSelection, TextGeneration

ALONE = (SpanExtraction, TextGeneration, QueryWriting)  # heads that hold their backbone, or write with it

__all__ = [
    "ALONE",
    "DETECTORS",
    "PARTS",
    "PLACES",
    "Classifier",
    "DualEncoding",
    "EmbeddingDensity",
    "Ordering",
    "PairScoring",
    "QueryWriting",
    "RankingLoss",
    "SentenceSelection",
    "SequenceClassification",
    "SpanExtraction",
    "TextGeneration",
    "TokenClassification",
]
