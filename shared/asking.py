"""The same texts put to one bundle several times, each time asked for other types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.contracts import Examples, Types


def ask_each(
    bundle: Path, examples: Examples, asked: Sequence[Types], *, task: str, batch_tokens: int
) -> list[list[Any]]:
    """Return the bundle's predictions for each of the types that are asked for, in order.

    Raises `BundleError` where the bundle is another task's, or can find its trained types alone.
    """
    from shared.adapters import load_bundle
    from shared.bundle_manifest import check_fits, read_manifest
    from shared.evaluate import predict

    check_fits(read_manifest(bundle), task=task)
    model = load_bundle(bundle)
    answers = []
    for types in asked:
        model.head.ask(types)
        answers.append(predict(model, examples, batch_tokens=batch_tokens))
    return answers
