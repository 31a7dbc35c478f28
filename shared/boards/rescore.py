"""Published records scored again from what anybody can have: their stored answers, and the public data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.config import named
from shared.contracts import Score
from shared.errors import UserError, suggest
from shared.promise import kept_again
from shared.provenance import digest_files
from shared.record import Kept, Record, Reliability, add_scores, read_record, write_trust
from shared.reliability import reliability
from shared.runs import read_predictions
from shared.typed_config import build

_IN_DATA_DIR = "<data_dir>/"  # as `portable_config` writes a path below it
SAME_SCORE = 1e-9
SAME_RELIABILITY = 1e-5  # it is stored with six digits


@dataclass(frozen=True)
class ScoredAgain:
    """What the stored answers of a record are worth on the data that is here."""

    record: Record
    score: float  # the main one
    digest_matches: bool  # whether this is the data that the record was scored on
    reliability: Reliability | None
    promises: list[Kept]
    scores: dict[str, Score]  # all of them, where they were asked for

    @property
    def score_problem(self) -> str:
        """Why this is not the score of the record, '' where it is."""
        main = self.record.metric.main
        stored = self.record.scores[main].value
        if not self.digest_matches:
            return f"the data here is not what it was scored on: its digest is not {self.record.data.digest}"
        if abs(self.score - stored) > SAME_SCORE:
            return f"its answers have {main} {self.score:.9f}, the record says {stored:.9f}"
        return ""

    @property
    def problem(self) -> str:
        """What in the record is not what its answers give, '' for nothing."""
        agree = _agree(self.reliability, self.record.reliability) and _kept_alike(
            self.promises, self.record.promises
        )
        if self.score_problem or agree:
            return self.score_problem
        return "its reliability is not that of its answers: python -m leaderboards rescore writes it"


def score_again(path: Path, data_dir: Path | str, *, whole: bool = False) -> ScoredAgain | None:
    """Return what the answers beside the record are worth, None where its data is not in the folder.

    Nothing is fetched. `whole` asks for every score with its interval, which takes longer.
    """
    record = read_record(path)
    config = data_config(record, data_dir)
    if not all((Path(data_dir).expanduser() / local).exists() for local in _locals(config)):
        return None
    read = _read_data(json.dumps(config, sort_keys=True), record.data.split)
    if read is None:
        return None
    digest, types, examples = read
    predictions = read_predictions(path.parent / record.predictions.name)
    metric = build(record.config["task"]["metric"], path="metric").bind(types)
    trials = metric.trials(examples, predictions)
    return ScoredAgain(
        record=record,
        score=metric.quick(examples, predictions),
        digest_matches=digest == record.data.digest,
        reliability=reliability(trials),
        promises=kept_again(record.promises, trials),
        scores=metric.score(examples, predictions) if whole else {},
    )


def rescore(
    records_dir: Path, data_dir: Path | str, *, task: str | None = None, new_scores: bool = False
) -> list[str]:
    """Return a line for each record of the task, or of all, having put its reliability into its file.

    With `new_scores` scores that the record is older than are added. Raises `UserError` for a record that
    does not get its stored score again; a score that it has is never written.
    """
    paths = sorted(records_dir.glob(f"{task or '*'}/*.json"))
    if not paths:
        tasks = sorted({path.parent.name for path in records_dir.glob("*/*.json")})
        close = suggest(task or "", tasks)
        raise UserError(
            f"{records_dir} has no record of {task!r}{close}; it has: {', '.join(tasks) or 'none'}"
        )
    return [_rescored(path, data_dir, new_scores=new_scores) for path in paths]


def _rescored(path: Path, data_dir: Path | str, *, new_scores: bool) -> str:
    again = score_again(path, data_dir, whole=new_scores)
    if again is None:
        return f"{path.stem}: not scored again, its data is not in {data_dir}"
    if again.score_problem:
        raise UserError(f"{path}: {again.score_problem}")
    if (again.reliability, again.promises) != (again.record.reliability, again.record.promises):
        write_trust(path, again.reliability, again.promises)
    if missing := {name: score for name, score in again.scores.items() if name not in again.record.scores}:
        add_scores(path, missing)
    return f"{path.stem}: {again.record.metric.main} {again.score:.4f} again, {_shown(again.reliability)}"


def data_config(record: Record, data_dir: Path | str) -> dict[str, Any]:
    """Return the configuration of the record's data in this folder, without a first stage.

    The stored answers are about what a first stage found; to run it again would take longer than all else.
    """
    given: dict[str, Any] = _placed(record.config["data"], str(data_dir))
    return given | {"first_stage": None, "depth": 0} if "first_stage" in given else given


def _placed(value: Any, data_dir: str) -> Any:
    """Return the part of a configuration with the folder put back that `portable_config` left out."""
    if isinstance(value, dict):
        kind = named(value["_target_"]) if "_target_" in value else None
        known = [item.name for item in fields(kind)] if is_dataclass(kind) else []
        place = {"data_dir": data_dir} if "data_dir" in known else {}
        return {**{key: _placed(item, data_dir) for key, item in value.items()}, **place}
    if isinstance(value, str) and value.startswith(_IN_DATA_DIR):
        return str(Path(data_dir).expanduser() / value.removeprefix(_IN_DATA_DIR))
    return value


def _locals(value: Any) -> Iterator[str]:
    """Yield the paths below the data folder that pinned files and trees have, at any depth."""
    if isinstance(value, dict):
        if "local" in value:
            yield value["local"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _locals(item)


@cache
def _read_data(node: str, split: str) -> tuple[str, Any, list[Any]] | None:
    """Return digest, types and examples of a split, read once for all; None where one's own are not here."""
    data = build(json.loads(node), path="data")
    files = data.files(split)
    if not all(path.exists() for path in files):
        return None
    return digest_files(files), data.types(), data.load(split)


def _agree(left: Reliability | None, right: Reliability | None) -> bool:
    if left is None or right is None:
        return left is right
    pairs = [
        (left.ece.value, right.ece.value),
        (left.brier.value, right.brier.value),
        (left.aurc, right.aurc),
    ]
    return left.num == right.num and all(abs(one - other) <= SAME_RELIABILITY for one, other in pairs)


def _kept_alike(left: Sequence[Kept], right: Sequence[Kept]) -> bool:
    """Whether the promises are the same, and the answers given under them within what is stored."""
    return len(left) == len(right) and all(
        one.promise == other.promise
        and one.num == other.num
        and abs(one.coverage - other.coverage) <= SAME_RELIABILITY
        and (one.risk is None) == (other.risk is None)
        and (
            one.risk is None
            or other.risk is None
            or abs(one.risk.value - other.risk.value) <= SAME_RELIABILITY
        )
        for one, other in zip(left, right, strict=True)
    )


def _shown(found: Reliability | None) -> str:
    if found is None:
        return "no confidences"
    return (
        f"ECE {_interval(found.ece)}, Brier {_interval(found.brier)}, AURC {found.aurc:.3f}, "
        f"{found.coverage_at['5']:.1%} covered at 5 % risk, {found.num:,} {found.unit}"
    )


def _interval(score: Score) -> str:
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"
