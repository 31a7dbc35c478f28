"""What trains and how, typed: the base, the low-rank update, and the loop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.typed_config import check


class Method(Enum):
    """Which weights train: LoRA and the head, all of them, or the head alone."""

    lora = "lora"
    full = "full"
    head = "head"


@dataclass(frozen=True)
class ModelConfig:
    """A base at a pinned revision."""

    name: str
    hub_id: str
    revision: str
    sha256: str | None  # of model.safetensors, the GGUF or the index of shards; None: the revision pins it
    package: str | None  # the installable package that carries the weights, and wins over the hub
    package_folder: str | None  # of the weights inside that package
    encoder_hub_id: str | None  # whose config and tokenizer serve, where the weights come without them
    encoder_revision: str | None
    licence: str
    lora_modules: list[str]  # the linear layers LoRA goes on, by the end of their name
    four_bits: bool = False  # of a decoder's frozen weights, as QLoRA trains on them (arXiv 2305.14314)


@dataclass(frozen=True)
class LoraConfig:
    """What trains, and the low-rank update where there is one (Hu et al., arXiv 2106.09685)."""

    method: Method
    r: int
    alpha: int
    dropout: float
    modules: list[str] | None  # None: the model's `lora_modules`
    layers: int  # of the base, from its end; 0 for all: the fewer, the less a step computes
    dora: bool  # weight-decomposed (arXiv 2402.09353)
    rslora: bool  # scaled by alpha / sqrt(r) (arXiv 2312.03732)

    def __post_init__(self) -> None:
        check(
            ("lora.r", self.r, self.r > 0, "a whole number above 0"),
            ("lora.layers", self.layers, self.layers >= 0, "0 or more"),
        )


class Keep(Enum):
    """Which weights training leaves: those of the best validation score, or the last."""

    best = "best"
    last = "last"  # where validation has nothing to choose by


@dataclass(frozen=True)
class TrainConfig:
    """The loop: batches, optimiser, schedule, checkpoints, stopping."""

    epochs: int  # 0 leaves the weights as they are: what a head measures is all that it learns
    learning_rate: float  # of the backbone's trainable weights, at its peak
    head_learning_rate: float
    weight_decay: float
    warmup_share: float  # of all steps; then linear decay to zero
    batch_tokens: int  # padded tokens of one batch at most
    accumulate: int  # batches per step
    max_grad_norm: float
    ema: float  # decay of the weights' moving average, which is what is evaluated and saved; 0 for none
    keep: Keep
    patience: int  # epochs without a better validation score before stopping; 0 never stops early
    checkpoint_steps: int  # steps between checkpoints
    max_steps: int  # stop after so many steps; 0 for no limit
    # Those below have defaults because the stored configurations of older runs lack them.
    base_dropout: bool = True  # whether the base drops units while it trains, as its own configuration says
    bfloat16: bool = False  # whether a CPU multiplies in bfloat16 while it trains, as a GPU always does
    gradient_checkpointing: bool = False  # layers compute again, going back, what they would else keep
    cache_gib: float = 0.0  # of what the frozen layers below the trained ones make of the texts; 0 keeps none
    min_steps: int = 0  # an epoch passes over few examples again until the epochs have so many steps
    examples: int = 0  # train on so many, drawn by the seed (`shared.sampling`); 0 for all
    reference: str = ""  # a run whose right answers are to be kept (`shared.agreement`); '' for none
    reference_weight: float = 0.0  # of what differs from it, beside the loss

    def __post_init__(self) -> None:
        check(
            ("train.epochs", self.epochs, self.epochs >= 0, "0 or more"),
            ("train.learning_rate", self.learning_rate, self.learning_rate >= 0, "0 or more"),
            ("train.head_learning_rate", self.head_learning_rate, self.head_learning_rate >= 0, "0 or more"),
            ("train.warmup_share", self.warmup_share, 0 <= self.warmup_share <= 1, "0 to 1"),
            ("train.batch_tokens", self.batch_tokens, self.batch_tokens > 0, "a whole number above 0"),
            ("train.accumulate", self.accumulate, self.accumulate > 0, "a whole number above 0"),
            ("train.ema", self.ema, 0 <= self.ema < 1, "0 up to 1 exclusive"),
            (
                "train.checkpoint_steps",
                self.checkpoint_steps,
                self.checkpoint_steps > 0,
                "a whole number above 0",
            ),
            ("train.cache_gib", self.cache_gib, self.cache_gib >= 0, "0 or more"),
            ("train.min_steps", self.min_steps, self.min_steps >= 0, "0 or more"),
            ("train.examples", self.examples, self.examples >= 0, "0 or more"),
            (
                "train.reference_weight",
                self.reference_weight,
                self.reference_weight > 0 if self.reference else self.reference_weight >= 0,
                "above 0 with a reference",
            ),
        )
