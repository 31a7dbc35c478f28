import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared import commands, runs, train_verb
from shared.compose import compose_run
from shared.errors import DataError, UserError
from tasks.retrieval import bootstrap as steps
from tasks.retrieval import verbs
from tasks.retrieval.trec import read_run
from tests.shared.short_base import SHORT, SHORT_ENCODER

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("short_encoder")
QUICK = [*SHORT_ENCODER, "head=dual_encoding", "data.depth=0", "train.max_steps=2", "hardware.threads=1"]
QUICK += ["head.negatives=1", "train.batch_tokens=600"]


@pytest.fixture(scope="module")
def trained(short_encoder: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs that holds one trained and evaluated on the sample."""
    folder = tmp_path_factory.mktemp("runs")
    words = [*QUICK, f"runs_dir={folder}"]
    train_verb.train(compose_run("reranking", words), overrides=words)
    commands.evaluate(compose_run("reranking", words), overrides=words)
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def search(folder: Path, text: str, *words: str) -> list[dict[str, Any]]:
    given, found = folder / "queries.txt", folder / "answers.jsonl"
    given.write_text(text, encoding="utf-8")
    found.unlink(missing_ok=True)
    overrides = ["hardware.threads=1", f"predict.input={given}", f"predict.output={found}", *words]
    verbs.search(compose_run("reranking", overrides), overrides=overrides)
    return lines(found)


def test_a_search_answers_from_all_passages_as_the_data_finds_them(trained: Path, tmp_path: Path) -> None:
    data = compose_run("reranking", []).data
    query, example = (data.collection("test").queries[0], data.load("test")[0])
    texts = {passage.id: passage.whole for passage in example.passages}
    found = search(tmp_path, f"{query.text}\nwho signs the visitors' book?\n", f"runs_dir={trained}")
    assert [row["id"] for row in found] == ["0", "1"]
    assert len(found[0]["passages"]) == len(data.passages("test")) == 54  # all, as the run was trained
    best = found[0]["passages"][0]
    assert best["text"] == texts[best["id"]] and 0 <= best["probability"] <= 1
    assert next(iter(query.grades)) in [passage["id"] for passage in found[0]["passages"][:3]]


def test_queries_to_search_for_are_checked_line_by_line(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'queries\.txt:2: "query" is empty'):
        search(tmp_path, "a pump\n\n", f"runs_dir={trained}")
    twice = '{"id": "a", "query": "x"}\n{"id": "a", "query": "y"}\n'
    with pytest.raises(DataError, match=r"queries\.txt:2: id 'a' stands on line 1 too"):
        search(tmp_path, twice, "predict.format=jsonl", f"runs_dir={trained}")
    with pytest.raises(DataError, match=r"queries\.txt:4: id 'a' stands on line 1 too"):
        search(tmp_path, twice.replace("\n", "\n\n\n", 1), "predict.format=jsonl", f"runs_dir={trained}")
    with pytest.raises(DataError, match=r"queries\.txt:1: the query has 1,000,000 characters"):
        search(tmp_path, "x" * 1_000_000 + "\n", f"runs_dir={trained}")


def test_an_evaluated_run_is_written_as_a_trec_run(trained: Path) -> None:
    words = [*QUICK, f"runs_dir={trained}"]
    verbs.trec(compose_run("reranking", words), overrides=words)
    folder = runs.find_run("latest", runs_dir=trained, task="reranking")
    found = read_run(folder / "test.trec")
    predictions: Any = runs.read_predictions(runs.predictions_path(folder, "test"))
    assert {name: tuple(scores) for name, scores in found.items()} == {
        answer.id: answer.ranked for answer in predictions
    }


def test_needs_are_the_queries_of_a_split(capsys: pytest.CaptureFixture[str]) -> None:
    config = compose_run("reranking", ["split=validation"])
    verbs.needs(config, overrides=[])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 12 and set(rows[0]) == {"id", "text"}


def test_a_bootstrap_goes_on_from_what_is_there_and_ends_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a generator would have written lies there already: its queries are people's, of train."""
    folder = tmp_path / "bootstrap"
    words = [*QUICK, f"runs_dir={tmp_path}/runs", f"bootstrap.folder={folder}", "bootstrap.generator=unused"]
    config = compose_run("reranking", words)
    asked = {name: query.text for query in config.data.collection("train").queries for name in query.grades}
    folder.mkdir()
    rows = [{"id": f"{name}#0", "queries": [text]} for name, text in asked.items()]
    (folder / steps.WRITTEN).write_text("".join(json.dumps(row) + "\n" for row in rows))
    verbs.bootstrap(config, overrides=words)
    said = capsys.readouterr().out
    assert f"{folder}/pieces.jsonl: written" in said and f"{folder}/written.jsonl: there already" in said
    assert "test, sample" in said
    judged = lines(folder / steps.JUDGED)
    kept_data: Any = compose_run("reranking", ["data=beir", f"data.folder={folder}/beir"]).data
    validating = kept_data.collection("validation").queries
    held_out = {name for query in validating for name in query.grades}
    late = {row["passage"] for row in judged if row["rank"] > 3}
    assert late & held_out and late - held_out
    kept = [row["query"] for row in judged if row["rank"] <= 3 or row["passage"] in held_out]
    assert sorted(row["text"] for row in lines(folder / "beir" / "queries.jsonl")) == sorted(kept)
    assert len(read_run(folder / steps.CANDIDATES)) + len(validating) == len(kept)
    verbs.bootstrap(config, overrides=words)
    again = capsys.readouterr().out
    assert "trained already" in again and "written\n" not in again


@pytest.mark.usefixtures("short_base")
def test_a_generator_writes_for_the_pieces_that_are_left(tmp_path: Path) -> None:
    """Four tokens hold no whole line: nothing is asked, and training has nothing to learn from."""
    words = [*SHORT, "train=none", "lora=head", f"runs_dir={tmp_path}/runs", "hardware.threads=1"]
    words += [f"head.{name}" for name in ("max_new_tokens=4", "passage_tokens=24", "batch_rows=2")]
    generator = train_verb.train(compose_run("query_generation", words), overrides=words)
    folder = tmp_path / "bootstrap"
    folder.mkdir()
    torn = '{"id": "velden-sustainability-3#0", "queries": ["kept"]}\n{"id"'
    (folder / "written.partial.jsonl").write_text(torn)
    words = [f"runs_dir={tmp_path}/runs", f"bootstrap.folder={folder}", "bootstrap.pieces=2"]
    words += [f"bootstrap.generator={generator}", "hardware.threads=1"]
    with pytest.raises(UserError, match="too few queries find their passage again"):
        verbs.bootstrap(compose_run("reranking", words), overrides=words)
    pieces, written = lines(folder / steps.PIECES), lines(folder / steps.WRITTEN)
    assert [row["id"] for row in written] == [piece["id"] for piece in pieces]
    assert [row["queries"] for row in written] == [["kept"], []]
    assert not (folder / "written.partial.jsonl").exists() and not (folder / steps.BEIR).exists()


def test_a_bootstrap_without_a_generator_says_how_to_get_one(tmp_path: Path) -> None:
    config = compose_run("reranking", [f"bootstrap.folder={tmp_path}/b"])
    with pytest.raises(UserError, match=r"bootstrap\.generator is empty.*task=query_generation"):
        verbs.bootstrap(config, overrides=[])


def test_the_package_has_two_tasks_and_a_third_is_refused() -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tasks.retrieval", *words]
        return subprocess.run(
            command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
        )

    assert (
        "python -m tasks.retrieval VERB task=query_generation [OVERRIDE"
        in run("--help", "task=query_generation").stdout
    )
    wrong = run("train", "task=rerankin")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        "error: task=rerankin: no such task (did you mean 'reranking'?); here: reranking, query_generation\n"
    )
