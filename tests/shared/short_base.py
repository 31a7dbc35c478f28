"""SmolLM2 with its first blocks alone, for tests of what does not depend on how well a decoder writes.

Vocabulary, tokenizer and the weights that are left are the real ones.
"""

import os
from pathlib import Path

import gguf
import pytest

from shared.bases import find_base
from shared.compose import compose_run

BLOCKS = 3
PACKAGE = "short_smollm2"
SHORT = [f"model.package={PACKAGE}", "model.sha256=null"]  # the overrides that name it


def use_short_base(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the package of these weights importable here and in processes that are started from here."""
    _write(folder / PACKAGE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


def _write(package: Path) -> None:
    whole = find_base(compose_run("summarization", []).model).gguf
    assert whole
    reader = gguf.GGUFReader(whole)
    architecture = reader.fields[gguf.Keys.General.ARCHITECTURE].contents()
    blocks = f"{architecture}.block_count"
    package.mkdir()
    (package / "__init__.py").write_text("")
    writer = gguf.GGUFWriter(package / "short.Q4_1.gguf", architecture)
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != gguf.Keys.General.ARCHITECTURE:
            inner = field.types[-1] if len(field.types) > 1 else None
            value = BLOCKS if name == blocks else field.contents()
            writer.add_key_value(name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        block = int(tensor.name.split(".")[1]) if tensor.name.startswith("blk.") else 0
        if block < BLOCKS:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
