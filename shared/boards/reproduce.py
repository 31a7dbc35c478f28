"""Running a published row's experiment again, and whether what comes out is what was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared import runs
from shared.boards.layout import read_layout
from shared.boards.rows import read_answers
from shared.errors import UserError
from shared.record import Record, read_record


@dataclass(frozen=True)
class Reproduced:
    """The published and the new main score, and how many answers are the same."""

    record: str
    run: Path
    main: str
    published: float
    low: float | None  # of the published record's 95 % interval
    high: float | None
    again: float
    same_answers: float  # share of examples

    @property
    def holds(self) -> bool:
        """Whether the new score lies in the published interval; without one, whether it is the same."""
        if self.low is None or self.high is None:
            return abs(self.again - self.published) < 1e-9
        return self.low <= self.again <= self.high

    def text(self) -> str:
        """Return the finding as a person reads it."""
        interval = "" if self.low is None else f" [{self.low:.4f}, {self.high:.4f}]"
        return (
            f"{self.record}: {self.main} {self.again:.4f}, published {self.published:.4f}{interval}; "
            f"{100 * self.same_answers:.1f} % of the answers are the same: "
            f"{'reproduced' if self.holds else 'NOT reproduced'}"
        )


def find_record(id: str, leaderboards_dir: Path) -> Path:
    """Return the file of a published record; raises `UserError` with ids alike when there is none."""
    from shared.errors import suggest

    paths = {path.stem: path for path in sorted(leaderboards_dir.glob("records/*/*.json"))}
    if id not in paths:
        raise UserError(
            f"{id!r} is no published record{suggest(id, paths)}; they are in {leaderboards_dir / 'records'}"
        )
    return paths[id]


def run_again(record: Record, *, overrides: Sequence[str]) -> Path:
    """Train where the row was trained, and evaluate; return the run's folder."""
    from shared import commands, train_verb
    from shared.compose import compose_run

    if not record.experiment:
        raise UserError(f"{record.id} names no experiment: it cannot be run again by name")
    words = [f"experiment={record.experiment}", f"seed={record.seed}", *overrides]
    config = compose_run(record.task, words)
    if record.kind == "measured":
        folder = train_verb.train(config, overrides=words)
        commands.evaluate(
            compose_run(record.task, [*overrides, f"run='{folder}'"]), overrides=list(overrides)
        )
        return folder
    commands.evaluate(config, overrides=words)
    return runs.find_run("latest", runs_dir=config.runs_dir, task=record.task, holding=runs.RECORD)


def compare_run(path: Path, folder: Path) -> Reproduced:
    """Return how the evaluated run in `folder` stands to the published record at `path`."""
    record, again = read_record(path), read_record(folder / runs.RECORD)
    for what in ("task", "experiment", "name", "seed", "metric"):
        if getattr(record, what) != getattr(again, what):
            raise UserError(
                f"{folder} is no repetition of {record.id}: its {what} is {getattr(again, what)!r}, "
                f"the record's {getattr(record, what)!r}"
            )
    if record.data.digest != again.data.digest:
        raise UserError(f"{folder} is no repetition of {record.id}: it read other data")
    ignored = read_layout(record.task).unchanged
    before = read_answers(path.parent / record.predictions.name, ignored=ignored)
    now = read_answers(runs.predictions_path(folder, again.data.split), ignored=ignored)
    score = record.scores[record.metric.main]
    return Reproduced(
        record=record.id,
        run=folder,
        main=record.metric.main,
        published=score.value,
        low=score.low,
        high=score.high,
        again=again.scores[record.metric.main].value,
        same_answers=sum(now.get(id) == answer for id, answer in before.items()) / len(before),
    )
