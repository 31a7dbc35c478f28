"""OpenVINO GenAI as what writes: a decoder's answers without torch, by weights of 16 or 8 bits.

It computes in float32, and keeps that of a prompt. One prompt is written after another and nothing is kept of
those before, so that no answer depends on the company it is written in. Where the last tokens stood before,
what followed there is read in one pass as a draft (Saxena 2023, 'Prompt lookup decoding').
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shared.contracts import WritingHead
from shared.copied_numbers import numbers_grammar
from shared.errors import UserError
from shared.fast_tokenizer import FastTokenizer
from shared.one_by_one import OneByOne
from shared.runtimes import runtime
from shared.writing import Wish

PACKAGE = "openvino_genai"
LOOKED_UP = 3  # last tokens that are looked for, at most
DRAFTED = 6  # tokens of a draft, at most


class GenAI:
    """A decoder in OpenVINO's own format; `end` is the id of the token that ends an answer.

    `drafts` is whether what stood before is read as a draft: what is drawn at random seldom stood before.
    """

    def __init__(self, folder: Path, *, end: int, threads: int, drafts: bool) -> None:
        self._genai, self._openvino = runtime(PACKAGE), runtime("openvino")
        schedule = self._genai.SchedulerConfig()
        schedule.enable_prefix_caching, schedule.max_num_seqs = False, 1
        self._pipeline = self._genai.LLMPipeline(
            str(folder),
            "CPU",
            scheduler_config=schedule,
            INFERENCE_NUM_THREADS=threads,
            INFERENCE_PRECISION_HINT="f32",
            KV_CACHE_PRECISION="f32",
            **({"prompt_lookup": True} if drafts else {}),
        )
        self._end, self._drafts = end, drafts

    def write(self, wish: Wish) -> list[int]:
        """Return the token ids that are written, the end included where it came."""
        ids = np.array([wish.tokens], dtype=np.int64)
        prompt = self._genai.TokenizedInputs(*map(self._openvino.Tensor, (ids, np.ones_like(ids))))
        show = wish.show
        streamer = (lambda piece: show(piece)) if show else None  # it goes on while None comes back
        found = self._pipeline.generate(prompt, self._settings(wish), streamer)
        if show:
            show("\n")
        return list(found.tokens[0])

    def _settings(self, wish: Wish) -> Any:
        settings = self._genai.GenerationConfig()
        settings.max_new_tokens, settings.stop_token_ids = wish.limit, {self._end}
        settings.apply_chat_template = False
        if wish.temperature:
            settings.do_sample, settings.rng_seed = True, wish.seed
            settings.temperature, settings.top_p = wish.temperature, wish.top_p
        if wish.numbers is not None:
            grammar = self._genai.StructuredOutputConfig(grammar=numbers_grammar(wish.numbers))
            settings.structured_output_config = grammar
        if self._drafts:
            settings.num_assistant_tokens, settings.max_ngram_size = DRAFTED, LOOKED_UP
        return settings


def load_genai(folder: Path, head: WritingHead, tokenizer: FastTokenizer, *, threads: int) -> OneByOne:
    """Return the engine of an export's folder; raises `UserError` where OpenVINO GenAI is not installed."""
    writer = GenAI(folder, end=tokenizer.eos_token_id, threads=threads, drafts=not head.sampled)
    return OneByOne(head, writer, padding=tokenizer.pad_token_id)


def convert(gguf: Path, folder: Path) -> None:
    """Fill the folder with a GGUF's model and vocabulary in OpenVINO's own format, which loads faster.

    Raises `UserError` where OpenVINO GenAI is not installed, or does not know the model.
    """
    genai = runtime(PACKAGE)
    try:
        genai.LLMPipeline(str(gguf), "CPU", enable_save_ov_model=True)  # beside the file
    except RuntimeError as error:
        why = str(error).strip().splitlines()[-1]
        raise UserError(
            f"OpenVINO GenAI does not read this model, use another export.format: {why}"
        ) from error
    for path in sorted(gguf.parent.iterdir()):
        if path != gguf:
            path.rename(folder / path.name)
