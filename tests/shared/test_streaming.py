import io
import json
import os
import random
import re
import select
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from shared.abstention import Gate
from shared.bases import find_base
from shared.compose import compose_run
from shared.encoder import load_encoder
from shared.errors import DataError, UserError
from shared.evaluate import FEWEST_TIMED, enough_to_time, infer, predict, predict_timed, stream
from shared.examples import AnomalyExample, SpanExample
from shared.fast_tokenizer import FastTokenizer
from shared.heads.embedding_density import EmbeddingDensityHead
from shared.model import Model, create_model
from shared.modules.anomaly_scorer import AnomalyScorer
from shared.promise import Usual
from shared.record import Promise
from shared.streaming import predict_file
from shared.verb_config import PredictConfig
from tasks.anomaly.data import read_stream as read_lines
from tasks.ner.data import read_stream

TEXTS = [
    "Zoë Ek joined Orla Bank in Zürich on the third of May, said the board.",
    "Rates fell.",
    "",
    "Bo Lind left Acme.",
    "Nordic Shipping of Oslo paid 3 % more for its two newest vessels.",
]


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    """Real weights below an untrained head: its spans mean nothing, but each text has its own.

    One thread: texts this small gain nothing from more, and threads wait for each other on a busy machine.
    """
    config = compose_run("ner", [])
    types = {"PER": "person", "ORG": "organization"}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield create_model(config.model, config.head, config.lora, types=types, seed=3)
    torch.set_num_threads(threads)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    return path


def settings(texts: Path | str, output: Path | str, **changes: Any) -> PredictConfig:
    """One text a batch unless changed, so that no answer depends on its neighbours' padding."""
    given = {
        "format": "text",
        "types": None,
        "explain": False,
        "batch_tokens": 1,
        "check": True,
        "chunk": 1024,
        "live": False,
        "resume": False,
    }
    given |= changes
    return PredictConfig(input=str(texts), output=str(output), **given)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_is_not_sure_enough_is_not_given_and_waits_for_a_person(
    model: Model, texts: Path, tmp_path: Path
) -> None:
    """The untrained head's spans have confidences around those of chance; the threshold divides them."""
    free, output, queue = tmp_path / "free.jsonl", tmp_path / "out.jsonl", tmp_path / "queue.jsonl"
    predict_file(model, settings(texts, free), read=read_stream)
    sure = sorted(span["probability"] for row in rows(free) for span in row["spans"])
    least = sure[len(sure) // 2]
    promise = Promise("spans", 0.05, 0.95, least, coverage=0.5, num=100, correlation=0.0)
    gate = Gate(promise, Usual(median=least, below=0.5, effective=100.0))
    asked = settings(texts, output, abstained=str(queue))
    predict_file(model, asked, read=read_stream, gate=gate)
    for before, after in zip(rows(free), rows(output), strict=True):
        given = [span for span in before["spans"] if span["probability"] >= least]
        assert after["spans"] == given
        assert after.get("abstained", False) == (given != before["spans"])
    waiting = rows(queue)
    assert [row["id"] for row in waiting] == [row["id"] for row in rows(output) if row.get("abstained")]
    assert waiting
    assert all(str(round(least, 3))[:4] in row["why"] for row in waiting)
    assert gate.report().startswith(f"given: {len([p for p in sure if p >= least])} of {len(sure)} spans")


@pytest.mark.parametrize("chunk", [2, 1024])
@pytest.mark.parametrize("batch_tokens", [1, 20, 4096])
def test_answers_keep_the_order_of_the_texts_across_batches_and_chunks(
    model: Model, texts: Path, tmp_path: Path, batch_tokens: int, chunk: int
) -> None:
    output = tmp_path / "out.jsonl"
    assert (
        predict_file(model, settings(texts, output, batch_tokens=batch_tokens, chunk=chunk), read=read_stream)
        == 5
    )
    found = rows(output)
    assert [row["id"] for row in found] == ["0", "1", "2", "3", "4"]
    assert [bool(row["spans"]) for row in found] == [True, True, False, True, True]
    for row, text in zip(found, TEXTS, strict=True):
        assert all(span["text"] == text[span["start"] : span["end"]] != "" for span in row["spans"])


def test_a_folder_is_read_file_by_file_in_the_order_of_names(model: Model, tmp_path: Path) -> None:
    folder, output = tmp_path / "news", tmp_path / "out.jsonl"
    folder.mkdir()
    for name in ("b.txt", "a.txt", "notes.md"):
        (folder / name).write_text(TEXTS[0], encoding="utf-8")
    assert predict_file(model, settings(folder, output), read=read_stream) == 2
    first, second = rows(output)
    assert (first["id"], second["id"]) == ("a", "b")
    assert first["spans"] == second["spans"]


def test_a_folder_without_texts_or_with_one_that_is_no_utf8_is_an_error(model: Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.txt file is in it"):
        predict_file(model, settings(tmp_path, tmp_path / "out.jsonl"), read=read_stream)
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"a\.txt: cannot be read as UTF-8"):
        predict_file(model, settings(tmp_path, tmp_path / "other.jsonl"), read=read_stream)


def test_markdown_is_written_where_the_task_has_it_and_refused_elsewhere(
    model: Model, texts: Path, tmp_path: Path
) -> None:
    page = tmp_path / "found.md"
    predict_file(
        model, settings(texts, page), read=read_stream, markdown=lambda example, _: f"- {example.id}\n"
    )
    assert page.read_text(encoding="utf-8") == "- 0\n- 1\n- 2\n- 3\n- 4\n"
    with pytest.raises(UserError, match="this task writes JSON lines, no Markdown"):
        predict_file(model, settings(texts, tmp_path / "other.md"), read=read_stream)
    assert not (tmp_path / "other.md").exists()
    with pytest.raises(UserError, match="goes on in JSON lines alone"):
        predict_file(model, settings(texts, page, resume=True), read=read_stream, markdown=lambda *_: "")


@pytest.mark.parametrize("kept", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("torn", [0, 1, 15, -1])
def test_a_resumed_file_equals_the_uninterrupted_one(
    model: Model, texts: Path, tmp_path: Path, kept: int, torn: int
) -> None:
    """The output is cut after `kept` rows and `torn` bytes of the next, -1 being all but its newline."""
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    predict_file(model, settings(texts, whole), read=read_stream)
    lines = [*whole.read_bytes().splitlines(keepends=True), b""]
    parts.write_bytes(b"".join(lines[:kept]) + lines[kept][:torn])
    assert predict_file(model, settings(texts, parts, resume=True), read=read_stream) == 5 - kept
    assert parts.read_bytes() == whole.read_bytes()


def test_a_resumed_file_keeps_the_last_digit_where_texts_share_batches(model: Model, tmp_path: Path) -> None:
    """Padding moves the last bits of a probability, so a resumed run needs the batches of the whole one."""
    texts, whole, parts = (tmp_path / name for name in ("texts.txt", "whole.jsonl", "parts.jsonl"))
    generator, words = random.Random(0), TEXTS[0].split()
    lines = [generator.choices(words, k=generator.randint(3, 30)) for _ in range(60)]
    texts.write_text("".join(f"{' '.join(line)}\n" for line in lines), encoding="utf-8")
    predict_file(model, settings(texts, whole, batch_tokens=512), read=read_stream)
    parts.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:20]))
    predict_file(model, settings(texts, parts, batch_tokens=512, resume=True), read=read_stream)
    assert parts.read_bytes() == whole.read_bytes()


def test_resuming_without_an_output_starts_anew(model: Model, texts: Path, tmp_path: Path) -> None:
    assert predict_file(model, settings(texts, tmp_path / "new.jsonl", resume=True), read=read_stream) == 5


@pytest.mark.parametrize(
    ("given", "resume", "problem"),
    [
        ("texts.txt", False, "exists already"),
        ("-", False, "exists already"),
        ("-", True, "cannot be read again"),
    ],
)
def test_an_output_that_exists_is_never_overwritten(
    model: Model, texts: Path, tmp_path: Path, given: str, resume: bool, problem: str
) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text('{"id": "0"}\n{"i')
    with pytest.raises(UserError, match=problem):
        predict_file(model, settings(given, output, resume=resume), read=read_stream)
    assert output.read_text() == '{"id": "0"}\n{"i'


def test_texts_are_read_at_most_a_chunk_ahead_of_the_rows_written(
    model: Model, texts: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    ahead: list[int] = []

    def counting(lines: Iterable[str], format: str, *, file: str) -> Iterator[SpanExample]:
        for number, example in enumerate(read_stream(lines, format, file=file), start=1):
            ahead.append(number - len(rows(output)))
            yield example

    predict_file(model, settings(texts, output, chunk=2), read=counting)
    assert ahead == [1, 2, 1, 2, 1]


@pytest.mark.parametrize(
    ("content", "line", "place"),
    [
        (b"Ada\nB\xffo\nCy\n", 2, "byte 0xff at column 2"),
        (b"Ada\nBo\n\xe9", 3, "byte 0xe9 at column 1"),
        (b"\xef\xbb\xbfAda\xff\n", 1, "byte 0xff"),
    ],
    ids=["middle", "end", "behind a BOM"],
)
def test_invalid_utf8_names_the_byte_and_the_line(
    model: Model, tmp_path: Path, content: bytes, line: int, place: str
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(f"{texts}:{line}: not UTF-8: {place}")):
        predict_file(model, settings(texts, tmp_path / "out.jsonl"), read=read_stream)


def test_a_bad_line_can_be_mended_and_the_run_resumed(model: Model, tmp_path: Path) -> None:
    texts, output = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
    texts.write_text('{"id": "a", "text": "Ada"}\n{"id": "b"}\n')
    config = settings(texts, output, format="jsonl", resume=True, chunk=1)
    with pytest.raises(DataError, match=r'texts\.jsonl:2: no "text"'):
        predict_file(model, config, read=read_stream)
    assert [row["id"] for row in rows(output)] == ["a"]
    texts.write_text('{"id": "a", "text": "Ada"}\n{"id": "b", "text": "Bo"}\n')
    assert predict_file(model, config, read=read_stream) == 1
    assert [row["id"] for row in rows(output)] == ["a", "b"]


def test_a_missing_input_is_a_data_error_and_makes_no_output(model: Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt: cannot be read: No such file"):
        predict_file(model, settings(tmp_path / "none.txt", tmp_path / "out.jsonl"), read=read_stream)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_a_user_error(model: Model, texts: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"):
        predict_file(model, settings(texts, tmp_path / "none" / "out.jsonl"), read=read_stream)


def test_standard_input_goes_to_standard_output(
    model: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfAda\r\nBo")))
    assert predict_file(model, settings("-", "-"), read=read_stream) == 2
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in found] == ["0", "1"]
    assert {span["text"] for row in found for span in row["spans"]} <= {"Ada", "Bo"}


NORMAL = [f"pump {number} of hall {number % 7} is ok" for number in range(60)]
ODD = "pump 9 of hall 2 is leaking"
LOG = [NORMAL[3], NORMAL[8], NORMAL[3], ODD, NORMAL[3], ODD, NORMAL[12], NORMAL[8]]
WAIT_SECONDS = 60  # for an answer that never comes


class ReadingHead(EmbeddingDensityHead):
    """The head, and in order each text that it was given to read."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.read: list[str] = []

    def encode(self, examples: Sequence[AnomalyExample]) -> Any:
        self.read += [text for example in examples for text in example.texts]
        return super().encode(examples)


@pytest.fixture(scope="module")
def taught() -> Model:
    """MiniLM as it is, shown half of the normal lines and held out the others."""
    config = compose_run("anomaly", ["head.false_alarms=0.05"])
    base = find_base(config.model)
    encoder, tokenizer = load_encoder(base)
    module = AnomalyScorer(encoder.config.hidden_size, scale=config.head.scale)
    read = FastTokenizer.of(tokenizer)
    head = ReadingHead(config.head, types=config.data.types(), tokenizer=read, module=module)
    model = Model(encoder, head, tokenizer, config=config.model, base=base)
    for tell, texts in ((head.measure, NORMAL[::2]), (head.tune, NORMAL[1::2])):
        examples = [AnomalyExample(str(place), (text,), False) for place, text in enumerate(texts)]
        features = head.encode(examples)
        tell(examples, features, infer(model, features, batch_tokens=4096))
    return model


@pytest.fixture
def watch(taught: Model) -> Model:
    """The taught model, to whose head no text was given yet."""
    taught.head.read.clear()  # type: ignore[attr-defined]
    return taught


def write_log(folder: Path, lines: Sequence[str] = LOG) -> Path:
    path = folder / "app.log"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("chunk", [1, 3, 1024])
def test_equal_texts_are_read_once_and_each_has_its_answer_in_order(
    watch: Model, tmp_path: Path, chunk: int
) -> None:
    output = tmp_path / "out.jsonl"
    config = settings(write_log(tmp_path), output, batch_tokens=4096, chunk=chunk)
    assert predict_file(watch, config, read=read_lines) == 8
    found = rows(output)
    assert [row["id"] for row in found] == [str(place) for place in range(8)]
    assert [row["alarm"] for row in found] == [line == ODD for line in LOG]
    for row, line in zip(found, LOG, strict=True):
        first = found[LOG.index(line)]
        assert {**row, "id": ""} == {**first, "id": ""}
    assert found[3]["text"] == ODD and found[3]["parts"][0]["text"] == "leaking"
    words = ODD.split()
    probes = [" ".join([*words[:place], "[UNK]", *words[place + 1 :]]) for place in range(len(words))]
    assert sorted(watch.head.read) == sorted([NORMAL[3], NORMAL[8], NORMAL[12], ODD, *probes])


def test_few_texts_are_timed_several_times_over_and_answered_once(watch: Model) -> None:
    few = [AnomalyExample(str(place), (text,), False) for place, text in enumerate(NORMAL[:3])]
    predictions, speed, coverage = predict_timed(watch, few, batch_tokens=4096)
    timed = -(-FEWEST_TIMED // len(few)) * len(few)
    warmed_up = answered = alone = len(few)
    assert len(watch.head.read) == warmed_up + timed + answered + alone
    assert predictions == predict(watch, few, batch_tokens=4096)
    assert speed.windows_per_second == pytest.approx(speed.documents_per_second)
    assert coverage.windows == len(few)


@pytest.mark.parametrize(("count", "timed"), [(1, 16), (4, 16), (5, 20), (16, 16), (40, 40)])
def test_what_is_timed_is_a_full_batch_at_least_and_no_id_comes_twice(count: int, timed: int) -> None:
    examples = [AnomalyExample(str(place), (text,), False) for place, text in enumerate(NORMAL[:count])]
    found = enough_to_time(examples)
    assert found[:count] == examples
    assert len({example.id for example in found}) == len(found) == timed
    assert [example.texts for example in found] == [e.texts for e in examples] * (timed // count)


def test_windows_are_equal_where_all_their_texts_are(watch: Model, tmp_path: Path) -> None:
    texts = tmp_path / "windows.jsonl"
    windows = [[NORMAL[3], NORMAL[8]], [NORMAL[8], NORMAL[3]], [NORMAL[3], NORMAL[8]]]
    texts.write_text("".join(json.dumps({"texts": window}) + "\n" for window in windows))
    predict_file(watch, settings(texts, tmp_path / "out.jsonl", format="jsonl"), read=read_lines)
    assert watch.head.read == [NORMAL[3], NORMAL[8], NORMAL[8], NORMAL[3]]


def test_only_so_many_answers_are_remembered_the_oldest_forgotten_first(
    watch: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.evaluate.REMEMBERED", 2)
    one, two, three = NORMAL[:3]
    lines = [one, two, one, three, two, three, one]
    examples = [AnomalyExample(str(place), (line,)) for place, line in enumerate(lines)]
    answers = list(stream(watch, examples, batch_tokens=64, chunk_size=1))
    assert watch.head.read == [one, two, three, one]
    assert [answer.id for answer in answers] == ["0", "1", "2", "3", "4", "5", "6"]


def test_what_is_remembered_does_not_grow_with_the_stream(
    watch: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.evaluate.REMEMBERED", 5)
    examples = (AnomalyExample(str(place), (f"{NORMAL[3]} {place}",)) for place in range(40))
    answers: Any = stream(watch, examples, batch_tokens=4096, chunk_size=4)
    sizes = [len(answers.gi_frame.f_locals["known"]) for _ in answers]
    assert max(sizes) == 9  # five of before, and the chunk's own


def test_a_live_line_is_answered_before_the_next_is_read(watch: Model, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    written: list[int] = []

    def counting(lines: Iterable[str], format: str, *, file: str) -> Iterator[AnomalyExample]:
        for example in read_lines(lines, format, file=file):
            written.append(len(rows(output)))
            yield example

    predict_file(watch, settings(write_log(tmp_path), output, live=True), read=counting)
    assert written == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_live_alarm_comes_while_the_log_still_grows(watch: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log and the answers are pipes: each line is written once the answer to the one before is there."""
    log, log_end = os.pipe()
    answers, answers_end = os.pipe()
    with (
        os.fdopen(log) as given,
        os.fdopen(log_end, "w") as growing,
        os.fdopen(answers) as coming,
        os.fdopen(answers_end, "w") as written,
    ):
        monkeypatch.setattr(sys, "stdin", given)
        monkeypatch.setattr(sys, "stdout", written)
        config = settings("-", "-", live=True)
        watcher = threading.Thread(
            target=predict_file, args=(watch, config), kwargs={"read": read_lines}, daemon=True
        )
        watcher.start()
        alarms = []
        for line in LOG:
            growing.write(f"{line}\n")
            growing.flush()
            assert select.select([coming], [], [], WAIT_SECONDS)[0]
            alarms.append(json.loads(coming.readline())["alarm"])
        growing.close()
        watcher.join()
    assert alarms == [line == ODD for line in LOG]


def test_a_resumed_file_of_a_log_has_the_answers_of_the_uninterrupted_one(
    watch: Model, tmp_path: Path
) -> None:
    """What was remembered is read anew, beside other texts, which may move the last digits of a score."""
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    log = write_log(tmp_path)
    predict_file(watch, settings(log, whole, chunk=3), read=read_lines)
    parts.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:4]))
    predict_file(watch, settings(log, parts, resume=True, chunk=3), read=read_lines)
    for one, other in zip(rows(whole), rows(parts), strict=True):
        same = ("id", "alarm", "p_value", "template")
        assert [one.get(name) for name in same] == [other.get(name) for name in same]
        assert other["score"] == pytest.approx(one["score"], abs=1e-3)
