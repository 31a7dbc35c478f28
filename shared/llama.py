"""llama.cpp as what writes: a decoder's answers without torch.

A server of llama.cpp runs inside the process, on a port of the loopback that nobody is told. One prompt is
written after another, so that no answer depends on the company it is written in. What is kept of a prompt has
16 bits, whatever the weights have.

Where the last tokens stood before, in the prompt or in what is written, what followed there is a draft: the
model reads it in one pass and keeps as much of it as it would have written itself (Leviathan et al. 2023,
'Fast inference from transformers via speculative decoding'; Saxena 2023, 'Prompt lookup decoding').
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.bases import find_weights
from shared.contracts import WritingHead
from shared.copied_numbers import numbers_grammar
from shared.errors import BundleError, UserError
from shared.fast_tokenizer import FastTokenizer
from shared.one_by_one import OneByOne
from shared.runtimes import runtime
from shared.training_config import ModelConfig
from shared.typed_config import typed
from shared.writing import Wish

WEIGHTS, LORA = "model.gguf", "lora.gguf"
SEEDS = 2**32  # llama.cpp's own are below it
EXACT, LORA_FORMAT = "gguf", "gguf_lora"
SILENT = 0  # of llama.cpp's levels of what it reports
SPARE = 8  # places of the context beyond the longest prompt and answer
LOOKED_UP = 2  # last tokens that must have stood before
DRAFTED = 6  # tokens of a draft, at most


class Llama:
    """A model in GGUF; `context` is how many tokens a prompt and its answer have together at most.

    `end` is the id of the token that ends an answer; `drafted` is how many tokens a draft has at most, 0 for
    none, and `taken` how many tokens of all answers came of drafts.
    """

    taken = 0

    def __init__(
        self,
        weights: Path,
        *,
        end: int,
        context: int,
        threads: int,
        lora: Path | None = None,
        drafted: int,
    ) -> None:
        xllamacpp = runtime("xllamacpp")
        settings = xllamacpp.CommonParams()
        settings.model.path = str(weights)
        settings.n_ctx, settings.n_parallel, settings.warmup = context + SPARE, 1, False
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        settings.verbosity, settings.ui = SILENT, False
        settings.api_keys = [secrets.token_hex()]  # nobody else is to ask it
        if drafted:
            kinds, lookup = xllamacpp.common_speculative_type, settings.speculative.ngram_simple
            settings.speculative.types = [kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
            lookup.size_n, lookup.size_m, lookup.min_hits = LOOKED_UP, drafted, 1
        if lora:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path, adapter.scale = str(lora), 1.0
            settings.lora_adapters = [adapter]
        self._server, self._end = xllamacpp.Server(settings), end
        self.write(Wish([end], 1))  # one that never answered cannot be given up: it would wait without end

    def write(self, wish: Wish) -> list[int]:
        """Return the token ids that are written, the end included where it came."""
        asked: dict[str, Any] = {
            "prompt": wish.tokens,
            "n_predict": wish.limit,
            "return_tokens": True,
            "verbose": True,  # or it answers by texts alone
            "cache_prompt": False,  # a beginning that was kept differs in the last bit from one that is read
            "samplers": ["top_p", "temperature"] if wish.temperature else ["top_k"],
            "top_k": 1,
            "top_p": wish.top_p,
            "temperature": wish.temperature,
            "seed": wish.seed % SEEDS,
        }
        if wish.numbers is not None:
            asked["grammar"] = numbers_grammar(wish.numbers)
        answers = self._completed({**asked, "stream": wish.show is not None}, show=wish.show)
        tokens: list[int] = [token for answer in answers for token in answer["tokens"]]
        if answers[-1]["stop_type"] == "eos":  # of several ids that it takes for an end
            tokens[-1] = self._end
        return tokens

    def _completed(
        self, asked: Mapping[str, Any], *, show: Callable[[str], None] | None
    ) -> list[dict[str, Any]]:
        """Return the answer in the parts it came in, each shown at once; without `stream` there is one."""
        parts: list[dict[str, Any]] = []

        def take(found: dict[str, Any]) -> bool:
            parts.append(found)  # what is raised in here would be lost
            if show and "__verbose" in found:
                show(found["__verbose"]["content"])
            return False  # go on

        self._server.handle_completions(dict(asked), take)
        if "__verbose" not in parts[-1]:
            raise UserError(f"llama.cpp does not write behind {len(asked['prompt'])} tokens: {parts[-1]}")
        if show:
            show("\n")
        self.taken += parts[-1]["__verbose"]["timings"].get("draft_n_accepted", 0)
        return [part["__verbose"] for part in parts]


def load_llama(
    folder: Path, head: WritingHead, tokenizer: FastTokenizer, *, manifest: Mapping[str, Any], threads: int
) -> OneByOne:
    """Return the engine of an export's folder; raises `UserError` as `exported_llama` does."""
    end, drafted = tokenizer.eos_token_id, drafts(manifest["format"], sampled=head.sampled)
    llama = exported_llama(folder, manifest, end=end, context=head.context, threads=threads, drafted=drafted)
    return OneByOne(head, llama, padding=tokenizer.pad_token_id)


def drafts(format: str, *, sampled: bool) -> int:
    """Return how many tokens to draft at most, 0 where that does not pay.

    What is drawn at random is seldom what stood before; and weights of fewer bits round several tokens read
    at once otherwise than one, so that drafts would change the text.
    """
    return DRAFTED if format == EXACT and not sampled else 0


def exported_llama(
    folder: Path, manifest: Mapping[str, Any], *, end: int, context: int, threads: int, drafted: int
) -> Llama:
    """Return what writes by an export's merged weights, or by its LoRA on the base's own GGUF.

    Raises `UserError` where that base, or llama.cpp, is not there, and `BundleError` for another base.
    """
    if manifest["format"] != LORA_FORMAT:
        return Llama(folder / WEIGHTS, end=end, context=context, threads=threads, drafted=drafted)
    config = typed(manifest["model"], ModelConfig, path="model")
    weights, digest = find_weights(config)
    if digest != manifest["base_sha256"]:
        raise BundleError(f"{folder} was made for {config.name} with sha256 {manifest['base_sha256']}")
    lora = folder / LORA
    return Llama(weights, end=end, context=context, threads=threads, lora=lora, drafted=drafted)
