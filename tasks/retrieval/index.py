"""What a first stage keeps of a corpus: made once, and saved where a folder is named.

`<folder>/<kind>/` holds `manifest.json` with the digests of the passages and of what was done to them, a file
for each array, which is mapped into memory when it is read, and `words.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import DataError
from shared.files import folder_atomic
from shared.passages import Passage

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MANIFEST, WORDS = "manifest.json", "words.json"
FORMAT = 1  # of the files; changes with what a word is, too


@dataclass(frozen=True)
class Index:
    """Arrays by name, and the words that their columns stand for, if they stand for words."""

    arrays: Mapping[str, Array]
    words: Sequence[str] = field(default_factory=list)


# The last index of each kind with its digest: the splits of a data set share passages, and embedding them
# takes minutes.
_last: dict[str, tuple[str, Index]] = {}


def find_index(
    passages: Sequence[Passage],
    *,
    kind: str,
    settings: Mapping[str, Any],
    folder: str,
    build: Callable[[], Index],
) -> Index:
    """Return the index of these passages, built if it is neither in memory nor in the folder ('': no folder).

    Raises `DataError` for a folder with an index of other passages or settings, or with a damaged one.
    """
    wanted = _description(passages, kind=kind, settings=settings)
    if not folder:
        if kind not in _last or _last[kind][0] != wanted["digest"]:
            _last[kind] = wanted["digest"], build()
        return _last[kind][1]
    place = Path(folder) / kind
    if not place.exists():
        _write(build(), place, wanted)
    return _read(place, wanted)


def _description(passages: Sequence[Passage], *, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    corpus = hashlib.sha256()
    for passage in passages:
        corpus.update(json.dumps([passage.id, passage.title, passage.text]).encode())
    told = {
        "format": FORMAT,
        "kind": kind,
        "passages": len(passages),
        "corpus": corpus.hexdigest(),
        "settings": dict(settings),
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return {"digest": digest, **told}


def _write(index: Index, place: Path, wanted: Mapping[str, Any]) -> None:
    import numpy as np

    with folder_atomic(place) as partial:
        for name, array in index.arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        (partial / WORDS).write_text(json.dumps(list(index.words)), encoding="utf-8")
        manifest = json.dumps({**wanted, "arrays": list(index.arrays)}, indent=2)
        (partial / MANIFEST).write_text(manifest + "\n", encoding="utf-8")


def _read(place: Path, wanted: Mapping[str, Any]) -> Index:
    import numpy as np

    try:
        found = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"no index of passages: {error}; {_advice(place)}", file=place / MANIFEST) from error
    if not isinstance(found, dict) or found.get("digest") != wanted["digest"]:
        raise _another(found if isinstance(found, dict) else {}, wanted, place)
    try:
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in found["arrays"]}
        words = json.loads((place / WORDS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"the index is damaged: {error}; {_advice(place)}", file=place) from error
    return Index(arrays, words)


def _another(found: Mapping[str, Any], wanted: Mapping[str, Any], place: Path) -> DataError:
    """Return the error that names both digests, and each thing that differs as it is there and here."""
    there, here = ({**told, **told.get("settings", {})} for told in (found, wanted))
    names = [name for name in (*wanted, *wanted["settings"]) if name not in ("digest", "settings")]
    differing = [
        f"{name} is {there.get(name)} there, {here[name]} here"
        for name in names
        if there.get(name) != here[name]
    ]
    problem = (
        f"an index of other passages or settings: its digest is {found.get('digest')}, "
        f"asked for is {wanted['digest']}; {'; '.join(differing)}; {_advice(place)}"
    )
    return DataError(problem, file=place / MANIFEST)


def _advice(place: Path) -> str:
    return f"delete {place} to have it built again, or set `index` of the first stage to another folder"
