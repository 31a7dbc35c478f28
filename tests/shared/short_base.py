"""SmolLM2 and MiniLM with their first blocks alone, for tests of what does not depend on how well they read.

The weights that are left are the real ones. Of SmolLM2's tokens, which stand in the order in which they were
learnt, the first are left: its tokenizer reads all texts still, in shorter pieces.
"""

import json
import shutil
from pathlib import Path

import gguf
from safetensors.numpy import load_file, save_file

from shared.bases import WEIGHTS, find_base
from shared.compose import compose_run
from shared.gguf_export import close, copy_fields

BLOCKS = 3
TOKENS = 8192
PACKAGE = "short_smollm2"
SHORT = [f"model.package={PACKAGE}", "model.sha256=null"]  # the overrides that name it
TOKEN_NAMES, TOKEN_TYPES = gguf.Keys.Tokenizer.LIST, gguf.Keys.Tokenizer.TOKEN_TYPE
MERGES = gguf.Keys.Tokenizer.MERGES
ENCODER_PACKAGE = "short_minilm"
SHORT_ENCODER = [f"model.package={ENCODER_PACKAGE}", "model.package_folder=.", "model.sha256=null"]


def write_short_base(package: Path) -> None:
    """Write the package of these weights."""
    whole = find_base(compose_run("summarization", []).model).gguf
    assert whole
    reader = gguf.GGUFReader(whole)
    architecture = reader.fields[gguf.Keys.General.ARCHITECTURE].contents()
    package.mkdir()
    (package / "__init__.py").write_text("")
    writer = gguf.GGUFWriter(package / "short.Q4_1.gguf", architecture)
    kept = {TOKEN_NAMES: TOKENS, TOKEN_TYPES: TOKENS, MERGES: TOKENS - bytes_and_marks(reader)}
    changed = {name: reader.fields[name].contents()[:number] for name, number in kept.items()}
    sizes = {f"{architecture}.block_count": BLOCKS, f"{architecture}.vocab_size": TOKENS}
    copy_fields(reader, writer, changed={**changed, **sizes})
    for tensor in reader.tensors:
        block = int(tensor.name.split(".")[1]) if tensor.name.startswith("blk.") else 0
        data = tensor.data[:TOKENS] if tensor.name == "token_embd.weight" else tensor.data
        if block < BLOCKS:
            writer.add_tensor(tensor.name, data, raw_dtype=tensor.tensor_type)
    close(writer)


def bytes_and_marks(reader: gguf.GGUFReader) -> int:
    """The number of tokens that are not merged from two others; they come first."""
    return len(reader.fields[TOKEN_NAMES].data) - len(reader.fields[MERGES].data)


def write_short_encoder(package: Path) -> None:
    """Write the package of MiniLM's first blocks."""
    whole = find_base(compose_run("ner", []).model).folder
    package.mkdir()
    (package / "__init__.py").write_text("")
    for file in whole.glob("*token*"):
        shutil.copyfile(file, package / file.name)
    shape = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    left_out = tuple(f"encoder.layer.{block}." for block in range(BLOCKS, shape["num_hidden_layers"]))
    shape["num_hidden_layers"] = BLOCKS
    (package / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    weights = load_file(whole / WEIGHTS)
    kept = {name: value for name, value in weights.items() if not name.startswith(left_out)}
    save_file(kept, package / WEIGHTS, metadata={"format": "pt"})
