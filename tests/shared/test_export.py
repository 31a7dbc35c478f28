"""Exports of every head over an encoder: the same logits without torch, proven in a process of their own."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared import adapters
from shared.bundle_manifest import read_manifest
from shared.compose import compose_run
from shared.contracts import Arrays, Features
from shared.engines import engine_folder, engine_place, load_engine
from shared.errors import BundleError, UserError
from shared.evaluate import infer, predict
from shared.export import Source, fault, write_export
from shared.export_proof import Proof, proof_text
from shared.exported import GRAPH, MANIFEST, load_export
from shared.verb_config import ExportConfig
from tests.shared.bundles import BATCH_TOKENS, write_bundle
from tests.shared.short_base import SHORT_ENCODER

pytestmark = pytest.mark.usefixtures("short_encoder")

HEADS = {
    "token_classification": ("ner", []),
    "span_extraction": ("ner", ["model=gliner_minilm", "head.max_width=4"]),
    "sequence_classification": ("ontology", []),
    "embedding_density": ("anomaly", []),
    "sentence_selection": ("summarization", ["model=minilm", "head=sentence_selection"]),
    "dual_encoding": ("reranking", ["head=dual_encoding"]),
    "pair_scoring": ("reranking", ["head=pair_scoring", "head.depth=3"]),
}
ASKED = ExportConfig(format="onnx", budget=0.003, force=False)
FEW = 12
PROOF = Proof(
    num_examples=10,
    score="f1",
    torch=0.8,
    export=0.8,
    low=-0.01,
    high=0.01,
    p=1.0,
    changed=0.0,
    largest_gap=0.0,
    torch_documents_per_second=10.0,
    documents_per_second=40.0,
    torch_latency_p50_ms=8.0,
    latency_p50_ms=2.0,
    threads=1,
    cpu="one",
)


def source_of(folder: Path, task: str, overrides: list[str], *, few: int = FEW) -> Source:
    """A bundle of the sample data, with all that an export of it is measured by."""
    config = compose_run(task, overrides)
    validation = config.data.load("validation")
    validation = validation if task == "anomaly" else validation[:few]  # that one needs both kinds
    write_bundle(folder, task, overrides, validation=validation)
    return Source(
        model=adapters.load_bundle(folder),
        bundle=folder,
        training=config.data.load("train"),
        validation=validation,
        metric=config.metric.bind(config.data.types()),
        promise=config.promise,
        batch_tokens=BATCH_TOKENS,
        threads=1,
    )


@pytest.fixture(scope="module")
def tagger(short_encoder: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Path]:
    """A run with a bundle and an export of it."""
    run = tmp_path_factory.mktemp("tagger")
    source = source_of(run / "adapter", "ner", SHORT_ENCODER)
    (run / "exports" / "onnx").mkdir(parents=True)
    write_export(source, run / "exports" / "onnx", asked=ASKED)
    return source, run


MERGED_HEADS = ("token_classification", "span_extraction")


@pytest.mark.parametrize(
    ("head", "format"), [*((head, "onnx") for head in HEADS), *((head, "merged") for head in MERGED_HEADS)]
)
def test_an_export_of_each_head_answers_as_torch_does(head: str, format: str, tmp_path: Path) -> None:
    task, words = HEADS[head]
    source = source_of(tmp_path / "bundle", task, [*words, *SHORT_ENCODER])
    proof = write_export(source, tmp_path, asked=replace(ASKED, format=format))
    assert proof.changed == 0.0 and proof.largest_gap < 1e-4
    exported = load_export(tmp_path, threads=1)
    expected = [answer.key for answer in predict(source.model, source.validation, batch_tokens=BATCH_TOKENS)]
    found = predict(exported, source.validation, batch_tokens=BATCH_TOKENS)
    assert [answer.key for answer in found] == expected
    example = source.validation[0]
    row = exported.head.row(example, found[0])
    assert set(row) - {"export"} == set(source.model.head.row(example, found[0]))


@pytest.mark.parametrize("format", ["onnx_int8", "openvino", "openvino_int8"])
def test_the_other_engines_answer_nearly_alike(
    format: str, tagger: tuple[Source, Path], tmp_path: Path
) -> None:
    source, run = tagger
    proof = write_export(source, tmp_path, asked=replace(ASKED, format=format, budget=1.0))
    exact = format == "openvino"
    assert proof.largest_gap < (1e-4 if exact else 3.0) and (proof.largest_gap == 0.0) is False
    small = (tmp_path / GRAPH).stat().st_size / (run / "exports" / "onnx" / GRAPH).stat().st_size
    assert small == pytest.approx(1.0) if exact else small < 0.3


def test_an_export_is_read_and_answers_without_torch_and_transformers(tagger: tuple[Source, Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from shared.exported import load_export\n"
        "from shared.evaluate import predict; from tasks.ner.data import read_stream\n"
        "model = load_export(Path(sys.argv[1]), threads=1)\n"
        "examples = list(read_stream(['Orla Bank fell.'], 'text', file='-'))\n"
        "print(len(predict(model, examples, batch_tokens=100)))\n"
        "print([name for name in ('torch', 'transformers', 'peft') if name in sys.modules])"
    )
    folder = str(tagger[1] / "exports" / "onnx")
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["1", "[]"]


@pytest.mark.parametrize(("batch_tokens", "threads"), [(1, 3), (10_000, 1)], ids=["many", "few"])
def test_onnx_runtime_computes_many_batches_side_by_side(
    batch_tokens: int, threads: int, tagger: tuple[Source, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the logits are those of one thread; a batch waits until as many others are under way as may be."""
    source, run = tagger
    engine = load_export(run / "exports" / "onnx", threads=3)
    features = 2 * engine.head.encode(source.validation)[:FEW]
    together, collate, callers = threading.Barrier(threads, timeout=60), engine.head.collate, set()

    def collate_together(windows: Sequence[Features]) -> Arrays:
        callers.add(threading.get_ident())
        together.wait()
        return collate(windows)

    monkeypatch.setattr(engine.head, "collate", collate_together)
    found = infer(engine, features, batch_tokens=batch_tokens)
    alone = load_export(run / "exports" / "onnx", threads=1)
    expected = infer(alone, features, batch_tokens=batch_tokens)
    assert len(callers) == threads
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, other, atol=3e-5)


def test_an_error_in_one_of_many_batches_ends_them_all(
    tagger: tuple[Source, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, run = tagger
    engine = load_export(run / "exports" / "onnx", threads=2)
    features, collate = engine.head.encode(source.validation) * 50, engine.head.collate
    calls = itertools.count(1)

    def fail_at_third(windows: Sequence[Features]) -> Arrays:
        if next(calls) == 3:
            raise UserError("no third one")
        return collate(windows)

    monkeypatch.setattr(engine.head, "collate", fail_at_third)
    with pytest.raises(UserError, match="no third one"):
        infer(engine, features, batch_tokens=1)
    assert next(calls) < len(features)  # those not begun were given up


def test_merged_weights_are_read_by_transformers_alone(tmp_path: Path) -> None:
    """In a process that never sees this project, peft, or the base."""
    source = source_of(tmp_path / "bundle", "ontology", SHORT_ENCODER)
    (tmp_path / "merged").mkdir()
    write_export(source, tmp_path / "merged", asked=replace(ASKED, format="merged"))
    code = (
        "import sys, torch; from transformers import AutoModel, AutoTokenizer\n"
        "model, tokenizer = (kind.from_pretrained(sys.argv[1]) for kind in (AutoModel, AutoTokenizer))\n"
        "with torch.no_grad():\n"
        "    found = model.eval()(**tokenizer('Orla Bank fell.', return_tensors='pt')).last_hidden_state\n"
        "print(float(found.double().sum()), [name for name in ('peft', 'shared') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "merged")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    backbone: Any = source.model.backbone
    with torch.no_grad():
        expected = backbone(**source.model.tokenizer("Orla Bank fell.", return_tensors="pt"))
    value, modules = done.stdout.split(" ", 1)
    assert float(value) == pytest.approx(float(expected.last_hidden_state.double().sum()), rel=1e-5)
    assert modules.strip() == "[]"


def test_openvino_reports_to_nobody(tagger: tuple[Source, Path], tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from shared.exported import openvino_graph\n"
        "openvino_graph(Path(sys.argv[1]), 1)"
    )
    graph, home = str(tagger[1] / "exports" / "onnx" / GRAPH), {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, graph], env=home, check=True)
    assert list(tmp_path.iterdir()) == []  # its reporter keeps an id there


def test_an_engine_that_was_not_exported_is_refused_with_the_command_that_makes_it(
    tagger: tuple[Source, Path],
) -> None:
    run = tagger[1]
    assert engine_folder(run, "torch", task="ner") == run / "adapter"
    assert engine_folder(run, "onnx", task="ner") == run / "exports" / "onnx"
    with pytest.raises(UserError, match=r"there: onnx.*tasks\.ner export run=.* export\.format=openvino"):
        engine_place(run, "openvino", task="ner")
    with pytest.raises(UserError, match="did you mean 'onnx'"):
        engine_place(run, "onyx", task="ner")


def test_a_damaged_graph_is_refused(tagger: tuple[Source, Path], tmp_path: Path) -> None:
    for file in (tagger[1] / "exports" / "onnx").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / GRAPH).write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"model\.onnx is damaged"):
        load_engine(tmp_path, threads=1)


def test_an_export_names_its_bundle_and_says_what_was_proven(tagger: tuple[Source, Path]) -> None:
    source, run = tagger
    facts = json.loads((run / "exports" / "onnx" / MANIFEST).read_text(encoding="utf-8"))
    assert facts["bundle"] == source.model.head.source["bundle"]
    assert facts["proof"]["num_examples"] == len(source.validation)
    assert load_export(run / "exports" / "onnx", threads=1).head.source["bundle"] == facts["bundle"]


@pytest.mark.parametrize(
    ("changes", "format", "expected"),
    [
        ({"export": 0.7971}, "onnx_int8", ""),
        ({"export": 0.7969}, "onnx_int8", "takes f1 on validation from 0.8000 to 0.7969"),
        ({"largest_gap": 0.5}, "onnx_int8", ""),
        ({"largest_gap": 0.5}, "onnx", "gives logits up to 0.5 from those of torch"),
    ],
)
def test_an_export_is_refused_that_costs_more_than_the_budget_or_is_not_the_same(
    changes: dict[str, Any], format: str, expected: str
) -> None:
    found = fault(replace(PROOF, **changes), replace(ASKED, format=format))
    assert (expected in found) if expected else found == ""


def test_an_export_beyond_the_budget_leaves_nothing_unless_forced_and_then_is_marked(
    tagger: tuple[Source, Path], tmp_path: Path
) -> None:
    source, _ = tagger
    with pytest.raises(UserError, match=r"more than export\.budget=0\.003; export\.force=true"):
        write_export(replace(source, metric=Falling(source.metric)), tmp_path, asked=ASKED)
    (tmp_path / "forced").mkdir()
    asked = replace(ASKED, force=True)
    proof = write_export(replace(source, metric=Falling(source.metric)), tmp_path / "forced", asked=asked)
    assert (proof.torch, proof.export) == (1.0, 0.5)
    assert "FORCED" in proof_text(proof)
    assert read_manifest(tmp_path / "forced", name=MANIFEST)["proof"]["forced"] == proof.forced


class Falling:
    """A metric that is 1, 1/2, 1/3 and so on: each system that it scores is worse than the one before."""

    def __init__(self, metric: Any) -> None:
        self.metric, self.main, self.asked = metric, metric.main, 0

    def quick(self, examples: Any, predictions: Any) -> float:
        self.asked += 1
        return 1 / self.asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self.metric, name)
