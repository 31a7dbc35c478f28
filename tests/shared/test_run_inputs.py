from pathlib import Path
from typing import Any

import pytest

from shared import runs
from shared.compose import compose_run
from shared.errors import ConfigError
from shared.run_inputs import of_run, told_reviewer

CHOOSER = ["model=minilm", "head=sentence_selection", "style=ectsum"]
WORDS = ["style=ectsum", "head.check.failed=drop"]


def run_of(folder: Path, *words: str) -> Path:
    """A run that was configured so."""
    config = compose_run("summarization", [*words])
    return runs.create_run(folder, task="summarization", digest=config.digest, config=config.resolved)


def told(run: Path, *overrides: str) -> Any:
    return told_reviewer(compose_run("summarization", [*overrides]), run, overrides)


def test_a_check_keeps_the_runs_settings_but_for_those_told_anew(tmp_path: Path) -> None:
    reviewer = told(run_of(tmp_path, *WORDS), "head.check.more=4", "split=validation")
    assert (reviewer.more, reviewer.failed.value, reviewer.style.name) == (4, "drop", "ectsum")


def test_what_is_told_anew_of_a_check_stands_in_the_configuration_of_what_follows(tmp_path: Path) -> None:
    run, words = run_of(tmp_path, *WORDS), ["head.check.more=4"]
    found = of_run(compose_run("summarization", words), run, words)
    assert found.resolved["head"]["check"]["more"] == 4
    assert found.resolved["head"]["check"]["failed"] == "drop"


def test_a_house_style_is_told_anew_to_the_check_and_to_the_metric(tmp_path: Path) -> None:
    run, words = run_of(tmp_path, *WORDS), ["style=brief", "style.bullets.max=7"]
    assert told(run, *words).style.name == "brief"
    found = of_run(compose_run("summarization", words), run, words)
    told_styles = (found.resolved["style"], found.resolved["head"]["check"]["style"])
    assert [style["bullets"]["max"] for style in told_styles] == [7, 7]
    assert found.metric.style.bullets.max == 7
    assert told(run_of(tmp_path, *WORDS, "head.check=null"), *words) is None


def test_a_head_that_writes_nothing_is_scored_by_another_style_too(tmp_path: Path) -> None:
    """The selector's settings know no check, and asking them for one was an error."""
    run, words = run_of(tmp_path, *CHOOSER), ["style=brief"]
    assert told(run, *words) is None
    assert of_run(compose_run("summarization", words), run, words).metric.style.name == "brief"


def test_where_nothing_is_told_the_bundles_own_check_stands(tmp_path: Path) -> None:
    assert told(run_of(tmp_path, *WORDS), "split=validation", "predict.check=false") is None


def test_a_run_without_a_check_cannot_be_given_settings_of_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"head\.check\.more: this run writes without a check"):
        told(run_of(tmp_path, "head.check=null"), "head.check.more=4")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "Dense"),
        (["data=dbpedia_entity_sample", "data.depth=5"], "Dense"),
        (["data=dbpedia_entity_sample", "first_stage=fusion"], "Fusion"),
        (["first_stage=fusion"], "Fusion"),
        (["experiment=reranking/financebench_fusion", "data.depth=5"], "Fusion"),
        (["data=dbpedia_entity_sample", "data.first_stage=null"], None),
    ],
)
def test_other_data_is_searched_as_the_runs_own_was(
    tmp_path: Path, words: list[str], expected: str | None
) -> None:
    own = compose_run("reranking", ["first_stage=minilm"])
    run = runs.create_run(tmp_path, task="reranking", digest=own.digest, config=own.resolved)
    found: Any = of_run(compose_run("reranking", words), run, words).data
    stage = found.first_stage
    assert (stage and stage["_target_"].rpartition(".")[2]) == expected


def test_an_experiment_tells_its_data_and_its_row(tmp_path: Path) -> None:
    own = compose_run("reranking", ["experiment=reranking/tat_qa_dual"])
    run = runs.create_run(tmp_path, task="reranking", digest=own.digest, config=own.resolved)
    words = ["experiment=reranking/financebench_dual"]
    found = of_run(compose_run("reranking", words), run, words)
    assert (found.data.name, found.row) == ("FinanceBench", "reranking/financebench_dual")
    assert found.title == "BM25 + MiniLM tuned on TAT-QA"
    assert found.head == own.head
