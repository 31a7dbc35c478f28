"""llama.cpp as what writes: a decoder's answers without torch.

A server of llama.cpp runs inside the process, on a port of the loopback that nobody is told. One prompt is
written after another, so that no answer depends on the company it is written in. What is kept of a prompt has
16 bits, whatever the weights have.
"""

from __future__ import annotations

import importlib.util
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
from shared.training_config import ModelConfig
from shared.typed_config import typed
from shared.writing import Wish

WEIGHTS, LORA = "model.gguf", "lora.gguf"
SEEDS = 2**32  # llama.cpp's own are below it
LORA_FORMAT = "gguf_lora"
SILENT = 0  # of llama.cpp's levels of what it reports
SPARE = 8  # places of the context beyond the longest prompt and answer


class Llama:
    """A model in GGUF; `context` is how many tokens a prompt and its answer have together at most.

    `end` is the id of the token that ends an answer.
    """

    def __init__(
        self, weights: Path, *, end: int, context: int, threads: int, lora: Path | None = None
    ) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise UserError("this engine needs xllamacpp: pip install 'rightsize[engines]'")
        import xllamacpp

        settings = xllamacpp.CommonParams()
        settings.model.path = str(weights)
        settings.n_ctx, settings.n_parallel, settings.warmup = context + SPARE, 1, False
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        settings.verbosity, settings.ui = SILENT, False
        settings.api_keys = [secrets.token_hex()]  # nobody else is to ask it
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
        return [part["__verbose"] for part in parts]


def load_llama(
    folder: Path, head: WritingHead, tokenizer: FastTokenizer, *, manifest: Mapping[str, Any], threads: int
) -> OneByOne:
    """Return the engine of an export's folder; raises `UserError` as `exported_llama` does."""
    end = tokenizer.eos_token_id
    llama = exported_llama(folder, manifest, end=end, context=head.context, threads=threads)
    return OneByOne(head, llama, padding=tokenizer.pad_token_id)


def exported_llama(
    folder: Path, manifest: Mapping[str, Any], *, end: int, context: int, threads: int
) -> Llama:
    """Return what writes by an export's merged weights, or by its LoRA on the base's own GGUF.

    Raises `UserError` where that base, or llama.cpp, is not there, and `BundleError` for another base.
    """
    if manifest["format"] != LORA_FORMAT:
        return Llama(folder / WEIGHTS, end=end, context=context, threads=threads)
    config = typed(manifest["model"], ModelConfig, path="model")
    weights, digest = find_weights(config)
    if digest != manifest["base_sha256"]:
        raise BundleError(f"{folder} was made for {config.name} with sha256 {manifest['base_sha256']}")
    return Llama(weights, end=end, context=context, threads=threads, lora=folder / LORA)
