"""Prompts for a decoder, what it is to write behind them, and what it wrote, as text.

What writes is a torch model (`shared.modules.writing`) or llama.cpp (`shared.llama`).

B prompts in a batch, T tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.contracts import Arrays
from shared.fast_tokenizer import FastTokenizer
from shared.padding import Ids

IGNORED = -100  # a target that has no loss
_TEXT = "\0"  # stands for the text while the frame is cut


@dataclass(frozen=True)
class Wish:
    """What is to be written once behind a prompt; with a `temperature` of 0 the likeliest token each time."""

    tokens: list[int]
    limit: int  # tokens written at most
    numbers: frozenset[str] | None = None  # the only ones that may be written; None leaves them free
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    show: Callable[[str], None] | None = None  # told each piece as it is written, and the line's end


def frame(tokenizer: Any, instruction: str, *, shots: Sequence[tuple[str, str]] = ()) -> Arrays:
    """Return the tokens `before` a user's text and `after` it, as the base's chat template has them.

    The instruction is the system's message; each shot is a user's text with its answer. `tokenizer` is that
    of transformers, which knows the template.
    """
    messages = [{"role": "system", "content": instruction}]
    for text, answer in shots:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    messages.append({"role": "user", "content": _TEXT})
    framed = tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    before, _, after = framed.partition(_TEXT)
    read = FastTokenizer.of(tokenizer)
    return {"before": np.array(read.encode(before)), "after": np.array(read.encode(after))}


def padded(rows: Sequence[Sequence[int]], width: int, *, fill: int) -> Ids:
    """Return (B, width), each row behind its padding."""
    return np.array([[*[fill] * (width - len(row)), *row] for row in rows], dtype=np.int64)


def mask(rows: Sequence[Sequence[int]], width: int) -> Ids:
    """Return (B, width): 0 where `padded` pads, 1 elsewhere."""
    return padded([[1] * len(row) for row in rows], width, fill=0)


def taught(prompts: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], *, fill: int) -> Arrays:
    """Return tokens and mask of prompts with their targets, and the targets alone, for `target_loss`."""
    rows = [[*prompt, *target] for prompt, target in zip(prompts, targets, strict=True)]
    width = max(map(len, rows))
    return {
        "tokens": padded(rows, width, fill=fill),
        "mask": mask(rows, width),
        "targets": padded(targets, max([1, *map(len, targets)]), fill=IGNORED),
    }


def lines_of(tokenizer: FastTokenizer, ids: Sequence[int]) -> list[str]:
    """Return the lines that were written, stripped; one that was cut off at the last token is left out."""
    end = tokenizer.eos_token_id
    ended = end in ids
    text = tokenizer.decode(ids[: ids.index(end)] if ended else ids)
    lines = text.splitlines() if ended else text.splitlines()[:-1]
    return [line.strip() for line in lines if line.strip()]
