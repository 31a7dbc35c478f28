"""Records made by hand for the tests of records and leaderboards."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts import Score
from shared.provenance import Code, FileFacts, Hardware
from shared.record import (
    BaseFacts,
    Cost,
    Counts,
    DataFacts,
    Energy,
    Inference,
    MetricFacts,
    Parameters,
    Record,
    Training,
)


def make_record(**changes: Any) -> Record:
    """Return a whole record with F1 0.8 on two documents, with the given fields changed."""
    values: dict[str, Any] = {
        "id": "ner-tiny-seed1-0a1b2c3d",
        "kind": "measured",
        "name": "tiny + LoRA",
        "task": "ner",
        "experiment": "ner/tiny",
        "data": DataFacts("FiNER-ORD", "CC BY-NC 4.0", "test", "d" * 64, num_examples=3, num_documents=2),
        "metric": MetricFacts("span_f1", "1", main="f1"),
        "scores": {"f1": Score(0.8, 0.7, 0.9), "precision": Score(0.8), "recall": Score(0.8)},
        "counts": Counts(
            groups=["PER", "ORG"],
            columns=["tp", "predicted", "gold"],
            rows={"d1": [2.0, 3, 3, 0, 0, 1], "d2": [4, 4, 4, 2, 3, 2]},
        ),
        "predictions": FileFacts("predictions-test.jsonl", "e" * 64),
        "config": {"seed": 1, "lora": {"r": 16}},
        "config_digest": "0a1b2c3d",
        "base": BaseFacts("org/tiny", "f" * 40, "a" * 64, "Apache-2.0"),
        "parameters": Parameters(total=1100, trainable=100, frozen=1000),
        "seed": 1,
        "code": Code("c" * 40, clean=True),
        "versions": {"python": "3.11.1"},
        "hardware": Hardware("a processor", cores=2, threads=2, memory_gib=24.0, accelerator=""),
        "coverage": {"texts_beyond_window": 1, "lost_spans": 0},
        "training": Training(
            90.0, steps=20, epochs=2.0, tokens_per_second=500.0, peak_memory_gib=1.5, validation=0.9
        ),
        "inference": Inference(100.0, 2000.0, 20.0, 30.0, 1.0),
        "energy": Energy(None, "not measured: no counter on this machine"),
        "cost": Cost(None, None, "no price given"),
        "created": "2026-01-31",
    }
    return Record(**{**values, **changes})


def micro_f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F1 over all groups; counts (..., k) hold tp, predicted and gold of each group in turn."""
    found, predicted, gold = (counts[..., part::3].sum(axis=-1) for part in range(3))
    return np.asarray(2 * found / np.maximum(predicted + gold, 1))


def recall(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the found share of gold over all groups, of counts as `micro_f1` takes them."""
    return np.asarray(counts[..., 0::3].sum(axis=-1) / counts[..., 2::3].sum(axis=-1))
