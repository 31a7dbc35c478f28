"""Tokens a second of a tuned decoder: `transformers`' `generate` beside ours, llama.cpp and OpenVINO GenAI.

Takes a writer's run, or trains one on the sample corpus for an epoch, and has each system write behind the
same prompts, one after another, in turn and several times; reading the prompt counts. Each has a process of
its own, which waits while the others write: in one process, their libraries' threads slowed each other. A
run's own prompts are those of its data's validation, with the sentences that its selector chooses. Run it on
an idle machine, without OMP_WAIT_POLICY=PASSIVE, under which llama.cpp waits for its threads.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from shared import runs, train_verb
from shared.adapters import load_bundle
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.bundle_manifest import read_manifest
from shared.compose import compose_run
from shared.config import RunConfig
from shared.engines import TORCH, num_threads
from shared.export_verb import export
from shared.fast_tokenizer import FastTokenizer
from shared.genai import GenAI
from shared.gguf_export import write_decoder
from shared.llama import drafts, exported_llama
from shared.modules.products import has_fast_products
from shared.modules.speculation import SpeculativeWriter
from shared.phrases import Phrases
from shared.run_inputs import load, load_training, of_run
from shared.verb_config import GENAI, SPECULATIVE, WRITERS
from shared.writing import Wish
from tests.benchmarks.inference_speed import LEADERBOARDS
from tests.benchmarks.products import plain_products
from tests.benchmarks.published import publish

PROMPT, WRITTEN = 440, 112  # tokens
GENERATE, STATIC = "transformers, generate", "transformers, generate, static cache"
OURS = f"torch, products by {'oneDNN' if has_fast_products() else 'MKL'}"
COLD, STARTED = 5, ("gguf_q8_0", "genai_q8_0")  # starts of a new process, beside those of torch

Write = Callable[[Wish], list[int]]


def main() -> None:
    """Measure, print the tables, and put them where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.writing_speed", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument(
        "--run", type=Path, help="a summarization run of a decoder, in place of one of an epoch"
    )
    parser.add_argument("--texts", type=int, default=6, help="prompts; %(default)s if not given")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    torch.set_num_threads(num_threads(0))
    with tempfile.TemporaryDirectory() as name:
        run = given.run or trained(Path(name))
        if given.run:
            prompts = own_prompts(run, given.data_dir, number=given.texts)
            tables = [rate_table(run, Path(name), prompts, given.data_dir, repeats=given.repeats)]
        else:
            prompts = prompts_of(run, given.data_dir, number=given.texts)
            rates = rate_table(run, Path(name), prompts, given.data_dir, repeats=given.repeats)
            tables = [rates, cold_table(run)]
    bench, command = ("writing-tuned", " RUN=...") if given.run else ("writing", "")
    publish(tables, given.output, bench=bench, command=f"make bench-writing{command}", busy=busy)


def trained(folder: Path) -> Path:
    """Return a run of one epoch on the sample corpus."""
    words = [f"runs_dir='{folder}'", "train.epochs=1", "head.check=null"]
    return train_verb.train(compose_run("summarization", words), overrides=words)


def prompts_of(run: Path, data_dir: str, *, number: int) -> list[Wish]:
    """Return prompts of 440 tokens from the beginnings of ECTSum's validation documents."""
    tokenizer = FastTokenizer.of(load_bundle(run / runs.BUNDLE).tokenizer)
    data = compose_run("summarization", ["data=ectsum", f"data_dir='{data_dir}'"]).data
    before = tokenizer.encode("<|im_start|>user\n")
    after = tokenizer.encode("<|im_end|>\n<|im_start|>assistant\n")
    room = PROMPT - len(before) - len(after)
    texts = [tokenizer.encode("\n".join(example.sentences)) for example in data.load("validation")[:number]]
    return [Wish([*before, *tokens[:room], *after], WRITTEN) for tokens in texts]


def own_prompts(run: Path, data_dir: str, *, number: int) -> list[Wish]:
    """Return the prompts that the run's head makes of the first documents of its data's validation."""
    head: Any = load_bundle(run / runs.BUNDLE).head
    examples = load(_config_of(run, data_dir), "validation")[:number]
    return [wish for (wish,) in head.wishes(head.encode(examples))]


def _config_of(run: Path, data_dir: str) -> RunConfig:
    words = [f"data_dir='{data_dir}'"]
    return of_run(compose_run("summarization", [f"run='{run}'", *words]), run, words)


def generating(backbone: Any, tokenizer: Any, **settings: Any) -> Write:
    """Return what writes by `generate`, one prompt at a time, the likeliest token each time."""

    def write(wish: Wish) -> list[int]:
        ids = torch.tensor([wish.tokens])
        found = backbone.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=wish.limit,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **settings,
        )
        written: list[int] = found[0, ids.shape[1] :].tolist()
        return written

    return write


@dataclass(frozen=True)
class Writer:
    """What writes, and where a process finds its weights."""

    system: str
    bundle: Path
    folder: Path  # of the export, where the system is an engine's
    phrases: Phrases  # that drafts of ours come from
    end: int  # id of the token that ends an answer
    context: int  # tokens of a prompt and its answer at most
    sampled: bool  # whether answers of the run are drawn at random
    threads: int

    def load(self) -> Write:
        """Return what writes behind a prompt."""
        if self.system in GENAI:
            return GenAI(self.folder, end=self.end, threads=self.threads, drafts=not self.sampled).write
        if self.system in WRITERS:
            return exported_llama(
                self.folder,
                {**read_manifest(self.bundle), "format": self.system},
                end=self.end,
                context=self.context,
                threads=self.threads,
                drafted=drafts(self.system, sampled=self.sampled),
            ).write
        torch.set_num_threads(self.threads)
        model = load_bundle(self.bundle)
        backbone, tokenizer = model.backbone, model.tokenizer
        if self.system == SPECULATIVE:
            return SpeculativeWriter(backbone, tokenizer, self.phrases).write
        if self.system in (GENERATE, STATIC):
            plain_products(model)
        settings = {"cache_implementation": "static"} if self.system == STATIC else {}
        return generating(backbone, tokenizer, **settings)


_write: Write  # of the process of one writer


def begin(writer: Writer, prompt: Wish) -> None:
    """Load the writer of this process, and let it write once."""
    global _write
    _write = writer.load()
    written_behind([prompt])


def written_behind(prompts: Sequence[Wish]) -> tuple[list[list[int]], float]:
    """Return what this process's writer writes behind the prompts, and the seconds that took."""
    with torch.inference_mode():
        started = time.perf_counter()
        texts = [_write(prompt) for prompt in prompts]
        return texts, time.perf_counter() - started


def rate_table(run: Path, work: Path, prompts: Sequence[Wish], data_dir: str, *, repeats: int) -> SpeedTable:
    """Return the table of rates, each beside `generate`, and how far its texts are the same."""
    bundle = run / runs.BUNDLE
    model = load_bundle(bundle)
    head: Any = model.head
    phrases = Phrases.of(head.targets(load_training(_config_of(run, data_dir))))
    for engine in WRITERS:
        (work / engine).mkdir()
        write_decoder(model, bundle, work / engine, format=engine)
    longest = max(len(wish.tokens) + wish.limit for wish in prompts)
    rates: dict[str, list[float]] = {}
    texts: dict[str, list[list[int]]] = {}
    context = multiprocessing.get_context("spawn")
    with ExitStack() as processes:
        pools = {}
        for system in (GENERATE, STATIC, OURS, SPECULATIVE, *WRITERS):
            writer = Writer(
                system=system,
                bundle=bundle,
                folder=work / system,
                phrases=phrases,
                end=model.tokenizer.eos_token_id,
                context=longest,
                sampled=head.sampled,
                threads=num_threads(0),
            )
            pool = ProcessPoolExecutor(1, context, initializer=begin, initargs=(writer, prompts[0]))
            pools[system], rates[system] = processes.enter_context(pool), []
            pools[system].submit(written_behind, []).result()  # it has begun before the next one does
        for _ in range(repeats):
            for system, pool in pools.items():
                texts[system], seconds = pool.submit(written_behind, prompts).result()
                rates[system].append(sum(map(len, texts[system])) / seconds)
    base, exact = statistics.median(rates[GENERATE]), texts[GENERATE]
    rows = [
        row_of(
            name,
            statistics.median(found),
            statistics.median(found) / base,
            f"{sum(a == b for a, b in zip(texts[name], exact, strict=True))} of {len(exact)}",
            f"{100 * agreement(texts[name], exact):.1f} %",
        )
        for name, found in rates.items()
    ]
    lengths = sorted(len(wish.tokens) for wish in prompts)
    written = sum(map(len, exact)) / len(exact)
    note = (
        f"{len(prompts)} prompts of {lengths[0]} to {lengths[-1]} tokens; {written:.0f} written behind each "
        "on average, greedily; reading the prompt counts. Each system has a process of its own, in turn. "
        f"*{SPECULATIVE}* knows {len(phrases.following):,} phrases that several training texts share. "
        "*Same tokens*: the share of generate's up to the first other one."
    )
    return SpeedTable(
        "SmolLM2-135M, one prompt at a time: tokens written a second",
        note,
        ["system", "tokens/s", "to generate", "same texts", "same tokens"],
        rows,
    )


def agreement(texts: Sequence[Sequence[int]], exact: Sequence[Sequence[int]]) -> float:
    """Return the share of the exact tokens that come before the first one that differs."""
    same = 0
    for found, wanted in zip(texts, exact, strict=True):
        for left, right in zip(found, wanted, strict=False):
            if left != right:
                break
            same += 1
    return same / sum(map(len, exact))


def cold_table(run: Path) -> SpeedTable:
    """Return the wall time of `predict` on one short report, from the start of a process to its end."""
    for engine in STARTED:
        words = [f"run='{run}'", f"export.format={engine}", "export.force=true"]
        export(compose_run("summarization", words), overrides=[])
    rows = []
    with tempfile.TemporaryDirectory() as name:
        one = Path(name) / "one.txt"
        one.write_text(
            "Revenue of Orla Lines rose 12% to $41.2 million in the second quarter.\n", encoding="utf-8"
        )
        for engine in (TORCH, *STARTED):
            words = [f"run={run}", f"engine={engine}", f"predict.input={one}", "predict.check=false"]
            command = [sys.executable, "-m", "tasks.summarization", "predict", *words]
            seconds = []
            for _ in range(COLD):
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds.append(time.perf_counter() - started)
            rows.append(row_of(engine, statistics.median(seconds), min(seconds), max(seconds)))
    note = f"`python -m tasks.summarization predict` on one line, {COLD} starts of a new process; wall time."
    return SpeedTable("A cold start", note, ["engine", "median s", "lowest", "highest"], rows)


if __name__ == "__main__":
    main()
