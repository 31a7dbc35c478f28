"""Writing by a torch decoder: the loss of what is to be written, and batches of one shape.

A batch that is written always has the same shape, so that no answer depends on the company it is written in.

B prompts in a batch, T tokens, N new tokens at most, V words of the vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import LogitsProcessor
from transformers.generation.streamers import BaseStreamer

from shared.contracts import Outputs
from shared.runs import counted
from shared.writing import IGNORED

HALF = "\ufffd"  # what a character is decoded to of which not all bytes are there
ON_GPU = 4  # times the rows of a batch, which has room for them
CANDIDATES = 1024  # the likeliest tokens, among which the next one is drawn


class Limits(Protocol):
    """The shape of a batch that is written."""

    @property
    def batch_rows(self) -> int:
        """Prompts that are run together, always so many."""

    @property
    def max_new_tokens(self) -> int:
        """Tokens of an answer at most."""


def target_loss(backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
    """Return the cross-entropy of the targets of a `taught` batch, and the likeliest ids in their places."""
    targets, seen = batch["targets"], batch["mask"]
    kept = targets.shape[1] + 1  # the last tokens alone are predicted: most of a row is prompt
    outputs = backbone(
        input_ids=batch["tokens"],
        attention_mask=seen,
        position_ids=(seen.cumsum(1) - 1).clamp(min=0),
        logits_to_keep=kept,
        use_cache=False,
    )
    logits = outputs.logits[:, :-1].float()
    loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    return Outputs(logits=logits.argmax(-1), loss=loss)


@torch.no_grad()
def read_beginning(backbone: nn.Module, tokens: Sequence[int], *, device: torch.device) -> Any:
    """Return what the backbone keeps of a beginning that many prompts share: a cache of one row."""
    ids = torch.tensor([tokens], device=device)
    return backbone(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values


def written(
    backbone: Any,
    tokenizer: Any,
    prompts: Tensor,
    seen: Tensor,
    *,
    limits: Limits,
    processors: Callable[[list[int]], list[LogitsProcessor]],
    beginning: Any = None,
    show: Callable[[str], None] | None = None,
) -> Tensor:
    """Return (B, N) ids, padded behind the end: each time the likeliest, after the processors.

    `prompts` and `seen`, their mask, are (B, T). Always `batch_rows` of them are run, on a GPU `ON_GPU` times
    as many, the last one repeated to fill up; `processors` are asked for with the indices of the prompts that
    are run. `beginning` is what `read_beginning` kept of the first tokens, where they are the same in all
    prompts. `show` is told each piece of a batch's first answer as it is written.
    """
    rows, count = limits.batch_rows * (ON_GPU if prompts.is_cuda else 1), len(prompts)
    found = []
    batches = range(0, count, rows)
    for first in batches if show else counted(batches, what=f"of {len(batches)} batches written"):
        indices = [min(index, count - 1) for index in range(first, first + rows)]
        ids = backbone.generate(
            input_ids=prompts[indices],
            attention_mask=seen[indices],
            past_key_values=_repeated(beginning, rows),
            max_new_tokens=limits.max_new_tokens,
            do_sample=False,
            logits_processor=processors(indices),
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            streamer=Shown(tokenizer, show) if show else None,
        )[: count - first, prompts.shape[1] :]
        missing = limits.max_new_tokens - ids.shape[1]
        found.append(functional.pad(ids, (0, missing), value=tokenizer.pad_token_id))
    return torch.cat(found)


def _repeated(beginning: Any, rows: int) -> Any:
    """Return the cache for so many rows; it is a copy, as writing goes on in it."""
    if beginning is None:
        return None
    cache = copy.deepcopy(beginning)
    cache.batch_repeat_interleave(rows)
    return cache


class Shown(BaseStreamer):  # type: ignore[misc]  # transformers is untyped
    """Tells the text of a batch's first row, piece by piece, up to its end."""

    def __init__(self, tokenizer: Any, show: Callable[[str], None]) -> None:
        self._tokenizer, self._show = tokenizer, show
        self._prompts_came = False
        self._ids: list[int] = []
        self._told = ""

    def put(self, value: Tensor) -> None:
        """Take the prompts (B, T), and after them a token of each row (B,) at a time."""
        if self._prompts_came:
            self._ids.append(int(value[0]))
            self._tell()
        self._prompts_came = True

    def end(self) -> None:
        """End the line."""
        self._show("\n")

    def _tell(self) -> None:
        end = self._tokenizer.eos_token_id
        whole = self._ids[: self._ids.index(end)] if end in self._ids else self._ids
        text = self._tokenizer.decode(whole)
        if not text.endswith(HALF):
            self._show(text[len(self._told) :])
            self._told = text


class Drawn(LogitsProcessor):  # type: ignore[misc]  # transformers is untyped
    """Makes the likeliest token a sample (Gumbel-max) of the likeliest ones that have `top_p` together.

    Each row has its own seed, so that what is drawn for it depends on no other. The noise of a step follows
    on that of the last: an object serves one batch.
    """

    def __init__(self, seeds: Sequence[int], *, temperature: float, top_p: float) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.temperature, self.top_p = temperature, top_p

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) with noise on the tokens that may be drawn, -inf elsewhere."""
        V = scores.shape[1]
        shares, ids = (scores / self.temperature).softmax(-1).topk(min(CANDIDATES, V))
        beyond = shares.cumsum(-1) - shares >= self.top_p
        uniform = torch.stack([torch.rand(V, generator=generator) for generator in self.generators])
        noise = -(-uniform.log()).log().to(scores.device)
        drawn = (shares.log() + noise.gather(1, ids)).masked_fill(beyond, -torch.inf)
        return torch.full_like(scores, -torch.inf).scatter(1, ids, drawn)
