"""Training speed on FiNER-ORD: our loop against `transformers.Trainer` with dynamic padding, in one run.

Same base, LoRA, head, data, epochs, learning rates and seed; only the loop differs. The Trainer runs twice:
with its own default batch of 8, and so several times more updates than ours, and with as many sentences in a
batch as ours hold on average, and so as many updates. Prints real tokens per second (validation and saving
excluded) and validation F1 of each, and for both Trainers the ratio and the paired difference in F1 with its
95 % interval. Run it on an idle machine.
"""

import argparse
import itertools
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from shared.batches import epoch_batches
from shared.compare import compare
from shared.compose import compose_run
from shared.config import RunConfig
from shared.contracts import Features
from shared.errors import UserError
from shared.evaluate import predict
from shared.examples import SpanExample
from shared.model import Model, create_model
from shared.run_inputs import use_threads
from shared.runs import Progress
from shared.train import fit, learning_rate_factor, make_optimizer

DEFAULT_BATCH = 8  # of `TrainingArguments.per_device_train_batch_size`
OURS = "ours"


def main() -> None:
    """Measure both sides in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--data-dir", required=True)
    arguments = parser.parse_args()
    config = compose_run(
        "ner",
        [
            "experiment=ner/minilm_lora",
            f"train.epochs={arguments.epochs}",
            f"data_dir='{arguments.data_dir}'",
        ],
    )
    use_threads(config.hardware.threads)
    training, validation = config.data.load("train"), config.data.load("validation")
    speeds, answers = {}, {}
    alike = sentences_in_a_batch(config, training)
    trainers = {f"Trainer, batches of {batch}": batch for batch in (DEFAULT_BATCH, alike)}
    sides = {name: partial(train_with_trainer, batch=batch) for name, batch in trainers.items()}
    sides[OURS] = train_with_ours
    for name, train in sides.items():
        model = create_model(
            config.model, config.head, config.lora, types=config.data.types(), seed=config.seed
        )
        features = model.head.encode(training)
        seconds = train(model, features, config)
        tokens = config.train.epochs * sum(item.num_tokens for item in features)
        answers[name] = predict(model, validation, batch_tokens=config.predict.batch_tokens)
        f1 = config.metric.quick(validation, answers[name])
        speeds[name] = tokens / seconds
        sys.stdout.write(
            f"{name:<24}{speeds[name]:>8.0f} tokens/s {seconds:>7.1f} s  validation F1 {f1:.4f}\n"
        )
        sys.stdout.flush()
    for name in trainers:
        found = compare(validation, [answers[name]], [answers[OURS]], metric=config.metric).difference
        interval = f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
        sys.stdout.write(f"{OURS} to {name}: {speeds[OURS] / speeds[name]:.2f} times, F1 {interval}\n")


def sentences_in_a_batch(config: RunConfig, training: list[SpanExample]) -> int:
    """Return how many sentences our batches hold on average."""
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=config.seed)
    sizes = [item.num_tokens for item in model.head.encode(training)]
    return round(len(sizes) / len(epoch_batches(sizes, budget=config.train.batch_tokens, seed=0, epoch=0)))


def train_with_ours(model: Model, features: list[Features], config: RunConfig) -> float:
    """Train with `fit` and return the seconds; the last weights are kept, as the Trainer does."""
    rising = itertools.count(1.0)  # to `fit`, each epoch is the best so far
    with tempfile.TemporaryDirectory() as folder, Progress(Path(folder), metric="f1") as progress:
        started = time.perf_counter()
        fit(
            model,
            features,
            config=replace(config.train, patience=0),
            seed=config.seed,
            validate=lambda: next(rising),
            folder=Path(folder),
            progress=progress,
        )
        return time.perf_counter() - started


def train_with_trainer(model: Model, features: list[Features], config: RunConfig, *, batch: int) -> float:
    """Train with `transformers.Trainer` on batches padded to their longest; return the seconds."""
    import torch
    from transformers import Trainer, TrainingArguments

    class Wrapped(torch.nn.Module):
        """The model as the Trainer calls it."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
            outputs = self.model(batch)
            return {"loss": outputs.loss, "logits": outputs.logits}

    steps = -(-len(features) // batch) * config.train.epochs
    optimizer = make_optimizer(model, config.train)
    warmup = config.train.warmup_share
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(min(step, steps), total=steps, warmup_share=warmup)
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=Wrapped(),
            args=TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=batch,
                num_train_epochs=config.train.epochs,
                max_grad_norm=config.train.max_grad_norm,
                save_strategy="no",
                report_to="none",
                remove_unused_columns=False,
                disable_tqdm=True,
                seed=config.seed,
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=features,
            data_collator=model.head.collate,
            optimizers=(optimizer, schedule),
        )
        started = time.perf_counter()
        trainer.train()
        return time.perf_counter() - started


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
