"""`predict` on a stream: texts in, JSON lines out, in order, in constant memory, resumable."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from shared.contracts import Engine, Head, ShowingHead
from shared.errors import DataError, UserError
from shared.evaluate import stream
from shared.files import decode_line
from shared.review_queue import open_queue
from shared.runs import counted
from shared.verb_config import PredictConfig

if TYPE_CHECKING:
    from shared.abstention import Gate

PIPE = "-"


Markdown = Callable[[Any, Any], str]  # (example, prediction) -> a piece of a page


class Reader(Protocol):
    """Turns lines of an input format into examples, one at a time."""

    def __call__(self, lines: Iterable[str], format: str, *, file: str) -> Iterator[Any]:
        """Yield the examples; raises `DataError` with the line."""


def predict_file(
    model: Engine,
    config: PredictConfig,
    *,
    read: Reader,
    markdown: Markdown | None = None,
    gate: Gate | None = None,
) -> int:
    """Write one JSON line per input text and return how many; flushed as they come.

    The input may be a folder: then each of its .txt files is a text. Where the output ends in .md, `markdown`
    writes the answers. The `gate`, if any, holds unsure answers back; texts with an answer that is not given
    are written to `abstained` as well, where a file is named. With `resume`, rows that the output already has
    whole are kept and their inputs skipped; a torn last row is redone.
    """
    write = _writer(model, config, markdown)
    format = "jsonl" if Path(config.input).is_dir() else config.format
    done, last = _rows_done(config)
    chunk = 1 if config.live or config.stream else config.chunk
    skipped = done // chunk * chunk  # whole chunks: the rest is predicted again in the batches it had
    count = 0
    with (
        _open_input(config.input) as lines,
        _open_output(config) as output,
        open_queue(config, done=done) as queue,
    ):
        source = read(lines, format, file=config.input)
        kept, examples = itertools.tee(itertools.islice(source, skipped, None))
        answers = stream(model, examples, batch_tokens=config.batch_tokens, chunk_size=chunk)
        pairs = zip(kept, answers, strict=True)
        numbered = enumerate(pairs if config.stream else counted(pairs, what="texts"), start=skipped + 1)
        for number, (example, prediction) in numbered:
            if number == done and example.id != last:
                raise UserError(
                    f"{config.output} ends with the answer to {last!r}, row {done} of {config.input} is "
                    f"{example.id!r}: it belongs to another input; choose another output"
                )
            if number <= done:
                continue
            prediction = gate.held_back(prediction) if gate else prediction
            # Why a whole answer is missing, or parts of it: not all predictions have both
            reason: str = getattr(prediction, "abstained", "") or getattr(prediction, "withheld", "")
            if queue and reason:
                queue.add(number, example, reason, answer=model.head.row(example, prediction))
            output.write(write(example, prediction))
            count += 1
            output.flush()
    return count


def show_writing(head: Head) -> None:
    """Let the head show on standard error what it writes; raises `UserError` where it writes nothing."""
    if not isinstance(head, ShowingHead):
        raise UserError("predict.stream=true: this head does not write; leave it away")
    head.show = _shown


def _shown(piece: str) -> None:
    sys.stderr.write(piece)
    sys.stderr.flush()


def _writer(model: Engine, config: PredictConfig, markdown: Markdown | None) -> Markdown:
    """Return what makes text of an answer."""
    if not config.output.endswith(".md"):
        return lambda example, answer: json.dumps(model.head.row(example, answer), ensure_ascii=False) + "\n"
    if markdown is None:
        raise UserError(f"predict.output={config.output}: this task writes JSON lines, no Markdown")
    if config.resume:
        raise UserError("predict.resume=true goes on in JSON lines alone: choose another predict.output")
    return markdown


def _rows_done(config: PredictConfig) -> tuple[int, str]:
    """Return how many whole rows the output has and the last one's id, cutting off a torn row behind it."""
    path = Path(config.output)
    if config.output == PIPE or not path.exists():
        return 0, ""
    if not config.resume:
        raise UserError(
            f"{path} exists already: remove it, choose another, or go on with predict.resume=true"
        )
    if config.input == PIPE:
        raise UserError(
            "predict.resume=true needs predict.input to be a file: standard input cannot be read again"
        )
    rows, whole, last = 0, 0, b""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            rows, whole, last = rows + 1, whole + len(line), line
    with path.open("rb+") as file:
        file.truncate(whole)
    return rows, _row_id(last, file=path, number=rows) if last else ""


def _row_id(line: bytes, *, file: Path, number: int) -> str:
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"no row that `predict` wrote: {line[:80]!r}", file=file, line=number) from error


@contextmanager
def _open_input(name: str) -> Iterator[Iterable[str]]:
    if name == PIPE:
        yield _decoded(sys.stdin.buffer, name="standard input")
        return
    if Path(name).is_dir():
        yield _texts_of_folder(Path(name))
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  closed below; an error of the block is not one of opening
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=name) from error
    with file:
        yield _decoded(file, name=name)


def _texts_of_folder(folder: Path) -> Iterator[str]:
    """Yield a JSON line for each .txt file, by name; its id is the file's name without the ending."""
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise DataError("no .txt file is in it", file=folder)
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot be read as UTF-8: {error}", file=file) from error
        yield json.dumps({"id": file.stem, "text": text}) + "\n"


def _decoded(lines: Iterable[bytes], *, name: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        yield decode_line(line, file=name, number=number)


@contextmanager
def _open_output(config: PredictConfig) -> Iterator[TextIO]:
    if config.output == PIPE:
        yield sys.stdout
        return
    try:
        with Path(config.output).open("a", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise UserError(f"cannot write {config.output}: {error}; go on with predict.resume=true") from error
