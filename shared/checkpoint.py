"""Checkpoints: all that training needs to go on exactly where it was, in one file, replaced atomically."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from shared.errors import UserError
from shared.files import file_atomic
from shared.runs import CHECKPOINT


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write the state (tensors and plain values); the previous checkpoint stays until it is whole."""
    # RuntimeError is how torch.save words a full disk
    with file_atomic(folder / CHECKPOINT, failures=(RuntimeError,)) as path:
        torch.save(state, path)


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """Return the state that `save_checkpoint` wrote; nothing in the file is executed.

    Raises `UserError` when there is none, or when it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise UserError(f"{folder} has no {CHECKPOINT}: nothing to resume; start anew without resume=")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}; start anew without resume=") from error
    return state
