"""Bundles: a trained specialist in one folder, complete, and proven by a reload in a new process.

The LoRA part is in plain PEFT format (`adapter_model.safetensors`, `adapter_config.json`): `peft` loads it
alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from shared.bases import find_base
from shared.bundle_manifest import CARD, MANIFEST, file_digests, read_manifest
from shared.contracts import Examples
from shared.errors import BundleError
from shared.evaluate import infer
from shared.example_rows import example_row, read_example
from shared.examples import Example
from shared.files import file_sha256, folder_atomic, write_text_atomic
from shared.fresh_process import FreshProcessError, in_fresh_process
from shared.model import Model, choose_trainable
from shared.model_card import model_card
from shared.passages import RankingExample
from shared.promise import Promises, promises_row
from shared.provenance import code_state, library_versions
from shared.training_config import LoraConfig, Method, ModelConfig
from shared.typed_config import build, typed

HEAD, BACKBONE = "head.safetensors", "backbone.safetensors"
FORMAT = 1
RELOAD_ROWS = 32
RELOAD_TOKENS = 8192  # the batch budget of the reload check, the same on both sides
RELOAD_PASSAGES = 8  # of a query that the reload check reads


@dataclass(frozen=True)
class Origin:
    """How a bundle came about: its task, the head's resolved YAML, the data and its licence."""

    task: str
    head: Mapping[str, Any]
    data: str
    data_licence: str


def save_bundle(model: Model, folder: Path, *, origin: Origin, lora: LoraConfig) -> None:
    """Write the bundle with a model card: whole or not at all.

    Raises `UserError` when the disk is full; an older bundle in the folder then stays.
    """
    with folder_atomic(folder, failures=(SafetensorError, RuntimeError)) as partial:
        if lora.method is Method.lora:
            # False: of the embeddings, only those of new tokens train, and these are part of the LoRA
            model.backbone.save_pretrained(str(partial), save_embedding_layers=False)  # type: ignore[operator]
        elif lora.method is Method.full:
            save_file(_contiguous(model.backbone), partial / BACKBONE)
        save_file(_contiguous(model.head_module), partial / HEAD)
        model.tokenizer.save_pretrained(str(partial))
        for name, inner in model.head.bundles.items():
            shutil.copytree(inner, partial / name)
        manifest = {
            "format": FORMAT,
            **asdict(origin),
            "model": asdict(model.config),
            "base_sha256": model.base.sha256,
            "lora": {**asdict(lora), "method": lora.method.name},
            "types": model.head.types,
            "finds": model.head.finds(),
            "decoding": model.head.decoding,
            "kept": model.head.kept,
            "promises": [],
            "code": asdict(code) if (code := code_state()) else None,
            "versions": library_versions(),
            "files": file_digests(partial),
        }
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
        (partial / CARD).write_text(str(model_card(partial)), encoding="utf-8")  # in place of peft's


def write_calibration(
    folder: Path, model: Model, promises: Sequence[Promises], *, check: Mapping[str, Any] | None = None
) -> None:
    """Put what validation gave into the bundle: the head's thresholds, and what is promised of answers.

    `check` are the settings by which the answers were checked, where they are not the bundle's own yet.
    """
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest |= {"decoding": model.head.decoding, "promises": promises_row(promises)}
    if check is not None:
        manifest["head"]["check"] = check
    write_text_atomic(path, json.dumps(manifest, indent=2, ensure_ascii=False))


def load_bundle(folder: Path, *, merge: bool = True, types: Mapping[str, str] | None = None) -> Model:
    """Return the trained model, its LoRA merged into the base unless told otherwise.

    `types` asks for other entity types than those trained; only heads that read type names can answer. Raises
    `BundleError` when a file is damaged, or when the base here is not the one it was trained on.
    """
    manifest = read_manifest(folder)
    config = typed(manifest["model"], ModelConfig, path="model")
    lora = typed(manifest["lora"], LoraConfig, path="lora")
    base = find_base(config)
    if base.sha256 != manifest["base_sha256"]:
        raise BundleError(
            f"{folder} was trained on {config.name} with sha256 {manifest['base_sha256']}; "
            f"the weights here have {base.sha256}: it would answer nonsense on them"
        )
    settings = build(manifest["head"], path="head")
    backbone, tokenizer, head = settings.build(base, types=manifest["types"])
    trainable = choose_trainable(backbone, lora, config, new_tokens=head.new_tokens)
    model = Model(trainable, head, tokenizer, config=config, base=base)
    if lora.method is Method.lora:
        peft.set_peft_model_state_dict(
            model.backbone, load_file(folder / peft.utils.SAFETENSORS_WEIGHTS_NAME)
        )
    elif lora.method is Method.full:
        model.backbone.load_state_dict(load_file(folder / BACKBONE))
    model.head_module.load_state_dict(load_file(folder / HEAD))
    head.decoding.update(manifest["decoding"])
    head.kept.update(manifest["kept"])
    head.bundles.update({name: folder / name for name in head.bundles})
    head.source.update(bundle=file_sha256(folder / MANIFEST))
    if types is not None:
        head.ask(types)
    return merge_lora(model) if merge else model.eval()


def merge_lora(model: Model) -> Model:
    """Return the model with its LoRA added into the base's weights: the same answers, less work.

    Into weights of 4 bits it is not added, which would round it away.
    """
    if isinstance(model.backbone, peft.PeftModel) and not model.base.four_bits:
        model.backbone = model.backbone.merge_and_unload()
    return model.eval()


def logits_digest(model: Model, examples: Examples) -> str:
    """Return the sha256 over the model's logits on the first rows, bit for bit."""
    features = model.head.encode(examples[:RELOAD_ROWS])
    digest = hashlib.sha256()
    for logits in infer(model, features, batch_tokens=RELOAD_TOKENS):
        digest.update(np.ascontiguousarray(logits).tobytes())
    return digest.hexdigest()


def verify_reload(model: Model, folder: Path, examples: Examples) -> None:
    """Raise `BundleError` unless the bundle gives the same bits in a new process, unmerged and merged.

    Leaves the model merged.
    """
    examples = [_fewer_passages(example) for example in examples[:RELOAD_ROWS]]
    rows = json.dumps([example_row(example) for example in examples])
    try:
        found = in_fresh_process(_reload_digests, folder, rows, torch.get_num_threads(), torch=True)
    except FreshProcessError as error:
        raise BundleError(f"{folder} cannot be reloaded in a new process:\n{error}") from error
    if found != (logits_digest(model, examples), logits_digest(merge_lora(model), examples)):
        raise BundleError(
            f"{folder} does not give the trained model's outputs after reloading: do not use it"
        )


def _reload_digests(folder: Path, rows: str, threads: int) -> tuple[str, str]:
    """Return the digests of a reloaded bundle's logits on the rows, unmerged and merged."""
    torch.set_num_threads(threads)
    examples = [read_example(row) for row in json.loads(rows)]
    model = load_bundle(folder, merge=False)
    return logits_digest(model, examples), logits_digest(merge_lora(model), examples)


def _fewer_passages(example: Example) -> Example:
    """Return the example; one that orders passages with few of them, since it may hold a whole corpus."""
    if not isinstance(example, RankingExample):
        return example
    first, passages = example.first[:RELOAD_PASSAGES], example.passages[:RELOAD_PASSAGES]
    return replace(example, first=first, passages=passages)


def _contiguous(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.contiguous().clone() for name, value in module.state_dict().items()}
