"""Bundles of the sample data for tests: trained weights that are away from where they begin."""

from pathlib import Path

import numpy as np

from shared import adapters
from shared.compose import compose_run
from shared.config import RunConfig
from shared.contracts import Examples, Types
from shared.evaluate import infer
from shared.model import Model, create_model

BATCH_TOKENS = 512


def moved(config: RunConfig, *, types: Types) -> Model:
    """A model whose trained weights were all moved, so that a lost one is seen."""
    model = create_model(config.model, config.head, config.lora, types=types, seed=1)
    generator = np.random.default_rng(1)
    for weight in model.trained_state().values():
        noise = generator.normal(scale=0.02, size=tuple(weight.shape)).astype(np.float32)
        weight.add_(weight.new_tensor(noise))
    return model


def write_bundle(folder: Path, task: str, overrides: list[str], *, validation: Examples) -> None:
    """Write a bundle that knows the sample's training texts and was tuned on validation."""
    config = compose_run(task, overrides)
    training, model = config.data.load("train"), moved(config, types=config.data.types())
    model.head.start(model.backbone, training)
    for tell, examples in ((model.head.measure, training), (model.head.tune, validation)):
        features = model.head.encode(examples[:])
        if tell == model.head.tune or model.head.measures(validation):
            tell(examples, features, infer(model, features, batch_tokens=BATCH_TOKENS))
    origin = adapters.Origin(task, config.resolved["head"], "sample", "MIT")
    adapters.save_bundle(model, folder, origin=origin, lora=config.lora)
