"""Records: one JSON file per run with everything needed to defend its numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shared.contracts import Score
from shared.errors import UserError, suggest
from shared.files import write_text_atomic
from shared.provenance import Code, FileFacts, Hardware
from shared.typed_json import read_as

KINDS = ("measured", "baseline", "replayed")
PREDICTIONS = ".predictions.jsonl"  # behind the id of a published record: the file of its answers


@dataclass(frozen=True)
class DataFacts:
    """What was scored; `digest` is `digest_files` over the files the split was read from."""

    name: str
    licence: str
    split: str
    digest: str
    num_examples: int
    num_documents: int


@dataclass(frozen=True)
class MetricFacts:
    """Which code gave the scores; `main` names the one that orders the table."""

    name: str
    version: str
    main: str


@dataclass(frozen=True)
class Counts:
    """The additive parts of the metric, so that intervals and paired tests need the records alone.

    `rows` maps each document to numbers, group by group: for groups (PER, LOC) and columns (tp, predicted,
    gold) a row is PER tp, PER predicted, PER gold, LOC tp, LOC predicted, LOC gold.
    """

    groups: list[str]
    columns: list[str]
    rows: dict[str, list[float]]


@dataclass(frozen=True)
class BaseFacts:
    """The pretrained weights; `sha256` is None where only the revision pins them."""

    hub_id: str
    revision: str
    sha256: str | None
    licence: str


@dataclass(frozen=True)
class Parameters:
    """How many weights there are; total = trainable + frozen."""

    total: int
    trainable: int
    frozen: int


@dataclass(frozen=True)
class Training:
    """What training took; `validation` is the best validation value of the main score."""

    wall_seconds: float
    steps: int
    epochs: float
    tokens_per_second: float
    peak_memory_gib: float | None
    validation: float | None
    notes: dict[str, Any] = field(default_factory=dict)
    examples: int | None = None  # how many it trained on; None in older records
    hardware: Hardware | None = None  # the machine; None in older records, where it is that of the record


@dataclass(frozen=True)
class Inference:
    """What prediction took: the rates in batches, the latencies one text at a time."""

    documents_per_second: float | None
    tokens_per_second: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    peak_memory_gib: float | None
    windows_per_second: float | None = None  # pieces that the model read; None in older records


@dataclass(frozen=True)
class Energy:
    """Energy of training; `method` says how it was measured, or why it was not."""

    watt_hours: float | None
    method: str


@dataclass(frozen=True)
class Cost:
    """The price of training; `source` says where the hourly price comes from, or why there is none."""

    dollars_per_hour: float | None
    training_dollars: float | None
    source: str


@dataclass(frozen=True)
class Reliability:
    """How far the confidences of answers can be trusted, see `shared.reliability`; numbers to six digits.

    `coverage_at` maps a risk in percent to the largest share of the answers, the surest first, of which at
    most that many are wrong. It describes this split; a threshold chosen so promises nothing elsewhere.
    """

    unit: str  # what the answers are: spans, facets, queries
    num: int
    ece: Score
    brier: Score
    aurc: float
    coverage_at: dict[str, float]
    bins: list[list[float]]  # mean confidence, share right, number
    curve: list[list[float]]  # share of the answers that is kept, the surest first, and share wrong of it
    ece_raw: Score | None = None  # of the same answers before calibration; None where that is not known
    brier_raw: Score | None = None


@dataclass(frozen=True)
class Promise:
    """Of the answers with at least this confidence at most `risk` are wrong, see `shared.promise`."""

    unit: str  # what the answers are: spans, texts, facets, queries
    risk: float
    confidence: float  # with which it holds
    threshold: float | None  # None: validation allows no such promise, and no answer is given
    coverage: float  # share of validation's answers that reach it
    num: int  # of validation's answers
    correlation: float  # of the errors of a document, see `shared.proportions`


@dataclass(frozen=True)
class Kept:
    """What became of a promise on other texts than it was made by."""

    promise: Promise
    num: int  # answers there
    coverage: float  # share of them that was given
    risk: Score | None  # share of those given that is wrong; None where none was given
    drift: float | None  # the chance of confidences so unlike validation's

    @property
    def verdict(self) -> str:
        """How it stands: 'kept', 'within chance' (wrong answers may be as few) or 'broken'.

        Where nothing was promised it is 'no promise', and 'no answer' where no confidence reached it.
        """
        if self.promise.threshold is None:
            return "no promise"
        if self.risk is None:
            return "no answer"
        if self.risk.value <= self.promise.risk:
            return "kept"
        return "within chance" if (self.risk.low or 0.0) <= self.promise.risk else "broken"


@dataclass(frozen=True)
class ExportFacts:
    """What was proven of an export beside the torch model, on validation in one run on one machine."""

    format: str  # the engine it is made for
    bundle: str  # sha256 of the manifest of the bundle it was made from
    mib: float  # of its files
    faster: float  # documents a second, as a multiple of torch's
    sooner: float  # torch's median time of one text, as a multiple of its own
    changed: (
        float | None
    )  # share of the answers on this split that are not torch's; None if these are unknown
    full_precision: int  # layers of an 8-bit export that stayed in float32
    forced: str  # why it would have been refused, '' for no reason


@dataclass(frozen=True)
class Record:
    """Everything needed to defend the numbers of one run."""

    id: str  # <experiment or name>-seed<k>-<digest>, see `record_id`
    kind: str  # one of KINDS
    name: str  # the row it belongs to
    task: str
    experiment: str  # such as ner/minilm_lora, a path below conf/experiment; '' for none
    data: DataFacts
    metric: MetricFacts
    scores: dict[str, Score]
    counts: Counts | None  # None where the metric is not a function of sums over documents
    predictions: FileFacts
    config: dict[str, Any]  # resolved, see `portable_config`
    config_digest: str
    base: BaseFacts | None
    parameters: Parameters | None
    seed: int
    code: Code | None  # None outside a git checkout
    versions: dict[str, str]
    hardware: Hardware
    coverage: dict[str, Any]  # texts_beyond_window, windows, lost_spans, unparsed_share, ...
    training: Training | None
    inference: Inference | None
    energy: Energy
    cost: Cost
    created: str  # UTC date, see `today`
    reliability: Reliability | None = None  # None where answers have no confidence
    promises: list[Kept] = field(default_factory=list)  # none where the bundle makes none
    export: ExportFacts | None = None  # None where torch answered


def write_record(record: Record, path: Path) -> None:
    """Write the record as JSON, whole or not at all; raises `UserError` when it cannot be written."""
    _write(asdict(record), path)


def write_trust(path: Path, found: Reliability | None, kept: Sequence[Kept]) -> None:
    """Put what is found of the confidences into the record's file; an older one may stay without promises."""
    value = json.loads(path.read_text(encoding="utf-8"))
    value["reliability"] = None if found is None else asdict(found)
    if kept or "promises" in value:
        value["promises"] = [asdict(own) for own in kept]
    _write(value, path)


def add_scores(path: Path, scores: Mapping[str, Score]) -> None:
    """Put scores into the record's file that it does not have."""
    value = json.loads(path.read_text(encoding="utf-8"))
    value["scores"] |= {name: asdict(score) for name, score in scores.items()}
    _write(value, path)


def read_record(path: Path) -> Record:
    """Return the record in the file; raises `UserError` naming a key that is missing, unknown or mistyped."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable record: {error}") from error
    record: Record = read_as(Record, value, file=path)
    if record.kind not in KINDS:
        close = suggest(record.kind, KINDS)
        raise UserError(f"{path}: kind is {record.kind!r}{close}; allowed: {', '.join(KINDS)}")
    return record


def record_id(name: str, *, seed: int, digest: str) -> str:
    """Return `<name>-seed<k>-<digest>` with only letters, digits, dots and hyphens, fit for a file name."""
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-').lower()}-seed{seed}-{digest}"


def portable_config(resolved: Mapping[str, Any], *, places: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration without this machine's folders.

    `places` maps a name to its folder, such as data_dir to /home/me/data: keys of these names are dropped at
    any depth, and a path below such a folder becomes `<data_dir>/...`.
    """

    def portable(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: portable(item) for key, item in value.items() if key not in places}
        if isinstance(value, list):
            return [portable(item) for item in value]
        return _portable_path(value, places) if isinstance(value, str) else value

    return {str(key): portable(item) for key, item in resolved.items() if key not in places}


def _portable_path(value: str, places: Mapping[str, str]) -> str:
    path = Path(value).expanduser()
    for name, folder in places.items():
        if folder and path.is_relative_to(Path(folder).expanduser()):
            return f"<{name}>/{path.relative_to(Path(folder).expanduser()).as_posix()}"
    return value


def _write(value: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text_atomic(path, _NUMBERS.sub(_on_one_line, text) + "\n")


_NUMBERS = re.compile(r"\[\s+(?:-?[\d.e+-]+,?\s+)+\]")


def _on_one_line(array: re.Match[str]) -> str:
    line = re.sub(r"\s+", " ", array[0]).replace("[ ", "[").replace(" ]", "]")
    return re.sub(r"\.0(?=[,\]])", "", line)  # counts are whole numbers
