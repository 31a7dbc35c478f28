"""A specialist as plain safetensors with its LoRA merged: a folder that needs no base and no peft.

Its backbone is in the format of transformers, or of GLiNER where it is one: `from_pretrained` reads it, and
so does whatever serves such models. The head's own weights stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file

from shared.contracts import Base, WritingHead
from shared.model import Model, best_device
from shared.modules.speculation import SpeculativeWriter
from shared.one_by_one import OneByOne
from shared.phrases import Phrases
from shared.training_config import ModelConfig
from shared.typed_config import build, typed

HEAD, PHRASES = "head.safetensors", "phrases.npz"


def write_merged_model(model: Model, folder: Path) -> None:
    """Write backbone, tokenizer and head of a merged model into the folder."""
    save: Any = getattr(model.head_module, "save_whole", None) or model.backbone.save_pretrained
    save(str(folder))
    model.tokenizer.save_pretrained(str(folder))
    weights = {name: value.contiguous() for name, value in model.head_module.state_dict().items()}
    save_file(weights, folder / HEAD)


def load_merged_model(folder: Path, manifest: Mapping[str, Any], *, threads: int) -> Model:
    """Return the model of an export's folder, on torch."""
    torch.set_num_threads(threads)
    settings = build(manifest["head"], path="head")
    config = typed(manifest["model"], ModelConfig, path="model")
    base = Base(folder=folder, sha256=manifest["base_sha256"], encoder_folder=folder)
    backbone, tokenizer, head = settings.build(base, types=manifest["types"])
    model = Model(backbone, head, tokenizer, config=config, base=base)
    model.head_module.load_state_dict(load_file(folder / HEAD))
    return model.eval()


def load_speculative_model(folder: Path, manifest: Mapping[str, Any], *, threads: int) -> OneByOne:
    """Return what writes by the merged weights of an export's folder, and by the phrases beside them."""
    model = load_merged_model(folder, manifest, threads=threads).to(best_device())
    writer = SpeculativeWriter(model.backbone, model.tokenizer, Phrases.load(folder / PHRASES))
    return OneByOne(cast(WritingHead, model.head), writer, padding=model.tokenizer.pad_token_id)
