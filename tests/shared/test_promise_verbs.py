"""Promises from training to a person's queue, on the sample corpus with real weights."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared import commands, promise_verbs, runs, train_verb
from shared.adapters import read_manifest
from shared.compose import compose_run
from shared.config import RunConfig
from shared.errors import ConfigError, UserError
from shared.examples import SummaryPrediction
from shared.promise import Promises, read_promises
from shared.provenance import machine
from shared.record import read_record
from shared.train import Fitted
from tests.shared.bundles import write_bundle
from tests.shared.short_base import SHORT, SHORT_ENCODER

pytestmark = pytest.mark.usefixtures("short_encoder")
QUICK = [*SHORT_ENCODER, "train=quick", "train.epochs=3", "hardware.threads=1"]


@pytest.fixture(scope="module")
def trained(short_encoder: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    config = told(tmp_path_factory.mktemp("runs"), *QUICK, "promise.risks=[0.01,0.5]")
    return train_verb.train(config, overrides=QUICK)


def told(runs_dir: Path, *words: str) -> RunConfig:
    return compose_run("ontology", [f"runs_dir={runs_dir}", *words])


def promised(run: Path) -> Promises:
    (own,) = read_promises(read_manifest(run / runs.BUNDLE)["promises"])
    return own


def test_training_promises_what_validation_allows(trained: Path) -> None:
    own = promised(trained)
    assert own.unit == "facets"
    assert [promise.risk for promise in own.promises] == [0.01, 0.5]
    assert own.promises[0].threshold is None  # few answers cannot promise one wrong in a hundred
    assert own.promises[1].threshold is not None


def test_calibrate_makes_other_promises_and_changes_no_weight(trained: Path) -> None:
    before = read_manifest(trained / runs.BUNDLE)
    words = ["promise.risks=[0.4,0.5]"]
    promise_verbs.calibrate(told(trained.parents[1], f"run={trained}", *words), overrides=words)
    after = read_manifest(trained / runs.BUNDLE)
    assert after["files"] == before["files"]
    assert [promise.risk for promise in promised(trained).promises] == [0.4, 0.5]


@pytest.mark.parametrize("keep", ["train.keep=last", "train.keep=best"])
def test_a_bundle_has_the_thresholds_of_the_weights_that_were_kept(keep: str, tmp_path: Path) -> None:
    """Fitted by its own answers once more they are the same, merged weights or not."""
    words = [*QUICK, keep]
    run = train_verb.train(told(tmp_path, *words), overrides=words)
    fitted = read_manifest(run / runs.BUNDLE)["decoding"]
    promise_verbs.calibrate(told(tmp_path, f"run={run}"), overrides=[])
    assert fitted and read_manifest(run / runs.BUNDLE)["decoding"] == pytest.approx(fitted, rel=1e-3)


@pytest.mark.usefixtures("short_base")
def test_calibrate_lets_the_bundle_keep_a_check_and_a_style_told_anew(tmp_path: Path) -> None:
    words = ["head.prompt_tokens=48", "head.max_new_tokens=12", "head.batch_rows=2", "lora.layers=2", *SHORT]
    trained = compose_run("summarization", [*words, "head.check.kinds=false"])
    run = runs.create_run(tmp_path, task="summarization", digest=trained.digest, config=trained.resolved)
    write_bundle(run / runs.BUNDLE, "summarization", [*words, "head.check.kinds=false"], validation=[])
    counts = {"trainable": 1, "frozen": 2, "total": 3}
    here = machine(threads=1)
    runs.write_training(run, fitted=Fitted(), parameters=counts, num_examples=1, hardware=here)
    told_anew = ["head.check.kinds=true", "head.check.more=2", "style.bullets.max=3"]
    config = compose_run("summarization", [f"run={run}", f"runs_dir={tmp_path}", *told_anew])
    promise_verbs.calibrate(config, overrides=told_anew)
    check = read_manifest(run / runs.BUNDLE)["head"]["check"]
    assert (check["kinds"], check["more"], check["style"]["bullets"]["max"]) == (True, 2, 3)
    stored = runs.read_run_config(run)
    assert stored["head"]["check"] == check
    assert stored["style"] == stored["task"]["metric"]["style"] == check["style"]
    given = runs.read_predictions(runs.predictions_path(run, "validation"))
    assert all(len(own.bullets) <= 3 for own in given if isinstance(own, SummaryPrediction))


def test_evaluate_judges_the_bundles_promises_and_resplit_tells_how_often_they_hold(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = told(trained.parents[1], f"run={trained}")
    commands.evaluate(config, overrides=[])
    kept = read_record(trained / runs.RECORD).promises
    assert tuple(own.promise for own in kept) == promised(trained).promises
    assert all(0 <= own.coverage <= 1 for own in kept)
    capsys.readouterr()
    words = ["promise.divisions=6", "promise.risks=[0.5]"]
    promise_verbs.resplit(told(trained.parents[1], f"run={trained}", *words), overrides=words)
    assert "at most 50% of facets given are wrong" in capsys.readouterr().out
    words = ["promise.out_of_scope=0.2"]
    with pytest.raises(ConfigError, match=r"both parts of a division have the share of all texts"):
        promise_verbs.resplit(told(trained.parents[1], f"run={trained}", *words), overrides=words)


def test_predict_gives_what_keeps_the_promise_and_queues_the_rest(trained: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("Shares of Orla Bank fell\nRain is expected in the hills\nThe fund bought bonds\n" * 4)
    output, queue = tmp_path / "out.jsonl", tmp_path / "queue.jsonl"
    words = [
        f"predict.input={texts}",
        f"predict.output={output}",
        f"predict.abstained={queue}",
        "predict.risk=0.5",
    ]
    commands.predict(told(trained.parents[1], f"run={trained}", *words), overrides=words)
    least = promised(trained).promises[-1].threshold
    assert least is not None
    answers: list[dict[str, Any]] = [json.loads(line) for line in output.read_text().splitlines()]
    waiting = [json.loads(line)["id"] for line in queue.read_text().splitlines()]
    assert len(answers) == 12
    for answer in answers:
        for facet in answer["facets"]:
            if "value" not in facet and not facet["abstained"]:
                assert facet["probability"] >= least
    held = [a["id"] for a in answers if any(facet.get("abstained") for facet in a["facets"])]
    assert waiting == held


def test_a_promise_that_was_not_made_is_refused_before_any_text_is_read(
    trained: Path, tmp_path: Path
) -> None:
    words = ["predict.input=nowhere.txt", f"predict.output={tmp_path / 'out.jsonl'}", "predict.risk=0.07"]
    with pytest.raises(
        UserError, match=r"promises risks of .*; calibrate run=\.\.\. promise\.risks=\[0\.07\]"
    ):
        commands.predict(told(trained.parents[1], f"run={trained}", *words), overrides=words)


def test_evaluate_refuses_such_a_promise_before_it_answers_and_keeps_the_record(trained: Path) -> None:
    words = ["predict.risk=0.07"]
    commands.evaluate(told(trained.parents[1], f"run={trained}"), overrides=[])
    before = (trained / runs.RECORD).read_bytes()
    with pytest.raises(UserError, match="promises risks of"):
        commands.evaluate(told(trained.parents[1], f"run={trained}", *words), overrides=words)
    assert (trained / runs.RECORD).read_bytes() == before
