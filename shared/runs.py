"""The folder a run leaves behind, and what a person sees while it works."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

import yaml

from shared.errors import UserError
from shared.example_rows import prediction_row, read_prediction
from shared.examples import Prediction
from shared.files import read_yaml, write_json_atomic, write_text_atomic
from shared.help import command
from shared.provenance import Hardware

CONFIG, LOG, TRAINING, RECORD = "config.yaml", "log.jsonl", "training.json", "record.json"
BUNDLE, ERRORS, DETAILS = "adapter", "errors.jsonl", "details.txt"
CHECKPOINT = "checkpoint.pt"  # of a training that has not ended
LATEST, SAME = "latest", "same"

Item = TypeVar("Item")
MAKERS = {
    BUNDLE: ("train", "makes one"),
    RECORD: ("evaluate", "makes one"),
    CHECKPOINT: ("train", "leaves one when it is interrupted"),
}


def create_run(runs_dir: Path, *, task: str, digest: str, config: dict[str, Any]) -> Path:
    """Return a new folder `runs/<task>/<time>-<digest>` that holds the resolved configuration."""
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = runs_dir / task / f"{time}-{digest}"
    attempt = 1
    while folder.exists():  # two runs of one second, as in a sweep
        attempt += 1
        folder = runs_dir / task / f"{time}-{digest}-{attempt}"
    write_run_config(folder, config)
    return folder


def find_run(run: str, *, runs_dir: Path, task: str, holding: str = BUNDLE) -> Path:
    """Return the run's folder: a path, a name below `runs/<task>`, or `latest`, the newest with `holding`."""
    below = runs_dir / task
    if run == LATEST:
        return _newest(below.glob("*"), holding=holding, where=f"{below} has no run", task=task)
    for folder in (Path(run), below / run):
        if folder.is_dir():
            return folder
    names = ", ".join(sorted(path.name for path in below.glob("*"))) or "none"
    raise UserError(f"run={run!r} is no folder; runs in {below}: {names}")


def find_same(digest: str, *, runs_dir: Path, task: str, holding: str = BUNDLE) -> Path:
    """Return the newest run of a configuration with `holding`; raises `UserError` where there is none."""
    found = runs_of(digest, runs_dir=runs_dir, task=task)
    return _newest(
        found, holding=holding, where=f"{runs_dir / task} has no run of this configuration", task=task
    )


def runs_of(digest: str, *, runs_dir: Path, task: str) -> list[Path]:
    """Return the runs of a configuration, oldest first."""
    return sorted((runs_dir / task).glob(f"*-{digest}*"))


def _newest(folders: Iterable[Path], *, holding: str, where: str, task: str) -> Path:
    complete = sorted(folder for folder in folders if (folder / holding).exists())
    if not complete:
        verb, does = MAKERS[holding]
        raise UserError(f"{where} with {holding}: {command(task, verb)} {does}")
    return complete[-1]


def read_run_config(folder: Path) -> dict[str, Any]:
    """Return the resolved configuration the run was made with."""
    path = folder / CONFIG
    if not path.is_file():
        raise UserError(f"{folder} is not a run: it has no {CONFIG}")
    config: dict[str, Any] = read_yaml(path)
    return config


def write_run_config(folder: Path, config: dict[str, Any]) -> None:
    """Write the resolved configuration of a run."""
    write_text_atomic(folder / CONFIG, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))


def predictions_path(folder: Path, split: str) -> Path:
    """Return where a run keeps its predictions on a split."""
    return folder / f"predictions-{split}.jsonl"


def write_text(path: Path, text: str) -> None:
    """Write a text and a final newline, whole or not at all."""
    write_text_atomic(path, text + "\n")


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line, the file whole or not at all."""
    write_text_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_predictions(folder: Path, split: str, predictions: Sequence[Prediction]) -> Path:
    """Write ids and answers, no text."""
    path = predictions_path(folder, split)
    write_rows(path, map(prediction_row, predictions))
    return path


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions of a file; raises `UserError` with the line that does not fit."""
    predictions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            predictions.append(read_prediction(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            expected = (
                '{"id": ..., "spans": [{"start": ..., "end": ..., "label": ...}]} or '
                '{"id": ..., "facets": [{"facet": ..., "concepts": [...]}]} or '
                '{"id": ..., "bullets": [{"text": ..., "sources": [...]}], "abstained": ...}'
            )
            raise UserError(f"{path}:{number}: no prediction: {error}; expected {expected}") from error
    return predictions


def write_training(
    folder: Path,
    *,
    fitted: FittedSoFar,
    parameters: dict[str, int],
    num_examples: int,
    hardware: Hardware,
) -> None:
    """Write what the training cost and reached, for the record that `evaluate` makes."""
    training = {
        "wall_seconds": round(fitted.wall_seconds, 1),
        "steps": fitted.steps,
        "epochs": fitted.epochs,
        "tokens_per_second": round(fitted.tokens_per_second, 1),
        "peak_memory_gib": round(peak_memory_gib(), 3),
        "validation": fitted.best_score if fitted.scores else None,
        "notes": {
            "best_epoch": fitted.best_epoch,
            "validation_by_epoch": fitted.scores,
            **({"steps_left_out": fitted.left_out} if fitted.left_out else {}),
        },
        "examples": num_examples,
        "hardware": asdict(hardware),
    }
    write_json_atomic(folder / TRAINING, {"training": training, "parameters": parameters})


def read_training(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what `write_training` wrote; raises `UserError` when the training never ended."""
    path = folder / TRAINING
    if not path.is_file():
        raise UserError(
            f"{folder} has no {TRAINING}: its training did not end; go on with train resume={folder}"
        )
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def peak_memory_gib() -> float:
    """Return the most memory this process has held, in GiB: of the GPU where torch uses one."""
    torch: Any = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        return float(torch.cuda.max_memory_reserved()) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def counted(items: Iterable[Item], *, what: str) -> Iterator[Item]:
    """Yield the items, with their number and the time on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        for item in items:
            yield item
            bar.advance(task)


class FittedSoFar(Protocol):
    """What progress and `training.json` tell of a training."""

    best_score: float
    best_epoch: int
    epochs: int
    steps: int
    left_out: int
    wall_seconds: float
    scores: list[float]

    @property
    def tokens_per_second(self) -> float:
        """Real tokens per second so far."""


class Progress:
    """A bar in a terminal, one line an epoch elsewhere, and every step in `log.jsonl`, always."""

    def __init__(self, folder: Path, *, metric: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.metric = metric
        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task("training", total=None)
        self.log = (folder / LOG).open("a", encoding="utf-8")

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
        self.log.close()

    def step(
        self, step: int, total: int, *, loss: float, norm: float, epoch: int, fitted: FittedSoFar
    ) -> None:
        """Log a step and move the bar."""
        self._write(step=step, epoch=epoch, loss=loss, norm=norm, seconds=round(fitted.wall_seconds, 3))
        score = f" {self.metric} {fitted.scores[-1]:.4f}" if fitted.scores else ""
        text = f"epoch {epoch + 1} loss {loss:.4f}{score} {fitted.tokens_per_second:,.0f} tokens/s"
        self.bar.update(self.task, completed=step, total=total, description=text)

    def epoch(self, epoch: int, *, score: float, best: float, fitted: FittedSoFar) -> None:
        """Log an epoch's validation score and print it."""
        self._write(
            epoch=epoch, seconds=round(fitted.wall_seconds, 3), **{f"validation_{self.metric}": score}
        )
        self.console.print(
            f"epoch {epoch}: validation {self.metric} {score:.4f} (best {best:.4f}), "
            f"{fitted.wall_seconds:.0f} s, {fitted.tokens_per_second:,.0f} tokens/s",
            highlight=False,
        )

    def note(self, text: str) -> None:
        """Log what else is to be known of this training, and print it."""
        self._write(note=text)
        self.console.print(text, highlight=False)

    def _write(self, **entry: Any) -> None:
        self.log.write(json.dumps(entry) + "\n")
        self.log.flush()


def say(text: str) -> None:
    """Print a result on standard output."""
    sys.stdout.write(text + "\n")
