"""Training speed on FiNER-ORD: our loop against `transformers.Trainer` with dynamic padding, in one run.

Same base, LoRA, head, data, epochs, learning rates and seed; the Trainer has torch's own linear layers, as
whoever loads the base has them. It trains twice: with its own default batch of 8, and so several times more
updates than ours, and with as many sentences in a batch as ours hold on average, and so as many updates. Ours
trains as the published row does, without dropout in the base, and with only the upper layers tuned and what
the frozen ones make of each text kept. Both also multiply in bfloat16, which the processor may do faster.
Validation and saving do not count as time. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shared.batches import epoch_batches
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compare import compare
from shared.compose import compose_run
from shared.config import RunConfig
from shared.contracts import Features
from shared.errors import UserError
from shared.evaluate import predict
from shared.examples import SpanExample, SpanPrediction
from shared.model import Model, bfloat16_products, create_model
from shared.run_inputs import use_threads
from shared.runs import Progress
from shared.train import fit, learning_rate_factor, make_optimizer
from tests.benchmarks.inference_speed import LEADERBOARDS
from tests.benchmarks.products import flops, gemm_rates, plain_products, rates_text
from tests.benchmarks.published import publish

DEFAULT_BATCH = 8  # of `TrainingArguments.per_device_train_batch_size`
ROW, KEPT = "ner/minilm_lora", "ner/minilm_lora_top"
SHORT = "train.bfloat16=true"

Train = Callable[[Model, list[Features], RunConfig], float]


@dataclass(frozen=True)
class Side:
    """One training: its experiment with what differs from it, and what trains."""

    row: str
    train: Train
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a training took and reached."""

    tokens_per_second: float
    seconds: float
    f1: float
    of_limit: float | None  # None where frozen layers are not computed, or products not in float32
    answers: list[SpanPrediction]


def main() -> None:
    """Measure all sides in turn, print the table, and put it where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.ner_training", description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    words = [f"train.epochs={given.epochs}", f"data_dir='{given.data_dir}'"]
    config = compose_run("ner", [f"experiment={ROW}", *words])
    use_threads(config.hardware.threads)
    training, validation = config.data.load("train"), config.data.load("validation")
    alike = sentences_in_a_batch(config, training)
    sides = {
        f"Trainer, batches of {batch}": Side(ROW, partial(train_with_trainer, batch=batch))
        for batch in (DEFAULT_BATCH, alike)
    }
    sides |= {
        "ours": Side(ROW, train_with_ours),
        "ours, no dropout in the base": Side(ROW, train_with_ours, ("train.base_dropout=false",)),
        "ours, upper layers": Side(KEPT, train_with_ours),
        f"Trainer, batches of {DEFAULT_BATCH}, bfloat16": Side(
            ROW, partial(train_with_trainer, batch=DEFAULT_BATCH), (SHORT,)
        ),
        "ours, bfloat16": Side(ROW, train_with_ours, (SHORT,)),
        "ours, upper layers, bfloat16": Side(KEPT, train_with_ours, (SHORT,)),
    }
    outcomes = {}
    for name, side in sides.items():
        asked = compose_run("ner", [f"experiment={side.row}", *words, *side.words])
        outcomes[name] = outcome(side.train, asked, training, validation)
        sys.stderr.write(f"{name}: {outcomes[name].seconds:.0f} s, F1 {outcomes[name].f1:.4f}\n")
    table = rate_table(outcomes, validation, config, rates=gemm_rates(new_model(config)))
    publish([table], given.output, bench="training", command="make bench-ner", busy=busy)


def sentences_in_a_batch(config: RunConfig, training: Sequence[SpanExample]) -> int:
    """Return how many sentences our batches hold on average."""
    model = new_model(config)
    sizes = [item.num_tokens for item in model.head.encode(training)]
    return round(len(sizes) / len(epoch_batches(sizes, budget=config.train.batch_tokens, seed=0, epoch=0)))


def new_model(config: RunConfig) -> Model:
    """Return the model that a training of this configuration begins with."""
    types = config.data.types()
    return create_model(config.model, config.head, config.lora, types=types, seed=config.seed)


def outcome(
    train: Train, config: RunConfig, training: list[SpanExample], validation: list[SpanExample]
) -> Outcome:
    """Train, and return what it took and reached."""
    model = new_model(config)
    limit = max(gemm_rates(model).values())
    features = list(model.head.encode(training))
    seconds = train(model, features, config)
    tokens = config.train.epochs * sum(item.num_tokens for item in features)
    answers = predict(model, validation, batch_tokens=config.predict.batch_tokens)
    work = 2 * flops(model, tokens)  # forward, and back to the inputs: frozen weights have no gradients
    return Outcome(
        tokens_per_second=tokens / seconds,
        seconds=seconds,
        f1=config.metric.quick(validation, answers),
        of_limit=None if config.train.cache_gib or config.train.bfloat16 else work / seconds / limit,
        answers=answers,
    )


def rate_table(
    outcomes: dict[str, Outcome],
    validation: Sequence[SpanExample],
    config: RunConfig,
    *,
    rates: dict[str, float],
) -> SpeedTable:
    """Return the trainings beside one another; the differences in F1 are to the Trainer's two, in pairs."""
    first, second = list(outcomes.values())[:2]
    rows = []
    for name, found in outcomes.items():
        gaps = []
        for other in (first, second):
            gap = compare(validation, [other.answers], [found.answers], metric=config.metric).difference
            gaps.append(f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]" if other is not found else "-")
        rows.append(
            row_of(
                name,
                found.tokens_per_second,
                found.tokens_per_second / first.tokens_per_second,
                found.tokens_per_second / second.tokens_per_second,
                "n/a" if found.of_limit is None else f"{100 * found.of_limit:.0f} %",
                f"{found.f1:.4f}",
                *gaps,
            )
        )
    few, many = list(outcomes)[:2]
    note = (
        f"{config.train.epochs} epochs of {config.data.name}, MiniLM with LoRA; real tokens, padding does "
        "not count. *Of the limit*: the base's products, forward and back, as a share of the fastest way to "
        f"compute them alone; the work of LoRA and attention is left out. {rates_text(rates)}. Differences "
        "in validation F1 are paired, with 95 % intervals; one seed."
    )
    columns = ["training", "tokens/s", f"to {few}", f"to {many}", "of the limit", "validation F1"]
    columns += [f"F1 to {few}", f"F1 to {many}"]
    return SpeedTable("training MiniLM with LoRA on FiNER-ORD", note, columns, rows)


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

    plain_products(model)

    class Wrapped(torch.nn.Module):
        """The model as the Trainer calls it."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
            with bfloat16_products(config.train.bfloat16):  # its own `bf16` holds for the whole process
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
