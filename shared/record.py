"""Records: one JSON file per run with everything needed to defend its numbers."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from shared.contracts import Score
from shared.errors import UserError, suggest
from shared.files import write_text_atomic
from shared.typed_json import read_as

KINDS = ("measured", "baseline", "replayed")
_LIBRARIES = (
    "accelerate",
    "gliner",
    "nervaluate",
    "numpy",
    "peft",
    "safetensors",
    "seqeval",
    "tokenizers",
    "torch",
    "transformers",
)
_ROOT = Path(__file__).resolve().parent.parent


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
class FileFacts:
    """A file beside the record."""

    name: str
    sha256: str


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
class Code:
    """The commit that ran, and whether the sources were as committed."""

    commit: str
    clean: bool


@dataclass(frozen=True)
class Hardware:
    """The machine; `cores` are those the process may use, `accelerator` is '' for none."""

    cpu: str
    cores: int
    threads: int
    memory_gib: float
    accelerator: str


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


@dataclass(frozen=True)
class Inference:
    """What prediction took: the rates in batches, the latencies one text at a time."""

    documents_per_second: float | None
    tokens_per_second: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    peak_memory_gib: float | None


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


def write_record(record: Record, path: Path) -> None:
    """Write the record as JSON, whole or not at all; raises `UserError` when it cannot be written."""
    text = json.dumps(asdict(record), indent=2, ensure_ascii=False, allow_nan=False)
    write_text_atomic(path, _NUMBERS.sub(_on_one_line, text) + "\n")


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


def digest_files(paths: Iterable[Path]) -> str:
    """Return the sha256 over the files' own sha256 digests, in the order given; names do not count."""
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def file_facts(path: Path) -> FileFacts:
    """Return the file's name and sha256."""
    return FileFacts(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def today() -> str:
    """Return the UTC date, as 2026-01-31."""
    return datetime.now(UTC).date().isoformat()


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on, where installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_state(root: Path = _ROOT) -> Code | None:
    """Return the commit at `root` and whether the tree is as committed; None when `root` is no git checkout.

    Published tables do not count as changes, so that a run measured while a row is being published is clean.
    """
    top = _git("rev-parse", "--show-toplevel", root=root)
    commit = _git("rev-parse", "--verify", "HEAD", root=root)
    changes = _git("status", "--porcelain", "--", ".", ":(exclude)leaderboards", root=root)
    if top is None or commit is None or changes is None or Path(top).resolve() != root.resolve():
        return None
    return Code(commit=commit, clean=not changes)


def machine(*, threads: int, accelerator: str = "") -> Hardware:
    """Return this machine as a record describes it; `threads` and `accelerator` are what the run used."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Hardware(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        threads=threads,
        memory_gib=round(memory / 2**30, 1),
        accelerator=accelerator,
    )


def _portable_path(value: str, places: Mapping[str, str]) -> str:
    path = Path(value).expanduser()
    for name, folder in places.items():
        if folder and path.is_relative_to(Path(folder).expanduser()):
            return f"<{name}>/{path.relative_to(Path(folder).expanduser()).as_posix()}"
    return value


_NUMBERS = re.compile(r"\[\s+(?:-?[\d.e+-]+,?\s+)+\]")


def _on_one_line(array: re.Match[str]) -> str:
    line = re.sub(r"\s+", " ", array[0]).replace("[ ", "[").replace(" ]", "]")
    return re.sub(r"\.0(?=[,\]])", "", line)  # counts are whole numbers


def _git(*arguments: str, root: Path) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    return found[1].strip() if found else platform.machine()
