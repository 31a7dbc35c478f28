"""Sets of many small files, pinned by a list of their checksums that a task's package has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from shared.errors import DataError
from shared.fetch import PinnedFile, fetch


@dataclass(frozen=True)
class PinnedTree:
    """Files of a public data set at a fixed commit; a line of the list is `<sha256>  <path>`.

    The list is what `sha256sum` writes, sorted by path; the paths continue both `local` and `url`.
    """

    local: str  # path below the data folder
    listing: str  # name of the list of checksums
    sha256: str  # of that list
    url: str


def fetch_tree(tree: PinnedTree, *, listings: Path, data_dir: Path) -> list[Path]:
    """Return the paths of all files in the list's order, each checked, and downloaded if it is missing.

    `listings` is the folder of the list. Raises `DataError` for a list that is not the pinned one, and as
    `fetch` does.
    """
    path = listings / tree.listing
    content = path.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != tree.sha256:
        raise DataError(f"its sha256 is {found}, pinned is {tree.sha256}: it was changed", file=path)
    pinned = [line.split("  ", 1) for line in content.decode().splitlines()]
    return [
        fetch(PinnedFile(f"{tree.local}/{name}", sha256, f"{tree.url}/{name}"), data_dir=data_dir)
        for sha256, name in pinned
    ]
