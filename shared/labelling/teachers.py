"""Teachers that answer without a prompt: a baseline with its stored replies, a bundle of our own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from shared.bundle_manifest import check_fits
from shared.contracts import Baseline
from shared.errors import BundleError, ConfigError
from shared.labelling.contracts import Answer, Work
from shared.runs import LATEST, SAME, find_run

CHUNK = 256  # texts answered together


@dataclass(frozen=True)
class BaselineTeacher:
    """A baseline of the task: a dictionary, or a large model's stored replies with what their tokens cost."""

    baseline: Baseline
    dollars_per_million: tuple[float, float]  # read, written

    key_variable: ClassVar[str] = ""

    @property
    def by(self) -> str:
        """The baseline's name, and which of its runs answers."""
        run = getattr(self.baseline, "run", None)
        return self.baseline.name if run is None else f"{self.baseline.name}, run {run}"

    def plan(self, work: Work) -> str:
        """Return how many texts it answers."""
        return f"{self.by} answers {len(work.left(self.by)):,} texts"

    def ask(self, work: Work) -> Iterator[Sequence[Answer]]:
        """Yield all answers at once; a text costs what the baseline's texts cost in the mean."""
        examples = work.left(self.by)
        if not examples:
            return
        found = self.baseline.answer(work.data, examples)
        read, written = (float(found.notes.get(f"{way}_tokens", 0)) for way in ("input", "output"))
        costs = (read * self.dollars_per_million[0] + written * self.dollars_per_million[1]) / 1e6
        yield [
            Answer(
                prediction.id, self.by, prediction, input_tokens=read, output_tokens=written, dollars=costs
            )
            for prediction in found.predictions
        ]


@dataclass(frozen=True)
class BundleTeacher:
    """A run of ours: its answers with their probabilities."""

    run: str  # as `predict` names it: a folder, or its name below the runs
    engine: str

    key_variable: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Raise `ConfigError` where no run is named: the newest would be another one tomorrow."""
        if not self.run or self.run in (LATEST, SAME):
            raise ConfigError([f"teacher.run={self.run!r}; allowed: a run's folder or name"])

    @property
    def by(self) -> str:
        """The run's name."""
        return Path(self.run).name

    def plan(self, work: Work) -> str:
        """Return how many texts it answers."""
        return f"{self.by} answers {len(work.left(self.by)):,} texts"

    def ask(self, work: Work) -> Iterator[Sequence[Answer]]:
        """Yield the answers in chunks; raises `BundleError` for a bundle of another task, or other labels."""
        from shared.engines import engine_folder, engine_manifest, load_engine
        from shared.evaluate import predict

        folder = find_run(self.run, runs_dir=work.runs_dir, task=work.task)
        place = engine_folder(folder, self.engine, task=work.task)
        manifest = engine_manifest(place)
        check_fits(manifest, task=work.task)
        if manifest["types"] != dict(work.data.types()):
            raise BundleError(f"{folder} answers other labels than those of {work.folder}")
        model = load_engine(place, threads=work.threads, types=None)
        examples = work.left(self.by)
        for start in range(0, len(examples), CHUNK):
            answers = predict(model, examples[start : start + CHUNK], batch_tokens=work.batch_tokens)
            yield [Answer(answer.id, self.by, answer) for answer in answers]
