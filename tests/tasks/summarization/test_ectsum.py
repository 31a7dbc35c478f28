import hashlib
from pathlib import Path
from typing import Any

import pytest

from shared.errors import DataError
from shared.examples import SummaryExample
from tests.tasks.summarization.adapters import adapter

FOLDERS = {"transcripts": "ects", "summaries": "gt_summaries"}
CALLS = {"B_q1_2021": ("Hello.\n\n Sales rose. \n", "sales up\ncosts down\n"), "A_q1_2021": ("Hi.", "up")}


def ectsum(folder: Path, calls: dict[str, tuple[str | bytes, str | bytes]]) -> Any:
    """Return the adapter whose training split is these transcripts and summaries, by name."""
    return adapter("ectsum", folder=folder, train={part: tree(folder, part, calls) for part in FOLDERS})


def tree(folder: Path, part: str, calls: dict[str, tuple[str | bytes, str | bytes]]) -> dict[str, str]:
    """Write one part of the calls, with a list of its checksums, and return what pins it."""
    lines = []
    (folder / "ectsum" / FOLDERS[part]).mkdir(parents=True, exist_ok=True)
    for name, texts in sorted(calls.items()):
        text = texts[list(FOLDERS).index(part)]
        content = text.encode() if isinstance(text, str) else text
        path = f"{FOLDERS[part]}/{name}.txt"
        (folder / "ectsum" / path).write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {path}\n")
    listing = folder / f"{part}.sha256"
    listing.write_text("".join(lines), encoding="utf-8")
    digest = hashlib.sha256(listing.read_bytes()).hexdigest()
    return {"local": "ectsum", "listing": str(listing), "sha256": digest, "url": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("split", "documents", "sentences", "bullets"),
    [("train", 1681, 217449, 6907), ("validation", 249, 31104, 1003), ("test", 495, 63416, 1982)],
)
def test_it_has_the_published_sizes(
    public_data_dir: Path, split: str, documents: int, sentences: int, bullets: int
) -> None:
    examples = adapter("ectsum", folder=public_data_dir).load(split)
    assert len(examples) == len({example.id for example in examples}) == documents
    assert sum(len(example.sentences) for example in examples) == sentences
    assert sum(len(example.bullets) for example in examples) == bullets
    assert [example.id for example in examples] == sorted(example.id for example in examples)


def test_a_smaller_draw_is_part_of_a_larger_one_and_test_is_whole(public_data_dir: Path) -> None:
    def ids(split: str, **limits: int) -> list[str]:
        return [example.id for example in adapter("ectsum", folder=public_data_dir, **limits).load(split)]

    assert ids("validation", validation_documents=3) == ["CMC_q3_2021", "EIG_q1_2021", "NBR_q4_2020"]
    assert set(ids("validation", validation_documents=3)) < set(ids("validation", validation_documents=9))
    assert len(ids("train", train_documents=5)) == 5
    assert len(ids("test", train_documents=5, validation_documents=3)) == 495


def test_no_call_stands_in_two_splits(public_data_dir: Path) -> None:
    data = adapter("ectsum", folder=public_data_dir)
    names = [path.name for split in ("train", "validation", "test") for path in data.files(split)[::2]]
    assert len(set(names)) == len(names) == 2425


def test_lines_are_sentences_and_bullets_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    data = ectsum(tmp_path, dict(CALLS))
    assert data.load("train") == [
        SummaryExample("A_q1_2021", ("Hi.",), ("up",), "A_q1_2021"),
        SummaryExample("B_q1_2021", ("Hello.", "Sales rose."), ("sales up", "costs down"), "B_q1_2021"),
    ]
    assert [path.name for path in data.files("train")] == ["A_q1_2021.txt"] * 2 + ["B_q1_2021.txt"] * 2


@pytest.mark.parametrize(
    ("transcript", "summary", "problem"),
    [
        (" \n", "up", "ects/C_q1_2021.txt: no line with text"),
        ("Hi.", "", "gt_summaries/C_q1_2021.txt: no line with text"),
        ("Hi.\nyes", b"up\n\xff", "gt_summaries/C_q1_2021.txt:2: not UTF-8: byte 0xff at column 1"),
    ],
)
def test_a_file_that_does_not_fit_is_named(
    tmp_path: Path, transcript: str, summary: str | bytes, problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        ectsum(tmp_path, {**CALLS, "C_q1_2021": (transcript, summary)}).load("train")
    assert str(caught.value).startswith(f"{tmp_path}/ectsum/{problem}")


def test_a_name_on_one_side_only_is_named(tmp_path: Path) -> None:
    both = tree(tmp_path, "transcripts", dict(CALLS))
    fewer = tree(tmp_path, "summaries", {"A_q1_2021": ("Hi.", "up")})
    data = adapter("ectsum", folder=tmp_path, train={"transcripts": both, "summaries": fewer})
    with pytest.raises(DataError, match=r"ects/B_q1_2021.txt: no transcript and summary both for B_q1_2021"):
        data.load("train")


def test_a_changed_file_and_a_changed_list_are_named(tmp_path: Path) -> None:
    data = ectsum(tmp_path, dict(CALLS))
    (tmp_path / "ectsum" / "ects" / "B_q1_2021.txt").write_text("other", encoding="utf-8")
    with pytest.raises(DataError, match=r"B_q1_2021.txt: its sha256 is .*changed or cut"):
        data.load("train")
    (tmp_path / "transcripts.sha256").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"transcripts.sha256: its sha256 is .*, pinned is"):
        data.load("train")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    data = ectsum(tmp_path, dict(CALLS))
    (tmp_path / "ectsum" / "gt_summaries" / "A_q1_2021.txt").unlink()
    with pytest.raises(DataError, match=r"gt_summaries/A_q1_2021.txt: missing"):
        data.load("train")
