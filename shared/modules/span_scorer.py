"""The trained part of span extraction: the layers of a GLiNER behind its encoder.

B windows in a batch, T tokens, W words, K = max_width, C types, H hidden size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gliner import GLiNERConfig
from gliner.model import UniEncoderSpanGLiNER
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Arrays, Base, Outputs
from shared.errors import ConfigError
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import SpanExtraction
from shared.heads.span_extraction import SpanExtractionHead

PRETRAINED = "gliner_config.json"  # a folder that has it is a whole GLiNER, not a bare encoder
WEIGHTS = "model.safetensors"


class SpanScorer(nn.Module):
    """A logit of each span of up to K words for each type, by the layers of `gliner`.

    The backbone is the encoder inside GLiNER itself, where LoRA was put on it; the other layers are this
    module's, by the names that they have there.
    """

    gliner: Any
    inputs = ("tokens", "mask", "places", "sizes", "types")

    def __init__(self, gliner: Any) -> None:
        super().__init__()
        self.__dict__["gliner"] = gliner  # not as a module of this one: it holds the backbone too
        encoder = gliner.model.token_rep_layer
        layers = {name: layer for name, layer in gliner.model.named_children() if layer is not encoder}
        layers |= {name: layer for name, layer in encoder.named_children() if name != "bert_layer"}
        for name, layer in layers.items():
            self.add_module(name, layer)

    def arrays(self) -> Arrays:
        """Return the ids before a name and behind all of them, and how far from the first a type is read."""
        config, tokenizer = self.gliner.config, self.gliner.data_processor.transformer_tokenizer
        return {
            "markers": np.array(tokenizer.convert_tokens_to_ids([config.ent_token, config.sep_token])),
            "behind_marker": np.array(0 if config.embed_ent_token else 1),
        }

    def save_whole(self, folder: str) -> None:
        """Write the GLiNER as `gliner` reads it, with its encoder's config beside it."""
        self.gliner.save_pretrained(folder, safe_serialization=True)
        self.gliner.model.token_rep_layer.bert_layer.model.config.save_pretrained(folder)

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the binary cross-entropy summed over spans and types, per word, and logits (B, W, K, C)."""
        logits, sizes = self.logits(backbone, batch), batch["sizes"]
        _, valid = _spans(batch["places"], sizes, width=logits.shape[2])
        losses = functional.binary_cross_entropy_with_logits(logits, batch["labels"], reduction="none")
        return Outputs(logits=logits, loss=(losses * valid[..., None]).sum() / sizes.sum())

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, W, K, C); those of spans beyond a window's end are all the same and mean nothing."""
        inside, places = self.gliner.model, batch["places"]
        hidden = inside.token_rep_layer(batch["tokens"], batch["mask"])
        rows = places.clamp(min=0)[..., None].expand(-1, -1, hidden.shape[2])
        words = hidden.gather(1, rows) * (places >= 0)[..., None]
        if hasattr(inside, "rnn"):
            order = torch.arange(places.shape[1], device=places.device)
            words = inside.rnn(words, order < batch["sizes"][:, None])
        spans, valid = _spans(places, batch["sizes"], width=self.gliner.config.max_width)
        inner = (spans * valid[..., None]).flatten(1, 2)  # one beyond the end is that of the first word
        spans = inside.span_rep_layer(words, inner)
        names = inside.prompt_rep_layer(hidden[:, batch["types"]])
        logits: Tensor = torch.einsum("BWKH,BCH->BWKC", spans, names)
        return logits


def _spans(places: Tensor, sizes: Tensor, *, width: int) -> tuple[Tensor, Tensor]:
    """Return first and last word of each span (B, W, K, 2), and whether it ends in its window (B, W, K)."""
    starts = torch.arange(places.shape[1], device=places.device)[:, None].expand(-1, width)
    ends = starts + torch.arange(width, device=places.device)
    spans = torch.stack([starts, ends], -1).expand(places.shape[0], -1, -1, -1)
    return spans, ends < sizes[:, None, None]


def build(
    settings: SpanExtraction, base: Base, *, types: Mapping[str, str]
) -> tuple[nn.Module, Any, SpanExtractionHead]:
    """Return the encoder, its tokenizer and a GLiNER's own head, or a fresh one on a bare encoder."""
    whole = (base.folder / PRETRAINED).is_file()
    config = _stored_config(settings, base) if whole else _fresh_config(settings, base)
    gliner = UniEncoderSpanGLiNER.load_from_config(
        config, backbone_from_pretrained=not whole, local_files_only=True
    )
    if whole:
        gliner.model.load_state_dict(load_file(base.folder / WEIGHTS))  # a weight too few or many is an error
    tokenizer = gliner.data_processor.transformer_tokenizer
    head = SpanExtractionHead(
        settings,
        types=types,
        tokenizer=FastTokenizer.of(tokenizer),
        module=SpanScorer(gliner),
        new_tokens=[] if whole else _begin_markers(gliner),
    )
    return gliner.model.token_rep_layer.bert_layer.model.float(), tokenizer, head


def _stored_config(settings: SpanExtraction, base: Base) -> GLiNERConfig:
    """Return a whole GLiNER's own config, with its encoder in this machine's folder rather than by hub id.

    Raises `ConfigError` for settings that its trained layers contradict.
    """
    stored = json.loads((base.folder / PRETRAINED).read_text(encoding="utf-8"))
    here = {"model_name": str(base.encoder_folder), "class_token_index": -1, "vocab_size": -1}
    config = GLiNERConfig(**{**stored, **here})  # -1: the markers are added to the encoder's tokenizer again
    mistakes = [
        f"head.{name}={given}; this GLiNER was made with {made}: set head.{name}={made}"
        for name, given, made in (
            ("max_width", settings.max_width, config.max_width),
            ("hidden_size", settings.hidden_size, config.hidden_size),
            ("rnn_layers", settings.rnn_layers, config.num_rnn_layers),
        )
        if given != made
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return config


def _fresh_config(settings: SpanExtraction, base: Base) -> GLiNERConfig:
    return GLiNERConfig(
        model_name=str(base.folder),
        max_width=settings.max_width,
        hidden_size=settings.hidden_size,
        num_rnn_layers=settings.rnn_layers,
        dropout=settings.dropout,
        max_len=settings.window_tokens,
        embed_ent_token=False,  # a type is its first word: the marker before it is alike for all types
    )


def _begin_markers(gliner: Any) -> list[int]:
    """Start the embeddings of GLiNER's two markers from [MASK] and [SEP], and return the markers' ids."""
    tokenizer = gliner.data_processor.transformer_tokenizer
    weight = gliner.model.token_rep_layer.get_input_embeddings().weight
    markers = []
    with torch.no_grad():
        for token, start in ((gliner.config.ent_token, "[MASK]"), (gliner.config.sep_token, "[SEP]")):
            markers.append(tokenizer.convert_tokens_to_ids(token))
            weight[markers[-1]] = weight[tokenizer.convert_tokens_to_ids(start)]
    return markers
