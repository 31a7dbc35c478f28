"""A whole training for tests of heads: nothing is validated, and what counts are the losses."""

from pathlib import Path

from shared.contracts import Examples
from shared.model import Model
from shared.runs import Progress
from shared.train import fit
from shared.training_config import TrainConfig


def losses_of(model: Model, examples: Examples, folder: Path, *, config: TrainConfig) -> list[float]:
    """Train the model on the examples, and return the loss of each step."""
    folder.mkdir()
    with Progress(folder, metric="score") as progress:
        fitted = fit(
            model,
            model.head.encode(examples),
            config=config,
            seed=1,
            validate=lambda: 0.0,
            folder=folder,
            progress=progress,
        )
    return fitted.losses
