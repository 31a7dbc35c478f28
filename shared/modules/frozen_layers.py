"""What the frozen layers below the trained ones make of each training text, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from shared.batches import length_batches
from shared.contracts import Features
from shared.errors import UserError
from shared.model import BLOCK, Model, bfloat16_products
from shared.runs import counted
from shared.training_config import TrainConfig


@contextmanager
def kept_outputs(
    model: Model, features: Sequence[Features], *, config: TrainConfig
) -> Iterator[FrozenLayers | None]:
    """Train inside the block without computing again what the frozen layers make of these features.

    Up to `cache_gib` of outputs are kept, by the tokens they are of; none with 0. Dropout does not reach the
    frozen layers. Raises `UserError` where nothing is frozen below what trains.
    """
    if not config.cache_gib:
        yield None
        return
    layers = FrozenLayers(model.backbone, most_bytes=int(config.cache_gib * 2**30))
    with layers.installed():
        with bfloat16_products(config.bfloat16):
            layers.fill(model, features, batch_tokens=config.batch_tokens)
        yield layers


class FrozenLayers:
    """The blocks of a backbone below the first that trains; in training, known rows pass them by."""

    def __init__(self, backbone: nn.Module, *, most_bytes: int) -> None:
        blocks = {name: module for name, module in backbone.named_modules() if BLOCK.fullmatch(name)}
        trained = [name for name, value in backbone.named_parameters() if value.requires_grad]
        places = [i for i, block in enumerate(blocks) if any(n.startswith(f"{block}.") for n in trained)]
        first = min(places, default=len(blocks))
        outside = [name for name in trained if not any(name.startswith(f"{block}.") for block in blocks)]
        if not blocks:
            raise UserError("train.cache_gib: this base's layers cannot be told apart; set train.cache_gib=0")
        if not first or outside:
            raise UserError(
                f"train.cache_gib: {(outside or trained)[0]} trains, so that no layer below stays as it is; "
                "let fewer layers train (lora.layers=3), or set train.cache_gib=0"
            )
        self.frozen, self.trained = list(blocks.values())[:first], list(blocks.values())[first:]
        self.base = [
            module
            for name, module in backbone.named_modules()
            if isinstance(module, PreTrainedModel) and next(iter(blocks)).startswith(name)
        ][-1]
        trains = {module for block in self.trained for module in block.modules()}
        self._still = [m for m in self.base.modules() if m is not self.base and m not in trains]
        self.room = most_bytes
        self.rows: dict[bytes, Tensor] = {}  # (tokens, H) by the bytes of the token ids
        self.left_out: set[bytes] = set()  # for want of room
        self._filling = False
        self._keys: list[bytes] = []
        self._mask = torch.zeros(0)
        self._known: Tensor | None = None  # (B, T, H), where all rows of the batch are known
        self._more: tuple[Any, ...] | None = None  # what a block returns behind its vectors, if it does

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let rows that are known pass by the frozen layers, while the backbone trains."""
        with ExitStack() as undo:
            for block in (*self.frozen, *self.trained):
                block.forward = self._passing(block, block.forward)
                undo.callback(delattr, block, "forward")
            for handle in (
                self.base.register_forward_pre_hook(self._begin, with_kwargs=True),
                self.frozen[-1].register_forward_hook(self._end),
            ):
                undo.callback(handle.remove)
            yield

    @torch.no_grad()
    def fill(self, model: Model, features: Sequence[Features], *, batch_tokens: int) -> None:
        """Keep what the frozen layers make of these features, always in the same batches."""
        model.train()
        self._filling = True
        batches = length_batches([item.num_tokens for item in features], budget=batch_tokens)
        with torch.random.fork_rng():
            for batch in counted(batches, what=f"of {len(batches)} batches read by the frozen layers"):
                model(model.head.collate([features[i] for i in batch]))
        self._filling = False

    def report(self) -> str:
        """Return how much is kept, and what is not."""
        gib = sum(row.nbytes for row in self.rows.values()) / 2**30
        left_out = f"; without room for theirs: {len(self.left_out):,}" if self.left_out else ""
        return f"outputs of the frozen layers: kept for {len(self.rows):,}, {gib:.2f} GiB{left_out}"

    def _begin(self, base: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._known = None
        if not base.training:
            return
        if kwargs.get("input_ids") is None:
            raise UserError(
                "train.cache_gib: the head trains what goes into the first layer; set train.cache_gib=0, or "
                "for token classification head.word_shape_in=false"
            )
        for module in self._still:
            module.training = False  # no dropout where nothing trains
        self._mask = kwargs["attention_mask"].bool().cpu()
        ids = kwargs["input_ids"].cpu()
        self._keys = [row[kept].numpy().tobytes() for row, kept in zip(ids, self._mask, strict=True)]
        if not self._filling and all(key in self.rows for key in self._keys):
            rows = torch.cat([self.rows[key] for key in self._keys])
            known = torch.zeros(*ids.shape, rows.shape[1], dtype=rows.dtype)
            known[self._mask] = rows
            self._known = known.to(kwargs["input_ids"].device)

    def _passing(self, block: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        frozen = block in self.frozen

        def passing(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._known is None if frozen else not self._filling:
                return forward(hidden, *args, **kwargs)
            return hidden if self._more is None else (hidden, *self._more)

        return passing

    def _end(self, block: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        """Keep what the last frozen layer returns, or return what is known in its place."""
        if self._filling and self.base.training:
            hidden = output[0] if isinstance(output, tuple) else output
            self._more = (None,) * (len(output) - 1) if isinstance(output, tuple) else None
            for key, padded, mask in zip(self._keys, hidden.cpu(), self._mask, strict=True):
                row = padded[mask]
                if key in self.rows:
                    continue
                if row.nbytes > self.room:
                    self.left_out.add(key)
                    continue
                self.rows[key] = row
                self.room -= row.nbytes
        if self._known is None:
            return output
        return self._known if self._more is None else (self._known, *self._more)
