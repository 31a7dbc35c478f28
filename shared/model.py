"""The model: a base at a pinned revision, what trains of it (LoRA, all, or nothing), and a head."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import peft
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from transformers.utils import logging

from shared.bases import find_base
from shared.contracts import Arrays, Base, Features, Head, HeadSettings, Outputs, Types
from shared.errors import UserError
from shared.modules.products import use_fast_products
from shared.training_config import LoraConfig, Method, ModelConfig, TrainConfig

BLOCK = re.compile(r".*\.layers?\.(\d+)")  # the name of one of the base's repeated blocks, and its number
logging.set_verbosity_error()  # it reports each weight of the base that a head does not need as a fault
logging.disable_progress_bar()


class Model(nn.Module):
    """Backbone and head; `forward` takes a collated batch."""

    streams = 1  # torch computes a batch on all threads

    def __init__(
        self, backbone: nn.Module, head: Head, tokenizer: Any, *, config: ModelConfig, base: Base
    ) -> None:
        super().__init__()
        self.backbone, self.head_module = backbone, head.module
        self.head, self.tokenizer, self.config, self.base = head, tokenizer, config, base
        use_fast_products(self)

    def forward(self, batch: Arrays) -> Outputs:
        """Return loss and logits of a batch that the head collated."""
        device = self.device
        tensors = {
            name: torch.from_numpy(value).to(device, non_blocking=True) for name, value in batch.items()
        }
        return self.head.forward(self.backbone, tensors)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.backbone.parameters()).device

    @torch.inference_mode()
    def logits(self, features: Sequence[Features]) -> np.ndarray[Any, Any]:
        """Return the logits of a batch of windows, a row each, padded to the batch's size."""
        self.eval()
        if self.device != best_device():
            self.to(best_device())
        found: np.ndarray[Any, Any] = self(self.head.collate(features)).logits.float().cpu().numpy()
        return found

    def logits_of(self, batches: Sequence[Sequence[Features]]) -> Iterable[np.ndarray[Any, Any]]:
        """Return the logits of several batches, in order, as they are computed."""
        return map(self.logits, batches)

    def trained_state(self) -> dict[str, Tensor]:
        """Return the tensors that training changes, by name; they are the model's own, not copies."""
        return {name: value.data for name, value in self.named_parameters() if value.requires_grad}

    def count_parameters(self) -> dict[str, int]:
        """Return how many weights train, stay frozen, and exist."""
        trainable = sum(p.numel() for p in self.parameters() if p.requires_grad)
        total = sum(_size(p) for p in self.parameters())
        return {"trainable": trainable, "frozen": total - trainable, "total": total}


def _size(weights: nn.Parameter) -> int:
    """Return how many weights there are; two of 4 bits share a byte."""
    packed = getattr(weights, "quant_state", None)  # of bitsandbytes
    return int(packed.shape.numel()) if packed else weights.numel()


def accelerate() -> Accelerator:
    """Return the accelerator, which finds the GPU; how products are rounded is `bfloat16_products`' alone."""
    return Accelerator(mixed_precision="no")


def bfloat16_products(wanted: bool) -> torch.autocast:
    """Return the context of a training's products: bfloat16 on a GPU, and on a CPU if that is wanted.

    Weights stay as they are. Answers are given outside of it, so that a bundle's are those of its training.
    """
    device = best_device().type
    return torch.autocast(device, torch.bfloat16, enabled=wanted or device == "cuda")


@functools.cache
def best_device() -> torch.device:
    """Return the GPU, where there is one; its kernels are then chosen for the whole process."""
    found: torch.device = accelerate().device
    if found.type == "cuda":
        _choose_kernels()
    return found


def gpu_name() -> str:
    """Return the name of the GPU, '' where there is none."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def _choose_kernels() -> None:
    """Let a GPU sum in a fixed order, where torch has such kernels, and leave out the attention of cuDNN.

    At lengths of 64 beyond a multiple of 128 the latter's gradients can be NaN (pytorch issue 196678).
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cuda.enable_cudnn_sdp(False)


def create_model(
    config: ModelConfig, settings: HeadSettings, lora: LoraConfig, *, types: Types, seed: int
) -> Model:
    """Return a model ready to train; its fresh weights depend on `seed` alone."""
    base = find_base(config)
    torch.manual_seed(seed)
    backbone, tokenizer, head = settings.build(base, types=types)
    trainable = choose_trainable(backbone, lora, config, new_tokens=head.new_tokens)
    return Model(trainable, head, tokenizer, config=config, base=base)


def choose_trainable(
    backbone: nn.Module, lora: LoraConfig, config: ModelConfig, *, new_tokens: Sequence[int]
) -> nn.Module:
    """Return the backbone with LoRA in its module objects, wholly trainable, or frozen.

    The embeddings of `new_tokens` train with the LoRA and are saved with it.
    """
    if lora.method is Method.full:
        return backbone.float().requires_grad_()  # small updates would be lost in bfloat16
    if lora.method is Method.head:
        return backbone.requires_grad_(False)
    modules = lora.modules or config.lora_modules
    settings = peft.LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_linear_layers(backbone, modules, last=lora.layers),
        use_dora=lora.dora,
        use_rslora=lora.rslora,
        trainable_token_indices=list(new_tokens) or None,
    )
    if not settings.target_modules:
        raise UserError(f"lora.modules={modules}: {config.name} has no linear layer whose name ends so")
    wrapped = peft.get_peft_model(backbone, settings)
    settings.base_model_name_or_path, settings.revision = config.hub_id, config.revision  # not this machine's
    return wrapped  # type: ignore[no-any-return]  # peft is untyped


def set_for_training(backbone: nn.Module, config: TrainConfig) -> None:
    """Let the base drop no unit, and compute its layers again going back, where the configuration asks so.

    Its dropout takes time on a CPU, and a LoRA's own stays; to compute again takes time in place of memory.
    """
    if not config.base_dropout:
        for name, module in backbone.named_modules():
            if isinstance(module, nn.Dropout) and "lora_dropout" not in name:
                module.p = 0.0
    if config.gradient_checkpointing:
        enable: Any = backbone.gradient_checkpointing_enable
        enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def _linear_layers(backbone: nn.Module, endings: Sequence[str], *, last: int) -> list[str]:
    """Return the full names of the linear layers to adapt, in the `last` blocks of the base (0: in all).

    A pooler, which no head reads, is none of them.
    """
    names = [
        name
        for name, module in backbone.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in endings and "pooler" not in name
    ]
    blocks = {name: int(found[1]) for name in names if (found := BLOCK.match(name))}
    first = max(blocks.values(), default=0) + 1 - last if last else 0
    return [name for name in names if blocks.get(name, first) >= first]
