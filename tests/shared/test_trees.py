from hashlib import sha256
from pathlib import Path

import pytest

from shared.errors import DataError
from shared.trees import PinnedTree, fetch_tree

FILES = {"a/1.txt": b"one", "b.txt": b"two"}


def tree(folder: Path) -> PinnedTree:
    """Write the files below `data/set` and their list into `lists`, and return what pins them."""
    for name, content in FILES.items():
        (folder / "data" / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / "set" / name).write_bytes(content)
    listing = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in FILES.items()).encode()
    (folder / "lists").mkdir()
    (folder / "lists" / "set.sha256").write_bytes(listing)
    return PinnedTree("set", "set.sha256", sha256(listing).hexdigest(), "http://127.0.0.1:9")


def fetched(pinned: PinnedTree, folder: Path) -> list[Path]:
    return fetch_tree(pinned, listings=folder / "lists", data_dir=folder / "data")


def test_files_of_a_tree_come_in_the_order_of_its_list(tmp_path: Path) -> None:
    found = fetched(tree(tmp_path), tmp_path)
    assert found == [tmp_path / "data" / "set" / name for name in ("a/1.txt", "b.txt")]


def test_a_list_that_is_not_the_pinned_one_is_named(tmp_path: Path) -> None:
    pinned = tree(tmp_path)
    (tmp_path / "lists" / "set.sha256").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"set.sha256: its sha256 is e3b0c442.*, pinned is .*: it was changed"
    ):
        fetched(pinned, tmp_path)


def test_a_file_that_is_missing_or_changed_is_named(tmp_path: Path) -> None:
    pinned = tree(tmp_path)
    (tmp_path / "data" / "set" / "b.txt").write_bytes(b"three")
    with pytest.raises(DataError, match=r"set/b.txt: its sha256 is"):
        fetched(pinned, tmp_path)
    (tmp_path / "data" / "set" / "b.txt").unlink()
    with pytest.raises(DataError, match=r"set/b.txt: missing"):
        fetched(pinned, tmp_path)
