import math
from dataclasses import dataclass

import pytest
import torch

from shared.bases import find_base
from shared.compose import compose_run
from shared.encoder import load_encoder
from shared.fast_tokenizer import FastTokenizer
from shared.modules.rows import by_length, draw, embed_rows
from shared.padding import padded_tokens
from shared.text_pieces import Pieces


@dataclass(frozen=True)
class Limits:
    query_tokens: int = 4
    window_tokens: int = 6
    overlap_tokens: int = 2


@pytest.fixture(scope="module")
def encoder() -> tuple[torch.nn.Module, object]:
    return load_encoder(find_base(compose_run("ner", []).model))


def test_a_long_passage_is_cut_into_windows_that_overlap(encoder: tuple[torch.nn.Module, object]) -> None:
    pieces = Pieces(FastTokenizer.of(encoder[1]), Limits())
    words = "one two three four five six seven eight"
    windows = [encoder[1].decode(row, skip_special_tokens=True) for row in pieces.passage(words)]
    assert windows == ["one two three four five six", "five six seven eight"]
    assert pieces.passage("") == [[101, 102]]


def test_each_window_begins_with_the_title(encoder: tuple[torch.nn.Module, object]) -> None:
    pieces = Pieces(FastTokenizer.of(encoder[1]), Limits())
    windows = pieces.passage("one two three four five six seven", title="bank fund")
    assert [encoder[1].decode(row, skip_special_tokens=True) for row in windows] == [
        "bank fund one two three four",
        "bank fund three four five six",
        "bank fund five six seven",
    ]
    (long,) = pieces.passage("one", title="bank " * 9)
    assert encoder[1].decode(long, skip_special_tokens=True) == "bank bank bank one"


def test_the_window_that_is_taught_has_most_of_the_querys_tokens(
    encoder: tuple[torch.nn.Module, object],
) -> None:
    pieces = Pieces(FastTokenizer.of(encoder[1]), Limits())
    words = "one two three four five six seven eight"
    for query, shown in (
        ("seven eight", "five six seven eight"),
        ("one eight two", "one two three four five six"),
        ("two seven seven seven", "one two three four five six"),  # each token counts once: a tie, the first
        ("nine", "one two three four five six"),
    ):
        window = pieces.taught(pieces.query(query)[0], words)
        assert encoder[1].decode(window, skip_special_tokens=True) == shown


def test_a_query_is_cut_and_what_is_lost_is_counted(encoder: tuple[torch.nn.Module, object]) -> None:
    tokens, lost = Pieces(FastTokenizer.of(encoder[1]), Limits()).query("one " * 50_000)
    assert (len(tokens), lost) == (6, 49_996)


def test_a_pair_is_a_query_and_a_window_with_marks_between(encoder: tuple[torch.nn.Module, object]) -> None:
    pieces = Pieces(FastTokenizer.of(encoder[1]), Limits())
    pair = pieces.pair(pieces.query("one")[0], pieces.passage("two")[0])
    assert encoder[1].decode(pair) == "[CLS] one [SEP] two [SEP]"


def test_rows_are_padded_and_read_by_length() -> None:
    batch = padded_tokens([[1] * 3000, [1], [1] * 2, [1] * 3000], fill=0)
    assert batch["tokens"].shape == (4, 3000)
    assert batch["mask"].sum(1).tolist() == [3000, 1, 2, 3000]
    read: list[tuple[list[int], int]] = []

    def lengths(rows: list[int], mask: torch.Tensor) -> torch.Tensor:
        read.append((rows, mask.shape[1]))
        return mask.sum(1)

    assert by_length(torch.from_numpy(batch["mask"]), lengths).tolist() == [3000, 1, 2, 3000]
    assert read == [([1, 2], 2), ([0], 3000), ([3], 3000)]


def test_a_draw_depends_on_torchs_generator_alone() -> None:
    torch.manual_seed(3)
    first = draw(dict(zip("abcdef", range(6), strict=True)), 3)
    torch.manual_seed(3)
    assert draw(dict(zip("abcdef", range(6), strict=True)), 3) == first
    assert len(first) == 3 and draw({"a": 1}, 5) == {"a": 1} and draw({}, 2) == {}


def tensors(rows: list[list[int]]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in padded_tokens(rows, fill=0).items()}


def test_embeddings_have_length_1_and_do_not_depend_on_other_rows(
    encoder: tuple[torch.nn.Module, object],
) -> None:
    pieces = Pieces(FastTokenizer.of(encoder[1]), Limits(window_tokens=600))
    rows = [pieces.passage(text)[0] for text in ("a bank", "a loan " * 250, "rates rose in May", "x")]
    with torch.inference_mode():
        together = embed_rows(encoder[0], **tensors(rows))
        alone = torch.cat([embed_rows(encoder[0], **tensors([row])) for row in rows])
    assert together.norm(dim=1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert torch.allclose(together, alone, atol=1e-5)
    assert math.isclose(float(together[0] @ together[0]), 1.0, abs_tol=1e-5)
