"""Query writing: the queries that readers of a passage would write, a line each, by a decoder.

The prompt is an instruction, shots where the base is used as it is, and the passage; training masks it from
the loss. Each answer is sampled with noise of its own, drawn from the passage's text: the same passage always
gets the same queries, whatever is written beside it (`shared.writing`).

B passages in a batch, S samples of each, T tokens, N new tokens at most.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LogitsProcessor

from shared.contracts import Arrays, Base, Outputs, Reviewer, Types
from shared.decoder import load_decoder
from shared.errors import BundleError
from shared.heads.settings import QueryWriting
from shared.passages import QueryExample, QueryPrediction
from shared.writing import (
    Drawn,
    frame,
    lines_of,
    mask,
    padded,
    read_beginning,
    target_loss,
    taught,
    tokens_of,
    written,
)

WIDTH_STEP = 64  # prompts are padded to a multiple of it: most are far shorter than the longest
_LIST_MARK = re.compile(r"^(?:\d{1,2}[.)](?!\d)|[-*•])\s*")

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Prompt:
    """One passage to be read, and the queries that are to be written."""

    example: int
    tokens: list[int]  # the passage and what follows it; what stands in front is the same for all
    width: int  # that the tokens are padded to when they are read to write
    target: list[int]  # empty where there are no queries
    key: int  # of the passage's text: it seeds the noise
    truncated_tokens: int  # of the passage and of the target, beyond their budgets

    @property
    def num_tokens(self) -> int:
        """Tokens of passage and target; the beginning that all prompts share is read once."""
        return len(self.tokens) + len(self.target)


class QueryWritingHead:
    """See `shared.contracts.Head`; its `logits` are the token ids that were written, (S, N) a passage."""

    def __init__(self, settings: QueryWriting, *, types: Types, tokenizer: Any) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers, self.inspector = False, None
        self.reviewer: Reviewer | None = None
        self.bundles: dict[str, Path] = {}
        self.decoding: dict[str, float] = {}
        self.kept: dict[str, Any] = {}
        self.source: dict[str, str] = {}
        self.module = nn.Module()  # the language model's own output layer writes
        shots = [(shot["passage"].strip(), shot["queries"].strip()) for shot in settings.shots]
        self._before, self._after = frame(tokenizer, settings.instruction, shots=shots)

    def start(self, backbone: nn.Module, examples: Sequence[QueryExample]) -> None:
        """Do nothing: the language model starts as it is."""

    def encode(self, examples: Sequence[QueryExample]) -> list[Prompt]:
        """Return one prompt per passage; what does not fit its budget is counted."""
        return [self._prompt(number, example) for number, example in enumerate(examples)]

    def _prompt(self, number: int, example: QueryExample) -> Prompt:
        limit = self.settings.passage_tokens
        passage = tokens_of(self.tokenizer, example.text)
        tokens = [*passage[:limit], *self._after]
        target, cut = self._target(example.queries)
        return Prompt(
            example=number,
            tokens=tokens,
            width=min(-(-len(tokens) // WIDTH_STEP) * WIDTH_STEP, limit + len(self._after)),
            target=target,
            key=_digest(example.text),
            truncated_tokens=max(0, len(passage) - limit) + cut,
        )

    def _target(self, queries: Sequence[str]) -> tuple[list[int], int]:
        """Return the tokens of the first queries, as many as fit whole, and the end; and how many are cut.

        A first query that is too long alone is cut in itself.
        """
        if not queries:
            return [], 0
        room = self.settings.max_new_tokens - 1
        heads = [tokens_of(self.tokenizer, "\n".join(queries[: n + 1])) for n in range(len(queries))]
        fitting = [tokens for tokens in heads if len(tokens) <= room] or [heads[0][:room]]
        return [*fitting[-1], self.tokenizer.eos_token_id], len(heads[-1]) - len(fitting[-1])

    def collate(self, features: Sequence[Prompt]) -> Arrays:
        """Return for training a `taught` batch; passages and their mask (B, T), widths and keys (B,)."""
        fill, width = self.tokenizer.pad_token_id, max(prompt.width for prompt in features)
        passages, targets = [prompt.tokens for prompt in features], [prompt.target for prompt in features]
        return {
            **taught([[*self._before, *passage] for passage in passages], targets, fill=fill),
            "passages": padded(passages, width, fill=fill),
            "passage_mask": mask(passages, width),
            "widths": np.array([prompt.width for prompt in features]),
            "keys": np.array([prompt.key for prompt in features]),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return in training the cross-entropy of the targets; else the ids that were written (B, S, N)."""
        if backbone.training:
            return target_loss(backbone, batch)
        passages, widths = batch["passages"], batch["widths"]
        beginning = read_beginning(backbone, self._before, device=passages.device)
        shape = (len(passages), self.settings.samples, self.settings.max_new_tokens)
        ids = passages.new_zeros(shape)
        for width in sorted(set(widths.tolist())):
            chosen = (widths == width).nonzero().flatten()
            ids[chosen] = self._written(backbone, batch, chosen, width, beginning).view(-1, *shape[1:])
        return Outputs(logits=ids)

    def _written(
        self, backbone: nn.Module, batch: Mapping[str, Tensor], chosen: Tensor, width: int, beginning: Any
    ) -> Tensor:
        """Return (samples of all chosen passages, N): the samples of a passage stand together."""
        rows = chosen.repeat_interleave(self.settings.samples)
        before = rows.new_tensor(self._before).expand(len(rows), -1)
        seeds = self._seeds(batch["keys"][chosen].tolist())
        return written(
            backbone,
            self.tokenizer,
            torch.cat([before, batch["passages"][rows, -width:]], 1),
            torch.cat([torch.ones_like(before), batch["passage_mask"][rows, -width:]], 1),
            limits=self.settings,
            processors=lambda indices: self._processors([seeds[index] for index in indices]),
            beginning=beginning,
        )

    def _seeds(self, keys: Sequence[int]) -> list[int]:
        seed, samples = self.settings.sampling_seed, range(self.settings.samples)
        return [_digest(f"{seed} {key} {sample}") for key in keys for sample in samples]

    def _processors(self, seeds: Sequence[int]) -> list[LogitsProcessor]:
        settings = self.settings
        if not settings.temperature:
            return []
        return [Drawn(seeds, temperature=settings.temperature, top_p=settings.top_p)]

    def decode(
        self, examples: Sequence[QueryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> list[QueryPrediction]:
        """Return the queries of each passage, in the order they were written; none of an empty passage."""
        return [
            QueryPrediction(example.id, self._queries(ids) if example.text.strip() else ())
            for example, ids in zip(examples, logits, strict=True)
        ]

    def _queries(self, samples: Array) -> tuple[str, ...]:
        answers = samples.astype(np.int64).tolist()
        lines = [line for ids in answers for line in lines_of(self.tokenizer, ids)]
        return distinct_queries(lines)[: self.settings.queries]

    def measures(self, validation: Sequence[QueryExample]) -> bool:
        """Return False: nothing is measured on train after training."""
        return False

    def measure(
        self, examples: Sequence[QueryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> None:
        """Do nothing: see `measures`."""

    def remember(
        self, examples: Sequence[QueryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> None:
        """Do nothing: a query stands for itself."""

    def tune(
        self, examples: Sequence[QueryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> None:
        """Do nothing: sampling has no threshold."""

    def ask(self, types: Types) -> None:
        """Accept what was trained alone."""
        if dict(types) != self.types:
            raise BundleError(f"this bundle writes queries, asked for: {', '.join(types)}")

    def row(self, example: QueryExample, prediction: QueryPrediction) -> dict[str, Any]:
        """Return the queries."""
        return {"id": prediction.id, "queries": list(prediction.queries)}

    def finds(self) -> str:
        """Return what is written."""
        return f"queries that a passage answers, at most {self.settings.queries} a passage"


def build(settings: QueryWriting, base: Base, *, types: Types) -> tuple[nn.Module, Any, QueryWritingHead]:
    """Return the decoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_decoder(base)
    return backbone, tokenizer, QueryWritingHead(settings, types=types, tokenizer=tokenizer)


def distinct_queries(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines without list marks, each once: case, white space and marks at its end aside."""
    found: dict[str, str] = {}
    for line in lines:
        query = _LIST_MARK.sub("", line).strip()
        key = " ".join(query.casefold().split()).rstrip(" .?!:;,")
        if key:
            found.setdefault(key, query)
    return tuple(found.values())


def _digest(text: str) -> int:
    """Return 63 bits of the text's sha256, as a seed and a tensor hold them."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1
