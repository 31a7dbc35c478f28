"""A tuned decoder as GGUF files for llama.cpp: merged into the base's weights, or the LoRA alone.

Vocabulary, chat template and sizes are those of the base's own GGUF. llama.cpp keeps the rows of a llama's
queries and keys in another order than transformers does: the two halves of a head in turn. What OpenVINO
GenAI reads is made of such a file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.bundle_manifest import read_manifest
from shared.contracts import Base
from shared.errors import UserError
from shared.fast_tokenizer import FastTokenizer
from shared.genai import convert
from shared.llama import LORA, WEIGHTS
from shared.verb_config import GENAI

if TYPE_CHECKING:
    from shared.model import Model

BITS = {  # format -> type of the matrices
    "gguf": "F32",
    "gguf_q8_0": "Q8_0",
    "gguf_q4_1": "Q4_1",
    "genai_f16": "F16",
    "genai_q8_0": "Q8_0",
}
ADAPTER = "adapter_model.safetensors"  # peft's file in a bundle
ARCHITECTURE, FILE_TYPE = "general.architecture", "general.file_type"
TYPES_OF_WEIGHTS = (FILE_TYPE, "general.quantization_version")
READER_OWN = "GGUF."  # the reader's names for what stands in a file's header
TURNED = {"attn_q": "head_count", "attn_k": "head_count_kv"}  # of a llama: tensor -> its number of heads
TURNING = "llama"
A_ENDING, B_ENDING = ".lora_A.weight", ".lora_B.weight"  # of peft's names
LORA_PARTS = {A_ENDING: ".lora_a", B_ENDING: ".lora_b"}  # -> of llama.cpp's
PEFT_PREFIX = "base_model.model."

Array = np.ndarray[Any, Any]


def write_decoder(model: Model, bundle: Path, folder: Path, *, format: str) -> None:
    """Fill the folder of an export with what llama.cpp or OpenVINO GenAI reads; `model` is merged.

    Raises `UserError` where the base came without a GGUF, and of a bundle without a plain LoRA for it alone.
    """
    if format in BITS:
        weights = {name: value.float().cpu().numpy() for name, value in model.backbone.state_dict().items()}
        end = FastTokenizer.of(model.tokenizer).eos_token_id
        write = partial(write_merged, weights, base=model.base, bits=BITS[format], end=end)
        if format not in GENAI:
            write(folder / WEIGHTS)
            return
        with TemporaryDirectory(dir=folder) as work:
            write(Path(work) / WEIGHTS)
            convert(Path(work) / WEIGHTS, folder)
        return
    lora = read_manifest(bundle)["lora"]
    if lora["method"] != "lora" or lora["dora"]:
        raise UserError(f"export.format={format}: {bundle} has no LoRA that llama.cpp could add")
    alpha = lora["alpha"] * (math.sqrt(lora["r"]) if lora["rslora"] else 1.0)
    write_lora(bundle / ADAPTER, folder / LORA, base=model.base, alpha=alpha)


def write_merged(weights: dict[str, Array], path: Path, *, base: Base, bits: str, end: int) -> None:
    """Write all of a decoder: its weights by the names of transformers, float32.

    `bits` names the type of its matrices, F32, F16, Q8_0 or Q4_1; embeddings have 8 bits where others have 4,
    as they are the output too. `end` is the id of the token that ends what is written. Raises `UserError`
    where the base came without a GGUF.
    """
    import gguf

    template = _template(base)
    kind = gguf.GGMLQuantizationType[bits]
    writer = _writer(path, template)
    copy_fields(template, writer, changed={gguf.Keys.Tokenizer.EOS_ID: end}, left_out=TYPES_OF_WEIGHTS)
    writer.add_file_type(gguf.LlamaFileType[f"{'ALL' if bits == 'F32' else 'MOSTLY'}_{bits}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    names = _names(template)
    own = {names.get_name(name, try_suffixes=(".weight", ".bias")): value for name, value in weights.items()}
    for tensor in template.tensors:
        if tensor.name not in own:
            raise UserError(
                f"{base.gguf} has {tensor.name}, for which the model has no weight: use engine=torch"
            )
        name = tensor.name.rpartition(".")[0]
        values = _turned(template, name, own[tensor.name])
        chosen = gguf.GGMLQuantizationType.F32
        if values.ndim > 1:
            embeds = name in ("token_embd", "output") and kind is gguf.GGMLQuantizationType.Q4_1
            chosen = gguf.GGMLQuantizationType.Q8_0 if embeds else kind
        writer.add_tensor(tensor.name, gguf.quants.quantize(values, chosen), raw_dtype=chosen)
    close(writer)


def write_lora(adapter: Path, path: Path, *, base: Base, alpha: float) -> None:
    """Write the LoRA alone: `adapter` is peft's file; llama.cpp's scale is `alpha` over the rank.

    Raises `UserError` where the base came without a GGUF, and for weights other than LoRA's.
    """
    import gguf
    from safetensors.numpy import load_file

    template = _template(base)
    names, writer = _names(template), _writer(path, template)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for key, values in sorted(load_file(adapter).items()):
        ending = next((ending for ending in LORA_PARTS if key.endswith(ending)), None)
        if ending is None:
            raise UserError(f"{adapter} holds {key}: llama.cpp takes the A and B of LoRA alone")
        name = names.get_name(key.removeprefix(PEFT_PREFIX).removesuffix(ending))
        turned = _turned(template, name, values) if ending == B_ENDING else values
        own = f"{name}.weight{LORA_PARTS[ending]}"
        writer.add_tensor(own, np.ascontiguousarray(turned, dtype=np.float32))
    close(writer)


def _template(base: Base) -> Any:
    if base.gguf is None:
        raise UserError(
            "llama.cpp needs the base's own GGUF for its vocabulary and sizes, and this base has none: "
            "use engine=torch"
        )
    return _read(base.gguf)


@lru_cache(1)
def _read(path: Path) -> Any:
    """Return the file's reader, which takes seconds to make: exports in several formats are of one base."""
    import gguf

    return gguf.GGUFReader(path)


def _writer(path: Path, template: Any) -> Any:
    import gguf

    return gguf.GGUFWriter(path, template.fields[ARCHITECTURE].contents())


def copy_fields(
    template: Any, writer: Any, *, changed: Mapping[str, Any], left_out: Collection[str] = ()
) -> None:
    """Copy a file's fields into another that has its architecture; some get the value in `changed`."""
    for name, field in template.fields.items():
        if not name.startswith(READER_OWN) and name not in (ARCHITECTURE, *left_out):
            inner = field.types[-1] if len(field.types) > 1 else None
            value = changed.get(name, field.contents())
            writer.add_key_value(name, value, field.types[0], sub_type=inner)


def close(writer: Any) -> None:
    """Write the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _names(template: Any) -> Any:
    """Return what maps a tensor's name in transformers to its name in a GGUF."""
    import gguf

    architecture = template.fields[ARCHITECTURE].contents()
    (kind,) = (kind for kind, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    return gguf.get_tensor_name_map(kind, template.fields[f"{architecture}.block_count"].contents())


def _turned(template: Any, name: str, values: Array) -> Array:
    """Return the rows of a tensor in llama.cpp's order."""
    architecture = template.fields[ARCHITECTURE].contents()
    counted = TURNED.get(name.rpartition(".")[2])
    if architecture != TURNING or counted is None:
        return values
    heads = template.fields[f"{architecture}.attention.{counted}"].contents()
    halves = values.reshape(heads, 2, len(values) // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)
