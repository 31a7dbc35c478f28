"""Many specialists on one base: a process holds the encoder once, and of each bundle its LoRA and its head.

A batch may mix specialists: the encoder's own products are made once for all its rows, and each
specialist's low-rank products are added to its rows alone (as S-LoRA serves decoders, arXiv 2311.03285). What
a bundle adds to the memory is about the size of its weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from shared.adapters import HEAD
from shared.bases import find_base
from shared.batches import length_batches
from shared.bundle_manifest import read_manifest
from shared.contracts import Head
from shared.encoder import load_encoder
from shared.errors import BundleError, UserError, suggest
from shared.fast_tokenizer import FILE, FastTokenizer
from shared.files import file_sha256
from shared.heads.settings import ALONE
from shared.training_config import Method, ModelConfig
from shared.typed_config import build, typed

PREFIX = "base_model.model."  # of PEFT, in front of the encoder's own names
NEW_TOKENS = "trainable_tokens_delta"


@dataclass(frozen=True)
class Specialist:
    """A bundle's own part: its head, and the embeddings of the tokens that it added."""

    head: Head
    new_tokens: Tensor  # (N,) ids, above those of the base
    embeddings: Tensor  # (N, H)


@dataclass
class Plan:
    """Whose each row of the batch at hand is."""

    names: list[str] = field(default_factory=list)


class SharedLinear(nn.Module):
    """A linear layer of the base that adds to each row the low-rank product of its specialist.

    All factors stand in two tables, filled up with zeros to one rank; place 0 is for whoever has none. There
    is room for `room` specialists, and twice as many when it is full: memory is touched where one is kept.
    """

    def __init__(self, linear: nn.Linear, plan: Plan, *, room: int) -> None:
        super().__init__()
        self.linear, self.plan = linear, plan
        self.places: dict[str, int] = {}
        self.down, self.up = self._tables(room, rank=0)

    def forward(self, rows: Tensor) -> Tensor:
        """Return (B, T, out) of (B, T, in)."""
        found: Tensor = self.linear(rows)
        places = [self.places.get(name, 0) for name in self.plan.names]
        if not any(places):
            return found
        own = torch.tensor(places)
        return torch.baddbmm(found, torch.bmm(rows, self.down[own]), self.up[own])

    def put(self, name: str, down: Tensor, up: Tensor) -> None:
        """Keep a specialist's factors, (in, r) and (r, out), the second with the LoRA's scale in it."""
        rank, room = down.shape[1], len(self.down) - 1
        if rank > self.down.shape[2] or len(self.places) == room:
            self._grow(room * 2 if len(self.places) == room else room, max(rank, self.down.shape[2]))
        place = min(set(range(1, len(self.down))) - set(self.places.values()))
        self.down[place, :, :rank], self.up[place, :rank] = down, up
        self.places[name] = place

    def drop(self, name: str) -> None:
        """Forget a specialist's factors, if there are any; another one may take their place."""
        if place := self.places.pop(name, 0):
            self.down[place], self.up[place] = 0.0, 0.0

    def _grow(self, room: int, rank: int) -> None:
        down, up = self._tables(room, rank=rank)
        down[: len(self.down), :, : self.down.shape[2]] = self.down
        up[: len(self.up), : self.up.shape[1]] = self.up
        self.down, self.up = down, up

    def _tables(self, room: int, *, rank: int) -> tuple[Tensor, Tensor]:
        into, out = self.linear.in_features, self.linear.out_features
        return torch.zeros(room + 1, into, rank), torch.zeros(room + 1, rank, out)


class Specialists:
    """One encoder with the specialists that were added to it, by name."""

    def __init__(self, config: ModelConfig, *, room: int = 8) -> None:
        self.room = room  # specialists that are expected; more may come
        self.base = find_base(config)
        self.encoder = load_encoder(self.base)[0].eval()
        self.known: dict[str, Specialist] = {}
        self._plan = Plan()
        self._layers: dict[str, SharedLinear] = {}
        self._tokenizers: dict[str, FastTokenizer] = {}  # by digest: bundles that add no token share one

    @classmethod
    def load(cls, bundles: Mapping[str, Path]) -> Specialists:
        """Return the specialists of these bundles, which must stand on one base."""
        first = read_manifest(next(iter(bundles.values())))
        config = typed(first["model"], ModelConfig, path="model")
        found = cls(config, room=len(bundles))
        for name, folder in bundles.items():
            found.add(name, folder)
        return found

    def add(self, name: str, folder: Path) -> None:
        """Add a bundle; raises `BundleError` for another base, or weights that cannot be shared."""
        manifest = read_manifest(folder)
        if manifest["base_sha256"] != self.base.sha256:
            raise BundleError(
                f"{folder} stands on a base with sha256 {manifest['base_sha256']}, the others on "
                f"{self.base.sha256}: it needs a process of its own"
            )
        settings = build(manifest["head"], path="head")
        lora = manifest["lora"]
        if isinstance(settings, ALONE) or lora["method"] == Method.full.name or lora["dora"]:
            raise BundleError(
                f"{folder}: only a LoRA or a head over an encoder can share its base, without DoRA; this is "
                f"{manifest['head']['_target_'].rpartition('.')[2]} with lora.method={lora['method']}"
            )
        backbone, tokenizer, fresh = settings.build(self.base, types=manifest["types"])
        fresh.module.load_state_dict(load_file(folder / HEAD))
        head = settings.head(
            self._tokenizer(folder, tokenizer), types=manifest["types"], module=fresh.module.eval()
        )
        head.decoding.update(manifest["decoding"])
        head.kept.update(manifest["kept"])
        ids = torch.tensor(head.new_tokens, dtype=torch.int64)
        embeddings = backbone.get_input_embeddings().weight[ids].detach().clone()
        self.remove(name)
        if lora["method"] == Method.lora.name:
            embeddings = self._adopt(name, folder, embeddings)
        self.known[name] = Specialist(head, ids, embeddings)

    def remove(self, name: str) -> None:
        """Forget a specialist, if it is known; its memory is free for others."""
        self.known.pop(name, None)
        for layer in self._layers.values():
            layer.drop(name)

    def _tokenizer(self, folder: Path, tokenizer: Any) -> FastTokenizer:
        digest = file_sha256(folder / FILE)
        if digest not in self._tokenizers:
            self._tokenizers[digest] = FastTokenizer.of(tokenizer)
        return self._tokenizers[digest]

    def _adopt(self, name: str, folder: Path, embeddings: Tensor) -> Tensor:
        """Put a bundle's factors beside the encoder's layers; return the embeddings of its new tokens."""
        weights = load_file(folder / peft.utils.SAFETENSORS_WEIGHTS_NAME)
        settings = json.loads((folder / peft.utils.CONFIG_NAME).read_text(encoding="utf-8"))
        root = math.sqrt(settings["r"]) if settings["use_rslora"] else settings["r"]
        scale = settings["lora_alpha"] / root
        for key, down in weights.items():
            layer, _, kind = key.removeprefix(PREFIX).rpartition(".lora_")
            if kind == "A.weight":
                up = weights[f"{PREFIX}{layer}.lora_B.weight"]
                self._layer(layer).put(name, down.T, scale * up.T)
        trained = [value for key, value in weights.items() if key.endswith(NEW_TOKENS)]
        return trained[0] if trained else embeddings

    def _layer(self, name: str) -> SharedLinear:
        if name not in self._layers:
            parent, _, last = name.rpartition(".")
            module = self.encoder.get_submodule(parent)
            self._layers[name] = SharedLinear(getattr(module, last), self._plan, room=self.room)
            setattr(module, last, self._layers[name])
        return self._layers[name]

    def predict(self, asked: Sequence[tuple[str, Any]], *, batch_tokens: int) -> list[Any]:
        """Return the answer of the named specialist to each example, in order; batches mix specialists.

        Raises `UserError` for a name that is not known.
        """
        places: dict[str, list[int]] = {}
        for place, (name, _) in enumerate(asked):
            if name not in self.known:
                raise UserError(f"{name!r} is no specialist here{suggest(name, self.known)}")
            places.setdefault(name, []).append(place)
        examples = {name: [asked[place][1] for place in own] for name, own in places.items()}
        features = {name: self.known[name].head.encode(own) for name, own in examples.items()}
        logits = self._infer(features, batch_tokens=batch_tokens)
        answers: list[Any] = [None] * len(asked)
        for name, own in places.items():
            found = self.known[name].head.decode(examples[name], features[name], logits[name])
            for place, answer in zip(own, found, strict=True):
                answers[place] = answer
        return answers

    @torch.inference_mode()
    def _infer(
        self, features: Mapping[str, Sequence[Any]], *, batch_tokens: int
    ) -> dict[str, list[np.ndarray[Any, Any]]]:
        every = [(name, index) for name, own in features.items() for index in range(len(own))]
        sizes = [features[name][index].num_tokens for name, index in every]
        logits: dict[str, list[Any]] = {name: [None] * len(own) for name, own in features.items()}
        for batch in length_batches(sizes, budget=batch_tokens):
            mixed: dict[str, list[int]] = {}
            for name, index in (every[place] for place in batch):
                mixed.setdefault(name, []).append(index)
            found = self._read({name: [features[name][i] for i in own] for name, own in mixed.items()})
            for name, own in mixed.items():
                for index, row in zip(own, found[name], strict=True):
                    logits[name][index] = row
        return logits

    def _read(self, mixed: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Return each specialist's logits of its windows; all are read in one pass of the encoder."""
        batches = {
            name: {key: torch.from_numpy(value) for key, value in self.known[name].head.collate(own).items()}
            for name, own in mixed.items()
        }
        width = max(batch["tokens"].shape[1] for batch in batches.values())
        embedded = [
            nn.functional.pad(self._embedded(name, batch), (0, 0, 0, width - batch["tokens"].shape[1]))
            for name, batch in batches.items()
        ]
        masks = [
            nn.functional.pad(batch["mask"], (0, width - batch["mask"].shape[1]))
            for batch in batches.values()
        ]
        ends = np.cumsum([len(own) for own in mixed.values()]).tolist()
        starts = [0, *ends[:-1]]
        rows = {name: slice(start, end) for name, start, end in zip(mixed, starts, ends, strict=True)}
        self._plan.names = [name for name, own in mixed.items() for _ in own]
        hidden = self.encoder(inputs_embeds=torch.cat(embedded), attention_mask=torch.cat(masks))
        return {
            name: self.known[name]
            .head.module.read(hidden.last_hidden_state[rows[name], : batch["tokens"].shape[1]], batch)
            .float()
            .numpy()
            for name, batch in batches.items()
        }

    def _embedded(self, name: str, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the embeddings (B, T, H) of a specialist's tokens, its own new ones among them."""
        own, tokens = self.known[name], batch["tokens"]
        table = self.encoder.get_input_embeddings()
        found: Tensor = table(tokens.clamp(max=table.num_embeddings - 1))
        for id, embedding in zip(own.new_tokens.tolist(), own.embeddings, strict=True):
            found[tokens == id] = embedding
        embed = getattr(own.head.module, "embed", None)
        return embed(found, batch) if embed else found
