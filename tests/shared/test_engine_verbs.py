"""Verbs with an engine in place of torch, on a run that was trained on the sample corpus."""

import json
import shutil
from pathlib import Path

import pytest

from shared import commands, runs, train_verb
from shared.compose import compose_run
from shared.config import RunConfig
from shared.engines import chosen_engine
from shared.errors import ConfigError, UserError
from shared.export_verb import export
from shared.promise_verbs import calibrate
from shared.record import read_record
from tests.shared.short_base import SHORT_ENCODER

pytestmark = pytest.mark.usefixtures("short_encoder")
QUICK = [*SHORT_ENCODER, "train=quick", "train.epochs=3", "hardware.threads=1"]
TEXT = "Orla Bank said on Friday that Ann Lee will lead its Oslo office."


@pytest.fixture(scope="module")
def run(short_encoder: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with an export, scored by torch and by the export."""
    runs_dir = tmp_path_factory.mktemp("runs")
    folder = train_verb.train(told(runs_dir, *QUICK), overrides=QUICK)
    export(told(runs_dir), overrides=[])
    commands.evaluate(told(runs_dir), overrides=[])
    commands.evaluate(told(runs_dir, "engine=onnx"), overrides=["engine=onnx"])
    return folder


def told(runs_dir: Path, *words: str) -> RunConfig:
    return compose_run("ner", [f"runs_dir={runs_dir}", *words])


def test_an_exports_record_is_a_row_of_its_own_beside_torchs(run: Path) -> None:
    torch, own = (read_record(run / folder / runs.RECORD) for folder in (".", "exports/onnx"))
    assert own.name == f"{torch.name}, ONNX Runtime"
    assert own.id != torch.id and own.config_digest == torch.config_digest
    assert own.scores["f1"] == torch.scores["f1"]
    assert own.export is not None and torch.export is None
    assert (own.export.format, own.export.changed, own.export.forced) == ("onnx", 0.0, "")
    assert own.export.faster > 0 and own.export.mib == pytest.approx(66, abs=2)


def test_predict_answers_by_the_engine_it_is_told(run: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(TEXT + "\n")
    rows = {}
    for engine in ("torch", "onnx"):
        words = [f"engine={engine}", f"run={run}", f"predict.input={tmp_path}/in.txt"]
        commands.predict(told(run.parents[1], *words, f"predict.output={tmp_path}/{engine}"), overrides=words)
        rows[engine] = json.loads((tmp_path / engine).read_text())
    spans = [[(span["start"], span["end"], span["label"]) for span in row["spans"]] for row in rows.values()]
    assert spans[0] == spans[1]
    assert rows["onnx"]["probability"] == pytest.approx(rows["torch"]["probability"], abs=1e-4)


def test_the_fastest_engine_is_the_one_that_was_measured_here(run: Path) -> None:
    manifest = run / "exports" / "onnx" / "export.json"
    facts = json.loads(manifest.read_text())
    proof = facts["proof"]

    def chosen(**changes: object) -> str:
        manifest.write_text(json.dumps({**facts, "proof": {**proof, **changes}}))
        try:
            return chosen_engine(run, "auto", task="ner", threads=1)
        finally:
            manifest.write_text(json.dumps(facts, indent=2, ensure_ascii=False))

    assert chosen(documents_per_second=20.0, torch_documents_per_second=10.0) == "onnx"
    assert chosen(documents_per_second=10.0, torch_documents_per_second=20.0) == "torch"
    for changes in ({"cpu": "another"}, {"threads": 2}, {"forced": "it cost too much"}):
        with pytest.raises(
            UserError, match=r"engine=auto: no export of .* was measured on .* with 1 threads"
        ):
            chosen(**changes)
    assert chosen_engine(run, "openvino", task="ner", threads=1) == "openvino"


def test_an_export_answers_alone_where_it_was_copied_to(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "exports" / "onnx", tmp_path / "alone")
    (tmp_path / "in.txt").write_text(TEXT + "\n")
    words = [f"run={tmp_path}/alone", f"predict.input={tmp_path}/in.txt", f"predict.output={tmp_path}/out"]
    commands.predict(told(tmp_path, *words), overrides=words)
    assert json.loads((tmp_path / "out").read_text())["id"] == "0"


def test_an_export_of_a_bundle_that_was_calibrated_anew_is_refused(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    words = [f"run={copy}", "promise.confidence=0.5"]
    calibrate(told(tmp_path, *words), overrides=words)
    words = [f"run={copy}", "engine=onnx", "predict.input=nowhere"]
    with pytest.raises(UserError, match=r"onnx was made before .* was calibrated anew.*export\.format=onnx"):
        commands.predict(told(tmp_path, *words), overrides=words)


def test_what_was_not_exported_is_refused_before_anything_is_read(run: Path) -> None:
    words = [f"run={run}", "engine=openvino", "predict.input=nowhere"]
    with pytest.raises(UserError, match=r"there: onnx.*export\.format=openvino"):
        commands.predict(told(run.parents[1], *words), overrides=words)
    with pytest.raises(ConfigError, match=r"export\.format='onx'; allowed: merged, onnx, onnx_int8"):
        told(run.parents[1], "export.format=onx")


def test_a_format_that_is_not_for_the_head_says_so(run: Path) -> None:
    asked = told(run.parents[1], f"run={run}", "export.format=gguf")
    with pytest.raises(UserError, match=r"export\.format=gguf is not for a head that finds .*: merged, onnx"):
        export(asked, overrides=[])
    assert not (run / "exports" / "gguf").exists()
