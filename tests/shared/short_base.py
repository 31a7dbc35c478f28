"""SmolLM2 with its first blocks alone, for tests of what does not depend on how well a decoder writes.

Vocabulary, tokenizer and the weights that are left are the real ones.
"""

from pathlib import Path

import gguf

from shared.bases import find_base
from shared.compose import compose_run
from shared.gguf_export import close, copy_fields

BLOCKS = 3
PACKAGE = "short_smollm2"
SHORT = [f"model.package={PACKAGE}", "model.sha256=null"]  # the overrides that name it


def write_short_base(package: Path) -> None:
    """Write the package of these weights."""
    whole = find_base(compose_run("summarization", []).model).gguf
    assert whole
    reader = gguf.GGUFReader(whole)
    architecture = reader.fields[gguf.Keys.General.ARCHITECTURE].contents()
    package.mkdir()
    (package / "__init__.py").write_text("")
    writer = gguf.GGUFWriter(package / "short.Q4_1.gguf", architecture)
    copy_fields(reader, writer, changed={f"{architecture}.block_count": BLOCKS})
    for tensor in reader.tensors:
        block = int(tensor.name.split(".")[1]) if tensor.name.startswith("blk.") else 0
        if block < BLOCKS:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    close(writer)
