from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from shared.bases import find_base
from shared.compose import compose_run
from shared.fast_tokenizer import FastTokenizer
from shared.modules.writing import Drawn, Shown, read_beginning, target_loss, written
from shared.writing import IGNORED, frame, lines_of, mask, padded, taught

PROMPTS = [[5, 6, 7, 8], [9], [5, 6, 11]]
LIMITS = SimpleNamespace(batch_rows=2, max_new_tokens=6)
ENDS = SimpleNamespace(pad_token_id=0, eos_token_id=1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    folder = find_base(compose_run("ner", ["model=smollm2"]).model).encoder_folder
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.fixture(scope="module")
def decoder() -> Any:
    """A decoder with a few random weights."""
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=16,
        intermediate_size=32,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_hidden_layers=2,
        initializer_range=0.5,
    )
    return AutoModelForCausalLM.from_config(config).eval()


def free(rows: list[int]) -> list[Any]:
    return []


def test_the_frame_is_the_bases_chat_around_a_text_with_shots_in_front(tokenizer: Any) -> None:
    found = frame(tokenizer, "Ask.", shots=[("Tolls rose.", "Why?\nWhen?")])
    assert tokenizer.decode(found["before"]) == (
        "<|im_start|>system\nAsk.<|im_end|>\n"
        "<|im_start|>user\nTolls rose.<|im_end|>\n"
        "<|im_start|>assistant\nWhy?\nWhen?<|im_end|>\n"
        "<|im_start|>user\n"
    )
    assert tokenizer.decode(found["after"]) == "<|im_end|>\n<|im_start|>assistant\n"


def test_rows_stand_behind_their_padding() -> None:
    rows = [[5, 6, 7], [8]]
    assert padded(rows, 4, fill=9).tolist() == [[9, 5, 6, 7], [9, 9, 9, 8]]
    assert mask(rows, 4).tolist() == [[0, 1, 1, 1], [0, 0, 0, 1]]


def test_targets_follow_their_prompts_and_none_is_all_ignored() -> None:
    batch = taught([[5, 6], [7], [8]], [[3], [4, 1], []], fill=0)
    assert batch["tokens"].tolist() == [[5, 6, 3], [7, 4, 1], [0, 0, 8]]
    assert batch["mask"].tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 1]]
    assert batch["targets"].tolist() == [[IGNORED, 3], [4, 1], [IGNORED, IGNORED]]
    assert taught([[5]], [[]], fill=0)["targets"].tolist() == [[IGNORED]]


def tensors(batch: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in batch.items()}


def as_tensors(rows: list[list[int]], width: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(padded(rows, width, fill=0)), torch.from_numpy(mask(rows, width))


def test_the_loss_is_that_of_the_targets_in_the_whole_sequence(decoder: Any) -> None:
    """Computed anew without padding: 2 targets of the first prompt, 1 of the second."""
    outputs = target_loss(decoder, tensors(taught([[5, 6, 7], [8]], [[3, 1], [4]], fill=0)))
    assert outputs.loss is not None
    whole = [decoder(torch.tensor([ids])).logits[0].log_softmax(-1) for ids in ([5, 6, 7, 3, 1], [8, 4])]
    expected = -(whole[0][2, 3] + whole[0][3, 1] + whole[1][0, 4]) / 3
    assert outputs.loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_what_is_written_is_the_likeliest_token_each_time_padded_behind_the_end(decoder: Any) -> None:
    found = written(decoder, ENDS, *as_tensors(PROMPTS, 4), limits=LIMITS, processors=free)
    for prompt, ids in zip(PROMPTS, found.tolist(), strict=True):
        read, expected = list(prompt), []
        while len(expected) < 6 and (not expected or expected[-1] != 1):
            expected.append(int(decoder(torch.tensor([read])).logits[0, -1].argmax()))
            read.append(expected[-1])
        assert ids == expected + [0] * (6 - len(expected))


def test_always_as_many_prompts_are_run_and_the_last_one_fills_up(decoder: Any) -> None:
    asked = []

    def noted(rows: list[int]) -> list[Any]:
        asked.append(rows)
        return []

    tokens, seen = as_tensors(PROMPTS, 4)
    found = written(decoder, ENDS, tokens, seen, limits=LIMITS, processors=noted)
    assert asked == [[0, 1], [2, 2]]
    assert found.shape == (3, 6)


def test_the_first_answer_of_a_batch_is_shown_as_it_is_written_up_to_its_end(
    decoder: Any, tokenizer: Any
) -> None:
    """The words of the base's tokenizer stand for the ids that the small decoder writes."""
    prompts = as_tensors(PROMPTS[:2], 4)
    ends = SimpleNamespace(pad_token_id=0, eos_token_id=1, decode=tokenizer.decode)
    ids = written(decoder, ends, *prompts, limits=LIMITS, processors=free)[0].tolist()
    shown: list[str] = []
    again = written(decoder, ends, *prompts, limits=LIMITS, processors=free, show=shown.append)
    assert again[0].tolist() == ids
    assert "".join(shown) == tokenizer.decode([index for index in ids if index > 1]) + "\n"
    stopped = SimpleNamespace(pad_token_id=0, eos_token_id=ids[2], decode=tokenizer.decode)
    shown.clear()
    written(decoder, stopped, *prompts, limits=LIMITS, processors=free, show=shown.append)
    assert "".join(shown) == tokenizer.decode(ids[: ids.index(ids[2])]) + "\n"


def test_half_a_character_waits_for_its_other_bytes(tokenizer: Any) -> None:
    ids = tokenizer("€5 ü")["input_ids"]
    shown: list[str] = []
    streamer = Shown(tokenizer, shown.append)
    streamer.put(torch.tensor([[3, 4]]))
    for index in ids:
        streamer.put(torch.tensor([index, 9]))
    assert "".join(shown) == "€5 ü"
    assert len(ids) > len([piece for piece in shown if piece])


def test_a_shared_beginning_is_read_once_and_changes_nothing(decoder: Any) -> None:
    """The padding then stands between the beginning and the rest; two batches go on from the same cache."""
    rests, rests_seen = as_tensors(PROMPTS, 4)
    before = torch.tensor([[20, 21, 22]]).expand(3, -1)
    seen = torch.cat([torch.ones_like(before), rests_seen], 1)
    beginning = read_beginning(decoder, [20, 21, 22], device=torch.device("cpu"))
    found = written(
        decoder,
        ENDS,
        torch.cat([before, rests], 1),
        seen,
        limits=LIMITS,
        processors=free,
        beginning=beginning,
    )
    whole = [[20, 21, 22, *prompt] for prompt in PROMPTS]
    plain = written(decoder, ENDS, *as_tensors(whole, 7), limits=LIMITS, processors=free)
    assert found.tolist() == plain.tolist()
    assert beginning.get_seq_length() == 3


def test_lines_are_stripped_and_one_cut_off_at_the_last_token_is_left_out(tokenizer: Any) -> None:
    read = FastTokenizer.of(tokenizer)
    ids, end = read.encode(" Why? \n\nWhen"), read.eos_token_id
    assert lines_of(read, ids) == ["Why?"]
    assert lines_of(read, [*ids, end, 0, 0]) == ["Why?", "When"]
    assert lines_of(read, [end]) == []


def draws(shares: list[float], *, temperature: float, top_p: float, rows: int = 4000) -> list[float]:
    """The shares of each token among so many draws."""
    scores = torch.tensor([shares]).log().expand(rows, -1)
    drawn = Drawn(range(rows), temperature=temperature, top_p=top_p)(scores, scores).argmax(1)
    return [float((drawn == token).float().mean()) for token in range(len(shares))]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    """At a temperature of 0.5 the shares are squared: 0.25, 0.09 and 0.04 of 0.38 in all."""
    assert draws([0.5, 0.3, 0.2], temperature=1, top_p=1) == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert draws([0.5, 0.3, 0.2], temperature=0.5, top_p=1) == pytest.approx([0.658, 0.237, 0.105], abs=0.03)


@pytest.mark.parametrize(
    ("top_p", "expected"), [(0.1, [0, 1, 0]), (0.45, [0, 1, 0]), (0.7, [0.375, 0.625, 0])]
)
def test_the_likeliest_tokens_that_reach_top_p_together_can_be_drawn(
    top_p: float, expected: list[float]
) -> None:
    assert draws([0.3, 0.5, 0.2], temperature=1, top_p=top_p) == pytest.approx(expected, abs=0.03)


def test_the_noise_of_a_row_is_its_own_and_new_at_each_step() -> None:
    scores = torch.zeros(2, 1000)
    both, alone = Drawn([7, 8], temperature=1, top_p=1), Drawn([8], temperature=1, top_p=1)
    first, second = both(scores, scores), both(scores, scores)
    assert first[1].tolist() == alone(scores[:1], scores[:1])[0].tolist()
    assert second[1].tolist() == alone(scores[:1], scores[:1])[0].tolist()
    assert len({row.argmax().item() for row in (*first, *second)}) == 4
