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
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Engine, Outputs, Reviewer, Types
from shared.errors import BundleError
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import QueryWriting
from shared.passages import QueryExample, QueryPrediction
from shared.writing import Wish, lines_of, mask, padded, taught

if TYPE_CHECKING:
    from torch import Tensor, nn

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

    def __init__(
        self, settings: QueryWriting, *, types: Types, tokenizer: FastTokenizer, module: Any
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers, self.inspector = False, None
        self.reviewer: Reviewer | None = None
        self.bundles: dict[str, Path] = {}
        self.decoding: dict[str, float] = {}
        self.kept: dict[str, Any] = {}
        self.source: dict[str, str] = {}
        self.module = module
        self.engines: dict[str, Engine] = {}
        self._before, self._after = (module.arrays()[name].tolist() for name in ("before", "after"))

    def start(self, backbone: nn.Module, examples: Sequence[QueryExample]) -> None:
        """Do nothing: the language model starts as it is."""

    def encode(self, examples: Sequence[QueryExample]) -> list[Prompt]:
        """Return one prompt per passage; what does not fit its budget is counted."""
        return [self._prompt(number, example) for number, example in enumerate(examples)]

    def _prompt(self, number: int, example: QueryExample) -> Prompt:
        limit = self.settings.passage_tokens
        passage = self.tokenizer.encode(example.text)
        tokens = [*passage[:limit], *self._after]
        target, cut = self._target(example.queries)
        return Prompt(
            example=number,
            tokens=tokens,
            width=min(-(-len(tokens) // WIDTH_STEP) * WIDTH_STEP, limit + len(self._after)),
            target=target,
            key=digest(example.text),
            truncated_tokens=max(0, len(passage) - limit) + cut,
        )

    def _target(self, queries: Sequence[str]) -> tuple[list[int], int]:
        """Return the tokens of the first queries, as many as fit whole, and the end; and how many are cut.

        A first query that is too long alone is cut in itself.
        """
        if not queries:
            return [], 0
        room = self.settings.max_new_tokens - 1
        heads = [self.tokenizer.encode("\n".join(queries[: n + 1])) for n in range(len(queries))]
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
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    @property
    def context(self) -> int:
        """Tokens of a prompt and an answer at most."""
        room = len(self._before) + self.settings.passage_tokens + len(self._after)
        return room + self.settings.max_new_tokens

    @property
    def sampled(self) -> bool:
        """Whether answers are drawn at random."""
        return self.settings.temperature > 0

    def wishes(self, features: Sequence[Prompt]) -> list[list[Wish]]:
        """See `shared.contracts.WritingHead`."""
        settings = self.settings
        return [
            [
                Wish(
                    [*self._before, *prompt.tokens],
                    settings.max_new_tokens,
                    temperature=settings.temperature,
                    top_p=settings.top_p,
                    seed=sample_seed(settings.sampling_seed, prompt.key, sample),
                )
                for sample in range(settings.samples)
            ]
            for prompt in features
        ]

    def targets(self, examples: Sequence[QueryExample]) -> list[list[int]]:
        """See `shared.contracts.WritingHead`."""
        return [self._target(example.queries)[0] for example in examples if example.queries]

    def decode(
        self, examples: Sequence[QueryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> list[QueryPrediction]:
        """Return the queries of each passage, in the order they were written; none of an empty passage."""
        return [
            QueryPrediction(example.id, self._queries(ids) if example.text.strip() else ())
            for example, ids in zip(examples, logits, strict=True)
        ]

    def _queries(self, samples: Array) -> tuple[str, ...]:
        answers = samples.astype(np.int64).reshape(self.settings.samples, -1).tolist()
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


def distinct_queries(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines without list marks, each once: case, white space and marks at its end aside."""
    found: dict[str, str] = {}
    for line in lines:
        query = _LIST_MARK.sub("", line).strip()
        key = " ".join(query.casefold().split()).rstrip(" .?!:;,")
        if key:
            found.setdefault(key, query)
    return tuple(found.values())


def sample_seed(seed: int, key: int, sample: int) -> int:
    """Return the seed of one of a passage's samples, from that of all and the passage's key."""
    return digest(f"{seed} {key} {sample}")


def digest(text: str) -> int:
    """Return 63 bits of the text's sha256, as a seed and a tensor hold them."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1
