"""What a bundle says of itself: `bundle.json`, read and checked without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.errors import BundleError
from shared.files import file_sha256

CARD, MANIFEST = "README.md", "bundle.json"


def read_manifest(folder: Path, *, name: str = MANIFEST) -> dict[str, Any]:
    """Return what the bundle says of itself, after every file's digest was checked.

    Older bundles name their card's digest too, which is not asked for: a card changes with what is known of a
    bundle, and no answer with the card. Raises `BundleError` naming the file that is missing or damaged.
    """
    path = folder / name
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"{folder} is no bundle: it has no {name}") from error
    except ValueError as error:
        raise BundleError(f"{path} is damaged: {error}") from error
    for file, digest in manifest["files"].items():
        if Path(file).name == CARD:
            continue
        if not (folder / file).is_file():
            raise BundleError(f"{folder / file} is missing from the bundle")
        if file_sha256(folder / file) != digest:
            raise BundleError(f"{folder / file} is damaged: its sha256 is not the one {name} names")
    return manifest


def file_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below the folder but its card, by path."""
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CARD
    }


def check_fits(manifest: Mapping[str, Any], *, task: str) -> None:
    """Raise `BundleError` when the bundle was made for another task; heads refuse labels they cannot find."""
    if manifest["task"] != task:
        raise BundleError(f"this bundle was made for the task {manifest['task']!r}, not {task!r}")
