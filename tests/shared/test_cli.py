import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from shared.help import VERBS
from tests.command_line import command_line
from tests.shared.short_base import SHORT_ENCODER

ROOT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.usefixtures("short_encoder")
TRAIN = ["train", *SHORT_ENCODER]
# Outside the data folder that the environment may name.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "RIGHTSIZE_DATA_DIR"}
ENVIRONMENT |= {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}


def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """`python -m tasks.ner WORDS` by an interpreter of its own, for what comes without torch."""
    return subprocess.run(
        [sys.executable, "-m", "tasks.ner", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )


def work(*words: str, cwd: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m tasks.ner WORDS`, torch imported already."""
    return command_line("tasks.ner", *words, cwd=cwd, given=given, environment=ENVIRONMENT)


def fastest(*words: str) -> float:
    """Seconds of the fastest of five runs: what other work on the machine adds is not the command's."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        run(*words)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


@pytest.fixture(scope="module")
def trained(short_encoder: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `runs` holds one short training on the sample corpus."""
    folder = tmp_path_factory.mktemp("cli")
    done = work(*TRAIN, "train=quick", "train.max_steps=12", cwd=folder)
    assert done.returncode == 0, done.stderr
    for said in ("split", "parameters: ", "estimate: ", "run: ", "with the same outputs", "95 % interval"):
        assert said in done.stdout
    return folder


@pytest.fixture(scope="module")
def evaluated(trained: Path) -> Path:
    """The same folder, its run scored on test."""
    done = work("evaluate", cwd=trained)
    assert done.returncode == 0, done.stderr
    return trained


def the_run(folder: Path) -> Path:
    (found,) = (folder / "runs" / "ner").glob("*/adapter")
    return found.parent


def test_help_names_every_verb_and_group_within_a_third_of_a_second() -> None:
    text = run("--help").stdout
    for name in (*VERBS, "finer_ord", "gliner_minilm", "r16", "ner/minilm_lora"):
        assert name in text
    assert fastest("--help") < 0.3


def test_a_verb_of_one_task_is_known_to_that_task_alone() -> None:
    summaries = [sys.executable, "-m", "tasks.summarization"]
    text = subprocess.run([*summaries, "--help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert "  style         derive a house style" in text
    assert "'style' is no verb" in run("style").stderr


def test_two_typos_are_both_reported_within_a_second_and_a_half() -> None:
    done = run("train", "data=finer_odr", "train.epoch=3")
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first == (
        "error: data=finer_odr: no such option (did you mean 'finer_ord'?); data is one of conll, finer_ord, "
        "jsonl, labelled, sample, wnut17"
    )
    assert second.startswith("error: train.epoch is unknown (did you mean 'train.epochs'?)")
    assert fastest("train", "data=finer_odr", "train.epoch=3") < 1.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "'trian' is no verb (did you mean 'train'?)"),
        (["train", "lora.r=many"], "lora.r='many'"),
        (["train", "lora.r"], "'lora.r' is no override"),
        (["train", "data=jsonl"], "data.train is empty"),
        (["train", "data=jsonl", "data.train=no.jsonl"], "no.jsonl: cannot be read"),
        (["evaluate", "split=tset"], "split='tset'; allowed: train, validation, test"),
        (["train", "baseline=dictionary"], "has nothing to train"),
        (["evaluate", "run=nowhere"], "run='nowhere' is no folder"),
        (["train", "resume=nowhere"], "'nowhere' is no folder"),
        (["compare", "one"], "compare takes two runs"),
        (["predict", "predict.format=pdf"], "predict.format='pdf'; allowed: jsonl, text, conll"),
    ],
)
def test_a_mistake_is_named_without_a_traceback(words: list[str], said: str, tmp_path: Path) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_public_data_that_is_nowhere_says_how_to_get_it(tmp_path: Path) -> None:
    done = run("train", "data=finer_ord", f"data_dir='{tmp_path}'", "data.train.url=http://127.0.0.1:9/x")
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert "RIGHTSIZE_DATA_DIR" in done.stderr


def test_a_config_is_printed_by_hydras_own_flag() -> None:
    done = run("train", "--cfg", "job", "lora.r=8")
    assert done.returncode == 0, done.stderr
    assert "r: 8" in done.stdout


def test_predict_reads_standard_input_and_keeps_the_order(trained: Path) -> None:
    done = work("predict", cwd=trained, given="Orla Bank fell.\n\nAnn Lee left Orla Bank.\n")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["0", "1", "2"]
    for row in rows:
        for span in row["spans"]:
            assert set(span) == {"start", "end", "label", "text", "probability"}


def test_predict_refuses_a_type_that_the_head_cannot_find(trained: Path) -> None:
    done = work("predict", "predict.types={ship: ship}", cwd=trained, given="The Alva sank.\n")
    assert done.returncode == 2
    assert "and nothing else; asked for: ship" in done.stderr


def test_evaluate_writes_the_record_the_errors_and_the_confusion_table(evaluated: Path) -> None:
    folder = the_run(evaluated)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert record["data"]["split"] == "test"
    assert record["training"]["steps"] == 12
    assert "wrong boundary" in (folder / "details.txt").read_text(encoding="utf-8")
    wrong = [json.loads(line) for line in (folder / "errors.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"id", "text", "missed", "spurious"} == set(wrong[0])


def test_publish_refuses_the_sample_corpus(evaluated: Path) -> None:
    done = work("publish", cwd=evaluated)
    assert done.returncode == 2
    assert "its data is 'sample'" in done.stderr


def test_a_board_of_ones_own_has_a_specialist_beside_another_systems_answers(evaluated: Path) -> None:
    run = the_run(evaluated)
    rows = [json.loads(line) for line in (run / "predictions-test.jsonl").read_text().splitlines()]
    stored = evaluated / "stored.jsonl"
    stored.write_text(
        "".join(json.dumps({"id": row["id"], "spans": row["spans"][:1]}) + "\n" for row in rows)
    )
    asked = ["baseline=answers", "baseline.name=Large", f"baseline.file='{stored}'", "runs_dir=others"]
    asked += [
        "baseline.priced_as=gpt-4o-2024-08-06",
        "baseline.input_tokens=400",
        "baseline.output_tokens=20",
    ]
    for words in (
        ["evaluate", *asked],
        ["publish", "runs_dir=others", "leaderboards_dir=board"],
        ["publish", "leaderboards_dir=board"],
    ):
        done = work(*words, cwd=evaluated)
        assert done.returncode == 0, done.stderr
    table = (evaluated / "board" / "ner.md").read_text(encoding="utf-8")
    assert "## sample" in table and "| Large " in table and "| all-MiniLM-L6-v2 " in table
    place = ["task=ner", "data=sample", "leaderboards_dir=board"]
    done = command_line("leaderboards", "decide", *place, "--json", cwd=evaluated, environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert {one["name"] for one in json.loads(done.stdout)["candidates"]} >= {"Large", "all-MiniLM-L6-v2"}
    done = command_line("leaderboards", "verify", place[-1], cwd=evaluated, environment=ENVIRONMENT)
    assert done.stdout == "every table, number and record agrees\n", done.stderr
    done = command_line("leaderboards", "rescore", place[-1], cwd=evaluated, environment=ENVIRONMENT)
    assert done.stdout.count(" again, ") == 2, done.stderr


def test_compare_lists_the_items_that_changed(evaluated: Path) -> None:
    answers = the_run(evaluated) / "predictions-test.jsonl"
    rows = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    nothing = evaluated / "nothing.jsonl"
    nothing.write_text("".join(json.dumps({"id": row["id"], "spans": []}) + "\n" for row in rows))
    done = work("compare", str(the_run(evaluated)), str(nothing), cwd=evaluated)
    assert done.returncode == 0, done.stderr
    assert "got worse" in done.stdout
    assert done.stdout.startswith(f"left:  {the_run(evaluated)}\nright: {nothing}\n")


def test_a_sweep_runs_every_combination(tmp_path: Path) -> None:
    done = work("evaluate", "-m", "baseline=dictionary", "split=validation,test", "seed=2,4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = [json.loads(path.read_text()) for path in (tmp_path / "runs" / "ner").glob("*/record.json")]
    found = [(record["data"]["split"], record["seed"]) for record in records]
    assert sorted(found) == [("test", 2), ("test", 4), ("validation", 2), ("validation", 4)]


def test_a_sweep_that_an_experiment_declares_is_trained_and_evaluated_run_by_run(tmp_path: Path) -> None:
    words = ["-m", "experiment=ner/learning_curve", "data=sample", "train.examples=5", "train.max_steps=1"]
    words += SHORT_ENCODER
    for verb in (["train"], ["evaluate", "run=same"]):
        done = work(*verb, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    paths = sorted((tmp_path / "runs" / "ner").glob("*/record.json"))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    assert [(record["seed"], record["training"]["examples"]) for record in records] == [
        (1, 5),
        (2, 5),
        (3, 5),
    ]
    assert {record["experiment"] for record in records} == {"ner/learning_curve"}


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_training_goes_on_to_the_weights_of_a_whole_one(
    kill: signal.Signals, trained: Path, tmp_path: Path
) -> None:
    words = [*TRAIN, "train=quick", "train.max_steps=12", "train.checkpoint_steps=1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tasks.ner", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ['PYTHONPATH']}"},
        preexec_fn=partial(
            signal.signal, signal.SIGINT, signal.SIG_DFL
        ),  # a job in the background ignores it
    )
    checkpoints = (tmp_path / "runs" / "ner").glob("*/checkpoint.pt")
    while process.poll() is None and next(iter(checkpoints), None) is None:
        time.sleep(0.01)
        checkpoints = (tmp_path / "runs" / "ner").glob("*/checkpoint.pt")
    process.send_signal(kill)
    _, errors = process.communicate()
    assert process.returncode == (130 if kill is signal.SIGINT else -signal.SIGKILL)
    assert kill is signal.SIGKILL or "resume=" in errors
    done = work("train", "resume=latest", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("adapter_model.safetensors", "head.safetensors"):
        assert (the_run(tmp_path) / "adapter" / name).read_bytes() == (
            the_run(trained) / "adapter" / name
        ).read_bytes()
    assert not (the_run(tmp_path) / "checkpoint.pt").exists()
