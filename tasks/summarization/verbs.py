"""The verbs of this task alone: derive a house style, check texts of any origin, show a run on a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from re import sub
from typing import Any

from shared import runs
from shared.config import RunConfig
from shared.errors import ConfigError, DataError, UserError
from shared.examples import SummaryExample, aligned
from shared.files import decode_line, read_lines
from shared.record import read_record
from shared.run_inputs import of_run
from shared.table_files import STREAMS, Fault, check_known, parse_object, read_cell
from shared.typed_config import typed
from shared.verb_config import PredictConfig
from tasks.summarization import data
from tasks.summarization.derive import derive_style, style_yaml
from tasks.summarization.evidence import Source
from tasks.summarization.faults import Rules
from tasks.summarization.page import page
from tasks.summarization.style import HouseStyle, check_style

REPORT = "report.html"
_PIPE = "-"
_KEYS = ("id", "document", "summary")

Lines = Iterator[tuple[int, str]]  # line number from 1, line


def style(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Print the house style of the training summaries, as a file for a person to edit."""
    name = sub(r"\W+", "_", config.data.name.lower())
    runs.say(style_yaml(derive_style(config.data.load("train"), name=name)).rstrip("\n"))


def check(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Print what summaries of any origin break; exit code 1 where one breaks anything.

    They are read from `predict.input`: as `text`, a bullet a line and a blank line between summaries, or as
    `jsonl`, {"summary", "document"?, "id"?}; figures and names are looked up in a document that is given.
    """
    rules, passed = _rules(config), []
    for summary in _read_summaries(config.predict):
        faults = _faults(rules, summary)
        passed.append(not faults)
        for fault in faults:
            runs.say(f"{summary.id}: {fault}")
    if not passed:
        raise DataError("no summary in it", file=config.predict.input)
    runs.say(f"{sum(passed)} of {len(passed)} summaries keep the style {rules.style.name}")
    if not all(passed):
        raise SystemExit(1)


def report(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Write a page with documents of an evaluated run's split into its folder: our bullets, sources, gold."""
    folder = runs.find_run(config.run, runs_dir=config.runs_dir, task=config.task.name, holding=runs.RECORD)
    config = of_run(config, folder, overrides)
    record = read_record(folder / runs.RECORD)
    if record.data.split != config.split:
        raise UserError(
            f"{folder / runs.RECORD} is of {record.data.split}, not of {config.split}: "
            f"evaluate run={folder} split={config.split}, or report with split={record.data.split}"
        )
    predictions: list[Any] = runs.read_predictions(runs.predictions_path(folder, config.split))
    pairs = aligned(config.data.load(config.split), predictions)
    runs.write_text(
        folder / REPORT, page(pairs, run=folder.resolve().name, record=record, rules=_rules(config))
    )
    runs.say(f"page: {folder / REPORT}; it holds text of {record.data.name} ({record.data.licence})")


def _rules(config: RunConfig) -> Rules:
    return Rules(typed(config.resolved["style"], HouseStyle, path="style"))


def _faults(rules: Rules, summary: SummaryExample) -> Sequence[object]:
    if summary.sentences:
        return rules.faults(summary.bullets, Source.of(summary))
    return check_style(summary.bullets, style=rules.style)


def _read_summaries(config: PredictConfig) -> Iterator[SummaryExample]:
    """Yield the summaries of the input; one without an id is called by its file and line."""
    if config.format not in STREAMS:
        raise ConfigError([f"predict.format={config.format} holds no summaries; use: {', '.join(STREAMS)}"])
    file, lines = _opened(config.input)
    yield from (_of_text if config.format == "text" else _of_rows)(lines, file)


def _opened(name: str) -> tuple[str, Lines]:
    if name != _PIPE:
        return name, read_lines(Path(name))
    file, numbered = "standard input", enumerate(sys.stdin.buffer, start=1)
    return file, ((number, decode_line(line, file=file, number=number)) for number, line in numbered)


def _of_text(lines: Lines, file: str) -> Iterator[SummaryExample]:
    for filled, block in groupby(lines, key=lambda numbered: bool(numbered[1].strip())):
        if filled:
            numbers, bullets = zip(*block, strict=True)
            yield SummaryExample(
                f"{file}:{numbers[0]}", (), tuple(" ".join(text.split()) for text in bullets)
            )


def _of_rows(lines: Lines, file: str) -> Iterator[SummaryExample]:
    for number, line in lines:
        if line.strip():
            fault = partial(DataError, file=file, line=number)
            yield _of_row(parse_object(line, fault), f"{file}:{number}", fault)


def _of_row(row: Mapping[str, Any], place: str, fault: Fault) -> SummaryExample:
    check_known(row, _KEYS, fault, noun="key")
    bullets = data.check_filled(data.read_pieces(row, "summary", fault), "summary", fault)
    sentences: tuple[str, ...] = ()
    if "document" in row:
        sentences = data.check_filled(data.read_sentences(row, "document", fault), "document", fault)
    return SummaryExample(read_cell(row, "id") or place, sentences, bullets)
