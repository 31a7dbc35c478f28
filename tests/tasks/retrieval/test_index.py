import json
from pathlib import Path

import numpy as np
import pytest

from shared.errors import DataError
from shared.passages import Passage
from tasks.retrieval.index import Index, find_index

PASSAGES = (Passage("a", "rain"), Passage("b", "sun"))


class Builder:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Index:
        self.asked += 1
        return Index({"numbers": np.array([[1.5], [2.5]], dtype=np.float32)}, ["rain", "sun"])


def found(
    build: Builder, *, folder: Path | str, passages: tuple[Passage, ...] = PASSAGES, k1: float = 1.2
) -> Index:
    return find_index(
        passages, kind="test", settings={"k1": k1, "stemmer": ""}, folder=str(folder), build=build
    )


def test_an_index_is_built_once_and_then_mapped_from_its_folder(tmp_path: Path) -> None:
    build = Builder()
    for _ in range(2):
        index = found(build, folder=tmp_path)
        assert isinstance(index.arrays["numbers"], np.memmap)
        assert index.arrays["numbers"].tolist() == [[1.5], [2.5]]
        assert index.words == ["rain", "sun"]
    assert build.asked == 1
    assert sorted(path.name for path in (tmp_path / "test").iterdir()) == [
        "manifest.json",
        "numbers.npy",
        "words.json",
    ]


def test_without_a_folder_the_last_index_is_kept_for_the_next_split() -> None:
    build = Builder()
    assert found(build, folder="") is found(build, folder="")
    assert build.asked == 1
    found(build, folder="", k1=0.5)
    found(build, folder="", k1=0.5, passages=PASSAGES[::-1])
    assert build.asked == 3


def test_other_settings_are_named_as_they_are_there_and_here(tmp_path: Path) -> None:
    found(Builder(), folder=tmp_path)
    there = json.loads((tmp_path / "test" / "manifest.json").read_text())["digest"]
    with pytest.raises(DataError) as caught:
        found(Builder(), folder=tmp_path, k1=0.9)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/test/manifest.json: an index of other passages or settings")
    assert f"its digest is {there}, asked for is " in message
    assert f"; k1 is 1.2 there, 0.9 here; delete {tmp_path}/test to have it built again" in message
    assert "corpus" not in message and "stemmer" not in message


@pytest.mark.parametrize(
    "passages",
    [
        (Passage("a", "rain"), Passage("b", "sun!")),
        (Passage("a", "rain"), Passage("c", "sun")),
        (Passage("b", "sun"), Passage("a", "rain")),
    ],
    ids=["another text", "another id", "another order"],
)
def test_the_index_of_another_corpus_is_refused(tmp_path: Path, passages: tuple[Passage, ...]) -> None:
    found(Builder(), folder=tmp_path)
    with pytest.raises(
        DataError, match=r"settings: its digest is \w{64}, .*; corpus is \w{64} there, \w{64} here;"
    ):
        found(Builder(), folder=tmp_path, passages=passages)


def test_an_index_does_not_depend_on_the_documents_of_its_passages(tmp_path: Path) -> None:
    build = Builder()
    found(build, folder=tmp_path)
    found(build, folder=tmp_path, passages=(Passage("a", "rain", "1"), Passage("b", "sun", "1")))
    assert build.asked == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"no index of passages: .*No such file"):
        found(Builder(), folder=tmp_path)
    (tmp_path / "test" / "manifest.json").write_text("[]")
    with pytest.raises(DataError, match="its digest is None"):
        found(Builder(), folder=tmp_path)
    assert (tmp_path / "test" / "notes.txt").read_text() == "mine"


def test_a_damaged_index_is_named_with_what_to_do(tmp_path: Path) -> None:
    found(Builder(), folder=tmp_path)
    path = tmp_path / "test" / "numbers.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(
        DataError, match=r"test: the index is damaged: .*; delete .*test to have it built again"
    ):
        found(Builder(), folder=tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="the index is damaged"):
        found(Builder(), folder=tmp_path)


def test_what_fails_while_it_is_built_leaves_no_folder(tmp_path: Path) -> None:
    def broken() -> Index:
        raise DataError("no passages", file="corpus.jsonl")

    with pytest.raises(DataError, match="no passages"):
        find_index(PASSAGES, kind="test", settings={}, folder=str(tmp_path), build=broken)
    assert list(tmp_path.iterdir()) == []
