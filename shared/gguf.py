"""SmolLM2's weights, which their package carries as one quantised GGUF file, as a folder that loads fast.

transformers reads a GGUF in half a minute. So the file is read once, its weights are kept in float32 in the
user's cache, and each later load takes them from there. The converted tokenizer is put right: transformers
takes the start of a turn for its end, leaves out the padding, and joins blanks to the digit behind them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.errors import UserError
from shared.files import file_sha256, folder_atomic, write_json_atomic

DIGESTS = "digests.json"  # file name -> sha256 of all other files in the folder
END_OF_TURN = "<|im_end|>"
PADDING = "<|endoftext|>"


def dequantised(gguf: Path, *, digest: str, cache: Path | None = None) -> Path:
    """Return the folder with the file's weights in float32, its tokenizer and its configs.

    It lies in `cache` (by default in the user's cache folder) under the file's sha256, `digest`, and the
    version of transformers. One that is not there, or not as it was written, is made; raises `UserError`
    where it cannot be.
    """
    from transformers import __version__

    cache = cache or Path.home() / ".cache" / "rightsize" / "dequantised"
    folder = cache / f"{digest[:12]}-{__version__}"
    if not _is_whole(folder):
        with _alone(folder):
            if not _is_whole(folder):  # another process may have made it meanwhile
                _convert(gguf, folder)
    return folder


def _is_whole(folder: Path) -> bool:
    """Return whether each file that was written is there, unchanged."""
    try:
        digests = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        return all(file_sha256(folder / name) == digest for name, digest in digests.items())
    except (OSError, ValueError):
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that one process writes it and the others wait."""
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(f"{folder}.lock").acquire()
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error}; make the folder above it writable") from error
    with held:
        yield


def _convert(gguf: Path, folder: Path) -> None:
    """Write the folder whole or not at all; takes half a minute."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": gguf.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **source)
    _correct(tokenizer, model)
    with folder_atomic(folder, failures=(SafetensorError,)) as partial:
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        digests = {path.name: file_sha256(path) for path in sorted(partial.iterdir())}
        write_json_atomic(partial / DIGESTS, digests)


def _correct(tokenizer: Any, model: Any) -> None:
    """Set what the GGUF says and the conversion loses."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    tokenizer.eos_token, tokenizer.pad_token = END_OF_TURN, PADDING
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.model_max_length = model.config.max_position_embeddings
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
