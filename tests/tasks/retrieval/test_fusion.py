import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import ConfigError, DataError
from tasks.retrieval.fusion import Fusion, SeveralQueries, standardised
from tests.tasks.retrieval.stages import NOT, configured, passages, queries, run

BM25_NODE = {"_target_": "tasks.retrieval.first_stage.Bm25", "k1": 1.2, "b": 0.75, "method": "lucene"}


def fusion(**weighted: tuple[str, float]) -> Fusion:
    target = "tasks.retrieval.first_stage.TrecRun"
    return Fusion(
        {
            name: {"stage": {"_target_": target, "path": path}, "weight": weight}
            for name, (path, weight) in weighted.items()
        }
    )


def test_a_fusion_adds_up_deviations_from_the_mean(tmp_path: Path) -> None:
    """The first gives -1, 1 and for what it lacks -1; the second, twice, -1, for what it lacks -1, and 1."""
    one, other = run(tmp_path, "q0 p0 1", "q0 p1 3"), run(tmp_path, "q0 p0 10", "q0 p2 20")
    found = fusion(one=(one, 1.0), other=(other, 2.0)).score(passages(*"abcd"), queries("x"))
    assert found.dtype == np.float32
    assert found.tolist() == [[-3.0, -1.0, 1.0, NOT]]


def test_equal_scores_and_no_scores_change_nothing_in_a_fusion() -> None:
    scores = np.array([[0.1] * 7, [NOT] * 7, [1, 3, NOT, NOT, NOT, NOT, NOT]], dtype=np.float32)
    assert standardised(scores).tolist() == [[0.0] * 7, [0.0] * 7, [-1, 1, -1, -1, -1, -1, -1]]


def test_standard_deviations_are_those_of_the_whole_row() -> None:
    """Mean 2, deviation sqrt((4 + 1 + 1 + 4) / 4)."""
    found = standardised(np.array([[0, 1, 3, 4]], dtype=np.float32))
    np.testing.assert_allclose(found, [[-1.264911, -0.632456, 0.632456, 1.264911]], atol=1e-6)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({}, r"first_stage\.stages is empty; needed: \{stage, weight\} by a name"),
        ({"a": 1.0}, r"first_stage\.stages\.a=1\.0; needed: stage and weight"),
        ({"a": {"stage": None, "weight": 1.0}}, r"first_stage\.stages\.a\.stage=None; needed: _target_"),
        ({"a": {"stage": {}, "wieght": 1.0}}, r"first_stage\.stages\.a\.wieght is unknown"),
    ],
)
def test_wrong_parts_of_a_fusion_are_refused(stages: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Fusion(stages)


def test_the_parts_of_the_fusion_are_the_stages_that_stand_alone() -> None:
    found = configured(
        "fusion", "first_stage.stages.minilm.weight=0.5", "first_stage.stages.bm25.stage.k1=0.9"
    )
    assert [weight for _, weight in found._parts()] == [1.0, 0.5]
    assert [stage for stage, _ in found._parts()] == [
        replace(configured("bm25"), k1=0.9),
        configured("minilm"),
    ]


def several(folder: Path, *rows: dict[str, Any], weight: float = 0.5) -> SeveralQueries:
    path = folder / "written.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return SeveralQueries({**BM25_NODE, "stemmer": "", "index": ""}, str(path), weight)


def test_other_queries_find_what_the_query_itself_does_not(tmp_path: Path) -> None:
    """The query's word stands in the first passage alone: deviations 1.41, -0.71, -0.71; the others' mean
    gives -0.71, 0.35, 0.35, of which half counts.
    """
    stage = several(tmp_path, {"id": "q0", "queries": ["holiday", "leave"]})
    found = stage.score(passages("vacation", "holiday", "leave"), queries("vacation"))
    np.testing.assert_allclose(found, [[1.0607, -0.5303, -0.5303]], atol=1e-4)


def test_a_query_without_others_stands_alone(tmp_path: Path) -> None:
    stage = several(tmp_path, {"id": "q0", "queries": []})
    found = stage.score(passages("vacation", "holiday", "leave"), queries("vacation"))
    np.testing.assert_allclose(found, [[1.4142, -0.7071, -0.7071]], atol=1e-4)


def test_a_file_that_lacks_a_query_or_its_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"written\.jsonl: nothing was written for query 'q1'"):
        several(tmp_path, {"id": "q0", "queries": []}).score(passages("a"), queries("x", "y"))
    with pytest.raises(DataError, match=r'written\.jsonl:1: no "queries" with a list of texts'):
        several(tmp_path, {"id": "q0", "queries": "x"}).score(passages("a"), queries("x"))
    with pytest.raises(ConfigError, match=r"first_stage\.queries is empty: give the file"):
        configured("several").score(passages("a"), queries("x"))
