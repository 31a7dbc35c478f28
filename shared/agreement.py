"""Training that stays with a reference: what it answered right is to be answered alike.

Two trainings of one recipe are equally good and yet disagree on many texts; whoever replaces one by the other
sees answers change for no reason. The new model begins with the reference's weights, is drawn to its
distribution where that was right, and is free elsewhere (Milani Fard et al. 2016, 'Launch and iterate'; the
focus on what was right as in Yan et al. 2021, 'Positive-congruent training', arXiv 2011.09161).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from shared.adapters import load_bundle
from shared.contracts import Examples, Features
from shared.errors import UserError
from shared.evaluate import infer
from shared.model import Model
from shared.runs import BUNDLE

PROBED = 8  # windows that both models read before training
SAME = 1e-4  # of logits, which another batch's rounding moves by less


@runtime_checkable
class FollowsReference(Protocol):
    """A head that can be drawn to a reference's logits."""

    def follow(
        self, features: Sequence[Any], logits: Sequence[np.ndarray[Any, Any]], *, weight: float
    ) -> list[Any]:
        """Return the features with the reference's logits of each; the loss then has its penalty."""


def follow_reference(
    model: Model,
    examples: Examples,
    features: Sequence[Features],
    *,
    folder: Path,
    weight: float,
    batch_tokens: int,
) -> Sequence[Features]:
    """Give the model the weights of the run's, or the bundle's, and return the features with what that says.

    Raises `UserError` where the reference answers something else, reads other windows, or has other weights.
    """
    if not isinstance(model.head, FollowsReference):
        raise UserError(
            f"train.reference: this head finds {model.head.finds()} and cannot be drawn to a reference yet; "
            "head=token_classification can"
        )
    bundle = folder / BUNDLE if (folder / BUNDLE).is_dir() else folder
    if not bundle.is_dir():
        raise UserError(
            f"train.reference={str(folder)!r} is no folder; give a run, or the adapter folder in it"
        )
    reference = load_bundle(bundle, merge=False)
    if list(reference.head.types) != list(model.head.types):
        found, asked = ", ".join(reference.head.types), ", ".join(model.head.types)
        raise UserError(f"train.reference={str(folder)!r} finds {found}, in this order; here: {asked}")
    weights, begun = reference.trained_state(), model.trained_state()
    if {name: w.shape for name, w in weights.items()} != {name: w.shape for name, w in begun.items()}:
        raise UserError(
            f"train.reference={str(folder)!r} trained other weights: it needs the same model and LoRA"
        )
    seen = reference.head.encode(examples)
    if [item.num_tokens for item in seen] != [item.num_tokens for item in features]:
        raise UserError(
            f"train.reference={str(folder)!r} reads the texts in other windows: it needs the same tokenizer, "
            "head.window_tokens and head.overlap_tokens"
        )
    for name, value in weights.items():
        begun[name].copy_(value)
    probed = [infer(one, features[:PROBED], batch_tokens=batch_tokens) for one in (reference, model)]
    if not all(np.allclose(left, right, atol=SAME) for left, right in zip(*probed, strict=True)):
        raise UserError(
            f"train.reference={str(folder)!r} answers otherwise than this model with its weights: it needs "
            "the same base, lora.alpha, lora.rslora and head settings"
        )
    return model.head.follow(features, infer(reference, seen, batch_tokens=batch_tokens), weight=weight)
