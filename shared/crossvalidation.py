"""The verb `crossvalidate`: every text is answered once, by a model that was not trained on its fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from omegaconf import OmegaConf

from shared import runs
from shared.commands import say_scores
from shared.config import RunConfig, read_config
from shared.contracts import DataAdapter
from shared.errors import UserError
from shared.evaluate import Coverage
from shared.provenance import digest_files
from shared.record import Training
from shared.run_inputs import bound, load
from shared.train_verb import trained


@runtime_checkable
class Folded(Protocol):
    """Data that is divided into folds, of which `fold`, from 1, is the test part of a training."""

    folds: int
    fold: int

    def gold_source(self) -> DataAdapter:
        """Return the data that has the gold labels of all folds."""

    def gold_split(self) -> str:
        """Return the split of that data which is divided."""

    def notes(self) -> dict[str, Any]:
        """Return what a table shows of the training data."""


def crossvalidate(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Train once for each fold, answer its texts, and score all the answers together; write the record.

    Folds that were trained already are not trained again.
    """
    from shared import scoring

    data = config.data
    if not isinstance(data, Folded) or not data.folds or data.fold:
        raise UserError("crossvalidate divides the data itself: give data=labelled data.folds=5 data.fold=0")
    results = [_score_fold(config, fold) for fold in range(1, data.folds + 1)]
    whole = _judged(config, data)
    examples = load(whole, whole.split)
    found = {answer.id: answer for result in results for answer in result.predictions}
    predictions = [found[example.id] for example in examples]
    result = replace(
        results[0],
        predictions=predictions,
        scores=whole.metric.score(examples, predictions),
        coverage={**_summed(results), **data.notes()},
        training=_together([result.training for result in results if result.training]),
        speed=None,
        promises=(),
    )
    source = scoring.Source(
        task=whole.task.name,
        row=config.row,
        title=config.title,
        split=whole.split,
        seed=config.seed,
        data=whole.data,
        metric=whole.metric,
        hardware=config.hardware,
        resolved=whole.resolved,
        digest=config.digest,
    )
    folder = runs.create_run(
        config.runs_dir, task=config.task.name, digest=config.digest, config=config.resolved
    )
    scoring.write_result(folder, examples, result, source=source)
    say_scores(result.scores, title=f"{data.folds} folds of {whole.split}, {whole.data.name}")
    runs.say(f"record: {folder / runs.RECORD}; wrong texts: {folder / runs.ERRORS}")


def _score_fold(config: RunConfig, fold: int) -> Any:
    """Return the result of the model that was not trained on the fold, on the fold."""
    from shared import scoring

    node = OmegaConf.create(config.resolved)
    node.data.fold = fold
    node.data.state = digest_files(config.data.files("train"))
    own = read_config(node)
    run = trained(own)
    own = bound(own)
    source = scoring.Source(
        task=own.task.name,
        row="",
        title=config.title,
        split="test",
        seed=own.seed,
        data=own.data,
        metric=own.metric,
        hardware=own.hardware,
        resolved=own.resolved,
        digest=own.digest,
    )
    result = scoring.score_run(run, load(own, "test"), source=source, asked=own.predict, engine=own.engine)
    runs.say(f"fold {fold}: {own.metric.main} {result.scores[own.metric.main].value:.4f}")
    return result


def _judged(config: RunConfig, data: Folded) -> RunConfig:
    """Return the configuration with the data that has gold for all folds, named as the folded one."""
    node = OmegaConf.create(config.resolved)
    name = node.data.name
    node.data = node.data.source
    node.data.name = name
    node.split = data.gold_split()
    return bound(read_config(node))


def _summed(results: Sequence[Any]) -> dict[str, Any]:
    names = Coverage.__dataclass_fields__
    return {name: sum(result.coverage[name] for result in results) for name in names}


def _together(trainings: Sequence[Training]) -> Training:
    """Return what all trainings took together."""
    seconds = sum(one.wall_seconds for one in trainings)
    tokens = sum(one.tokens_per_second * one.wall_seconds for one in trainings)
    return Training(
        wall_seconds=round(seconds, 1),
        steps=sum(one.steps for one in trainings),
        epochs=sum(one.epochs for one in trainings),
        tokens_per_second=round(tokens / max(seconds, 1e-9), 1),
        peak_memory_gib=max((one.peak_memory_gib or 0.0 for one in trainings), default=None),
        validation=None,
        notes={"trainings": len(trainings)},
        examples=sum(one.examples or 0 for one in trainings) // len(trainings),
    )
