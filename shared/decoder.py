"""A decoder and its tokenizer from a base's files, as a head that writes text needs them."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from shared.contracts import Base
from shared.errors import UserError


def load_decoder(base: Base) -> tuple[Any, Any]:
    """Return the language model, in float32 or where a GPU is in bfloat16, and its tokenizer.

    The tokenizer pads on the left, so that the next token stands behind every prompt; where a base has no
    padding token, the end of a text serves. Raises `UserError` where 4 bits are asked for and not possible.
    """
    settings = _four_bits() if base.four_bits else None
    tokenizer = AutoTokenizer.from_pretrained(base.encoder_folder, local_files_only=True, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(
        base.folder,
        local_files_only=True,
        use_safetensors=True,
        dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
        quantization_config=settings,
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model, tokenizer


def _four_bits() -> BitsAndBytesConfig:
    if not torch.cuda.is_available():
        raise UserError("model.four_bits=true needs an NVIDIA GPU, and there is none here")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UserError("model.four_bits=true needs bitsandbytes: pip install 'rightsize[gpu]'")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
