import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, MistralConfig, Phi3Config, Qwen3Config
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from shared.bases import find_base
from shared.compose import compose_run
from shared.decoder import load_decoder
from shared.encoder import load_encoder
from shared.errors import UserError
from shared.model import choose_trainable
from shared.training_config import ModelConfig

TINY = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_hidden_layers": 2,
    "vocab_size": 64,
    "pad_token_id": 0,
}


def model_config(name: str) -> ModelConfig:
    return compose_run("ner", [f"model={name}"]).model


@pytest.fixture(scope="module")
def smollm2() -> tuple[Any, Any]:
    return load_decoder(find_base(model_config("smollm2")))


def test_the_greedy_completion_of_a_plain_prompt_is_always_the_same(smollm2: tuple[Any, Any]) -> None:
    model, tokenizer = smollm2
    prompt = tokenizer("The capital of France is", return_tensors="pt")
    written = model.generate(**prompt, max_new_tokens=8, do_sample=False)[0]
    assert tokenizer.decode(written) == "The capital of France is Paris.\n\nThe answer is:"


def test_on_a_cpu_the_weights_are_float32_and_prompts_are_padded_on_the_left(
    smollm2: tuple[Any, Any],
) -> None:
    model, tokenizer = smollm2
    assert model.dtype is torch.float32
    assert tokenizer(["Hello", "Hello you"], padding=True)["attention_mask"] == [[0, 1], [1, 1]]
    assert model.generation_config.pad_token_id == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_four_bits_without_a_gpu_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    here = find_base(replace(model_config("smollm2"), four_bits=True))
    with pytest.raises(UserError, match="four_bits=true needs an NVIDIA GPU"):
        load_decoder(replace(here, folder=tmp_path, encoder_folder=tmp_path))


def test_four_bits_are_refused_where_nothing_is_written() -> None:
    base = find_base(compose_run("ner", []).model)
    with pytest.raises(UserError, match="four_bits=true is for a head that writes"):
        load_encoder(replace(base, four_bits=True))


def test_a_base_without_a_padding_token_pads_with_the_end_of_a_text(
    tmp_path: Path, smollm2: tuple[Any, Any]
) -> None:
    tokenizer = smollm2[1]
    folder = tiny_base(LlamaConfig(**TINY), tmp_path)
    tokenizer.save_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "pad_token": None}))
    base = replace(find_base(model_config("smollm2")), folder=folder, encoder_folder=folder)
    model, loaded = load_decoder(base)
    assert (loaded.pad_token, loaded.pad_token_id) == ("<|im_end|>", 2)
    assert model.generation_config.pad_token_id == 2


def tiny_base(config: Any, folder: Path) -> Path:
    """A base of the same kind with a few random weights, in several files."""
    AutoModelForCausalLM.from_config(config).save_pretrained(folder, max_shard_size="5KB")
    return folder


def package_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package whose folder is this one."""
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder.name


def test_weights_in_several_files_are_found_by_their_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_base(LlamaConfig(**TINY), tmp_path / "tiny_weights")
    assert not (folder / "model.safetensors").exists()
    config = replace(model_config("qwen3_4b"), package=package_of(folder, monkeypatch))
    base = find_base(config)
    assert base.folder == base.encoder_folder == folder
    with pytest.raises(UserError, match=f"index.json has sha256 {base.sha256}, pinned is ffff"):
        find_base(replace(config, sha256="f" * 64))


def test_a_folder_with_pickles_alone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pickled_weights"
    folder.mkdir()
    (folder / "pytorch_model.bin").write_bytes(b"")
    config = replace(model_config("qwen3_4b"), package=package_of(folder, monkeypatch))
    with pytest.raises(UserError, match=r"holds no model.safetensors, .*never pickles"):
        find_base(config)
    assert "pickled_weights" not in sys.modules


KINDS = {
    "smollm2": LlamaConfig(**TINY),
    "qwen3_0_6b": Qwen3Config(**TINY, head_dim=8),
    "qwen3_4b": Qwen3Config(**TINY, head_dim=8),
    "llama_3_1_8b": LlamaConfig(**TINY),
    "mistral_7b": MistralConfig(**TINY),
    "phi_4_mini": Phi3Config(**TINY),
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_each_bases_own_linear_layers_take_the_lora(name: str, kind: Any) -> None:
    config = model_config(name)
    lora = compose_run("ner", ["lora=r16"]).lora
    model = choose_trainable(AutoModelForCausalLM.from_config(kind), lora, config, new_tokens=[])
    adapted = {name.split(".lora_A")[0] for name, _ in model.named_parameters() if "lora_A" in name}
    assert {name.rpartition(".")[2] for name in adapted} == set(config.lora_modules)
    assert len(adapted) == 2 * len(config.lora_modules)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "smollm2"])
def test_the_big_bases_are_pinned_to_a_commit_and_named_when_they_are_not_here(name: str) -> None:
    config = model_config(name)
    assert len(config.revision) == 40
    with pytest.raises(UserError, match=f"put {config.hub_id} at revision {config.revision}"):
        find_base(config)
