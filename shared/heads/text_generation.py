"""Text generation: a summary of a document's chosen sentences, bullet by bullet, by a decoder.

The prompt holds the sentences that a selector ranks highest, in the document's order, as far as the token
budget goes; training masks it from the loss. Decoding is greedy, in batches of one shape (`shared.writing`).
Where a checker sends a summary back, the writer goes on behind the bullets that stood, and every number it
then writes must be one that its prompt has.

B documents in a batch, T tokens, N new tokens at most, V words of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Engine, Outputs, Reviewer, Types
from shared.copied_numbers import numbers_of
from shared.errors import BundleError, UserError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import TextGeneration
from shared.writing import Wish, lines_of, mask, padded, taught

if TYPE_CHECKING:
    from torch import Tensor, nn

SELECTOR = "selector"  # the name of the selector's bundle inside this one's
SELECTOR_TOKENS = 8192  # the selector's batch budget

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Prompt:
    """What the writer reads of one document, and what it is to write."""

    example: int
    tokens: list[int]
    target: list[int]  # empty where there is no summary
    read: tuple[int, ...]  # the sentences in the prompt, in the document's order
    begun: bool  # whether bullets stand already: then numbers are copied
    truncated_tokens: int  # of the chosen sentences and of the target, beyond their budgets

    @property
    def num_tokens(self) -> int:
        """Tokens of prompt and target."""
        return len(self.tokens) + len(self.target)


class TextGenerationHead:
    """See `shared.contracts.Head`; its `logits` are the token ids that were generated."""

    def __init__(
        self, settings: TextGeneration, *, types: Types, tokenizer: FastTokenizer, module: Any
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers, self.inspector = False, None
        self.decoding: dict[str, float] = {}
        self.kept: dict[str, Any] = {}
        self.source: dict[str, str] = {}
        self.module = module
        self.reviewer: Reviewer | None = settings.reviewer()
        self.bundles = {SELECTOR: Path(settings.selector)} if settings.selector else {}
        self.engines: dict[str, Engine] = {}
        self.show: Callable[[str], None] | None = None
        self._before, self._after = (module.arrays()[name].tolist() for name in ("before", "after"))

    def start(self, backbone: nn.Module, examples: Sequence[SummaryExample]) -> None:
        """Raise `UserError` where the selector is missing; the language model starts as it is."""
        for path in self.bundles.values():
            if not path.is_dir():
                raise UserError(
                    f"head.selector={str(path)!r} is no folder; train one: "
                    "python -m tasks.summarization train model=minilm head=sentence_selection"
                )

    def encode(self, examples: Sequence[SummaryExample]) -> list[Prompt]:
        """Return one prompt per document; what does not fit its budget is counted."""
        ranks = self._ranked(examples)
        return [
            self._prompt(number, example, ranked)
            for number, (example, ranked) in enumerate(zip(examples, ranks, strict=True))
        ]

    def _ranked(self, examples: Sequence[SummaryExample]) -> list[Sequence[int]]:
        """Return the sentences of each document, best first: by the selector, or as they come."""
        asked = [
            replace(example, bullets=()) for example in examples if not example.chosen
        ]  # gold is not seen
        if not self.bundles or not asked:
            return [example.chosen or range(len(example.sentences)) for example in examples]
        from shared.evaluate import infer

        if SELECTOR not in self.engines:
            from shared.adapters import load_bundle

            self.engines[SELECTOR] = load_bundle(self.bundles[SELECTOR])
        selector = self.engines[SELECTOR]
        head: Any = selector.head
        features = head.encode(asked)
        logits = infer(selector, features, batch_tokens=SELECTOR_TOKENS)
        found = iter(head.rank(asked, features, logits))
        return [example.chosen or next(found) for example in examples]

    def _prompt(self, number: int, example: SummaryExample, ranked: Sequence[int]) -> Prompt:
        room, beyond = self.settings.prompt_tokens, 0
        chosen: dict[int, list[int]] = {}
        for index in ranked[: self.settings.sentences]:
            tokens = self.tokenizer.encode(example.sentences[index] + "\n")
            if not chosen and len(tokens) > room:  # the best sentence alone is too long
                beyond += len(tokens) - room
                tokens = tokens[:room]
            if len(tokens) > room:
                beyond += len(tokens)
                continue
            chosen[index] = tokens
            room -= len(tokens)
        read = tuple(sorted(chosen))
        target, cut = self._target(example)
        begun = self.tokenizer.encode("".join(f"{line}\n" for line in example.begun or ()))
        return Prompt(
            example=number,
            tokens=[*self._before, *(t for index in read for t in chosen[index]), *self._after, *begun],
            target=target,
            read=read,
            begun=example.begun is not None,
            truncated_tokens=beyond + cut,
        )

    def _target(self, example: SummaryExample) -> tuple[list[int], int]:
        """Return the summary's tokens and the end, and how many tokens were cut."""
        if not example.bullets:
            return [], 0
        tokens = [*self.tokenizer.encode("\n".join(example.bullets)), self.tokenizer.eos_token_id]
        limit = self.settings.max_new_tokens
        return tokens[:limit], max(0, len(tokens) - limit)

    def collate(self, features: Sequence[Prompt]) -> Arrays:
        """Return for training tokens, mask, targets (B, T), and the prompts (B, P), all padded in front.

        P is the same for all prompts of a kind: those that begin, and those that go on.
        """
        begun = any(prompt.begun for prompt in features)
        width = self._room + self.settings.max_new_tokens * begun
        prompts, fill = [prompt.tokens for prompt in features], self.tokenizer.pad_token_id
        return {
            **taught(prompts, [prompt.target for prompt in features], fill=fill),
            "prompts": padded(prompts, width, fill=fill),
            "prompt_mask": mask(prompts, width),
            "begun": np.array([prompt.begun for prompt in features]),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return in training the cross-entropy of the targets; else the generated ids (B, N)."""
        outputs: Outputs = self.module(backbone, batch, self.show)
        return outputs

    @property
    def _room(self) -> int:
        return len(self._before) + self.settings.prompt_tokens + len(self._after)

    @property
    def context(self) -> int:
        """Tokens of a prompt, what stood of an answer and what is written behind it, at most."""
        return self._room + 2 * self.settings.max_new_tokens

    @property
    def sampled(self) -> bool:
        """Whether answers are drawn at random."""
        return False

    def wishes(self, features: Sequence[Prompt]) -> list[list[Wish]]:
        """See `shared.contracts.WritingHead`."""
        limit = self.settings.max_new_tokens
        return [
            [Wish(prompt.tokens, limit, numbers=self._numbers(prompt), show=self.show)] for prompt in features
        ]

    def targets(self, examples: Sequence[SummaryExample]) -> list[list[int]]:
        """See `shared.contracts.WritingHead`."""
        return [self._target(example)[0] for example in examples if example.bullets]

    def _numbers(self, prompt: Prompt) -> frozenset[str] | None:
        return numbers_of(self.tokenizer.decode(prompt.tokens)) if prompt.begun else None

    def decode(
        self, examples: Sequence[SummaryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> list[SummaryPrediction]:
        """Return the bullets that were written; one that was cut off at the last token is left out."""
        return [
            self._summary(examples[prompt.example], prompt, ids.astype(np.int64).ravel().tolist())
            for prompt, ids in zip(features, logits, strict=True)
        ]

    def _summary(self, example: SummaryExample, prompt: Prompt, ids: list[int]) -> SummaryPrediction:
        if not any(sentence.strip() for sentence in example.sentences):
            return SummaryPrediction(example.id, abstained="the document is empty")
        bullets = [*(example.begun or ()), *lines_of(self.tokenizer, ids)]
        return SummaryPrediction(
            example.id,
            tuple(map(Bullet, bullets)),
            abstained="" if bullets else "nothing was written",
            read=prompt.read,
        )

    def measures(self, validation: Sequence[SummaryExample]) -> bool:
        """Return False: nothing is measured on train after training."""
        return False

    def measure(
        self, examples: Sequence[SummaryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> None:
        """Do nothing: see `measures`."""

    def remember(
        self, examples: Sequence[SummaryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> None:
        """Do nothing: a bullet shows the sentences it rests on."""

    def tune(
        self, examples: Sequence[SummaryExample], features: Sequence[Prompt], logits: Sequence[Array]
    ) -> None:
        """Do nothing: greedy decoding has no threshold."""

    def ask(self, types: Types) -> None:
        """Accept what was trained alone."""
        if dict(types) != self.types:
            raise BundleError(f"this bundle writes summaries, asked for: {', '.join(types)}")

    def row(self, example: SummaryExample, prediction: SummaryPrediction) -> dict[str, Any]:
        """Return the bullets, each with the sentences it rests on, what a check did to it and how sure it is.

        Those that are held back stand apart, with the reason.
        """

        def shown(bullets: Sequence[Bullet]) -> list[dict[str, Any]]:
            return [
                {
                    "text": bullet.text,
                    "evidence": [{"sentence": i, "text": example.sentences[i]} for i in bullet.sources],
                    "mark": bullet.mark,
                    "faults": list(bullet.faults),
                    "confidence": bullet.confidence,
                }
                for bullet in bullets
            ]

        held = {"reason": prediction.withheld, "unsure": shown(prediction.unsure)}
        row = {"id": prediction.id, "bullets": shown(prediction.bullets), "abstained": prediction.abstained}
        return {**row, **held} if prediction.withheld else row

    def finds(self) -> str:
        """Return what is written."""
        checked = ", checked against the document" if self.reviewer else ""
        return f"summaries of at most {self.settings.max_new_tokens} tokens{checked}"
