from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from shared.bases import find_base
from shared.compose import compose_run
from shared.errors import BundleError, ConfigError
from shared.evaluate import infer, predict
from shared.fast_tokenizer import FastTokenizer
from shared.heads.query_writing import QueryWritingHead, distinct_queries
from shared.heads.settings import QueryWriting
from shared.model import Model, create_model
from shared.modules.query_writer import QueryWriter
from shared.passages import QueryExample, QueryPrediction
from shared.writing import IGNORED
from tests.shared.training import losses_of

TYPES = {"query": "query"}
SMALL = ["head.passage_tokens=48", "head.max_new_tokens=12", "head.batch_rows=2", "lora.layers=2"]
TOLLS = QueryExample(
    "tolls",
    "Bridge tolls rose to 41 million in 2019.",
    ("What were the tolls in 2019?", "Did tolls rise?"),
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    folder = find_base(compose_run("ner", ["model=smollm2"]).model).encoder_folder
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")


def settings(**changed: Any) -> QueryWriting:
    composed = compose_run("query_generation", SMALL).head
    assert isinstance(composed, QueryWriting)
    return replace(composed, **changed)


def new_head(tokenizer: Any, **changed: Any) -> QueryWritingHead:
    told = settings(**changed)
    module = QueryWriter(told, tokenizer)
    return QueryWritingHead(told, types=TYPES, tokenizer=FastTokenizer.of(tokenizer), module=module)


def tiny_model(tokenizer: Any, **changed: Any) -> Model:
    """The head on a decoder with a few random weights, all of which train."""
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_hidden_layers=2,
        initializer_range=0.1,
    )
    backbone, nothing = AutoModelForCausalLM.from_config(config), None
    head = new_head(tokenizer, **changed)
    return Model(backbone, head, tokenizer, config=nothing, base=nothing)  # type: ignore[arg-type]


def test_a_prompt_is_the_instruction_the_shots_and_the_passage(tokenizer: Any) -> None:
    shots = [{"passage": "Dues fell.\n", "queries": "Why did dues fall?\nBy how much?\n"}]
    head = new_head(tokenizer, instruction="Ask.", shots=shots, max_new_tokens=24)
    (prompt,) = head.encode([TOLLS])
    assert tokenizer.decode(head.collate([prompt])["tokens"][0]) == (
        "<|im_start|>system\nAsk.<|im_end|>\n"
        "<|im_start|>user\nDues fell.<|im_end|>\n"
        "<|im_start|>assistant\nWhy did dues fall?\nBy how much?<|im_end|>\n"
        "<|im_start|>user\nBridge tolls rose to 41 million in 2019.<|im_end|>\n"
        "<|im_start|>assistant\nWhat were the tolls in 2019?\nDid tolls rise?<|im_end|>"
    )
    assert tokenizer.decode(prompt.target) == "What were the tolls in 2019?\nDid tolls rise?<|im_end|>"


def test_a_passage_is_cut_at_its_budget_and_counted(tokenizer: Any) -> None:
    head = new_head(tokenizer)
    (prompt,) = head.encode([QueryExample("long", "word " * 1000)])
    assert len(prompt.tokens) == 48 + len(head._after)
    assert prompt.truncated_tokens == len(head.tokenizer.encode("word " * 1000)) - 48


def test_queries_that_do_not_fit_whole_are_left_out_of_the_target_and_counted(tokenizer: Any) -> None:
    """The first has 12 tokens (its year 5 with the space), the second 6 with the break; then the end."""
    (prompt,) = new_head(tokenizer, max_new_tokens=18).encode([TOLLS])
    assert tokenizer.decode(prompt.target) == "What were the tolls in 2019?<|im_end|>"
    assert prompt.truncated_tokens == 6
    (whole,) = new_head(tokenizer, max_new_tokens=19).encode([TOLLS])
    assert tokenizer.decode(whole.target) == "What were the tolls in 2019?\nDid tolls rise?<|im_end|>"
    assert whole.truncated_tokens == 0
    (short,) = new_head(tokenizer, max_new_tokens=4).encode([TOLLS])
    assert tokenizer.decode(short.target) == "What were the<|im_end|>"
    assert new_head(tokenizer, max_new_tokens=4).targets([TOLLS, replace(TOLLS, queries=())]) == [
        short.target
    ]


def test_without_queries_the_prompt_is_the_same_and_there_is_no_target(tokenizer: Any) -> None:
    head = new_head(tokenizer)
    asked, bare = head.encode([TOLLS, replace(TOLLS, id="bare", queries=())])
    assert (bare.tokens, bare.key, bare.target) == (asked.tokens, asked.key, [])
    targets = head.collate([asked, bare])["targets"]
    assert targets[0].tolist() == asked.target
    assert set(targets[1].tolist()) == {IGNORED}


def test_the_loss_is_that_of_the_queries_alone(tokenizer: Any) -> None:
    model = tiny_model(tokenizer).train()
    (prompt,) = model.head.encode([TOLLS])
    batch = model.head.collate([prompt])
    whole = torch.from_numpy(batch["tokens"][0])
    log_shares = model.backbone(input_ids=whole[None]).logits[0].log_softmax(-1)
    start = len(whole) - len(prompt.target)
    expected = -np.mean([log_shares[i - 1, whole[i]].item() for i in range(start, len(whole))])
    assert model(batch).loss.item() == pytest.approx(expected, rel=1e-4)


def test_a_prompt_is_padded_by_its_own_length(tokenizer: Any) -> None:
    head = new_head(tokenizer, passage_tokens=200)
    lengths = [len(head._after), 20, 80, 200]
    texts = ["", "word " * 19, "word " * 79, "word " * 500]
    prompts = head.encode([QueryExample(str(n), text) for n, text in zip(lengths, texts, strict=True)])
    assert [prompt.width for prompt in prompts] == [64, 64, 128, 200 + len(head._after)]


def answer(tokenizer: Any, *texts: str, end: bool = True) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The samples of a passage as `forward` gives them, padded behind the end."""
    rows = [[*tokenizer(text)["input_ids"], *[tokenizer.eos_token_id] * end] for text in texts]
    width = max(map(len, rows))
    return np.array([[*row, *[0] * (width - len(row))] for row in rows], dtype=np.float32)


def test_the_lines_of_all_samples_are_queries_each_once_and_only_so_many(tokenizer: Any) -> None:
    head = new_head(tokenizer, samples=2, queries=3)
    ids = answer(tokenizer, "1. Why?\n- When?", "why ?\n\n* What was 1.5?\nWho?")
    (found,) = head.decode([TOLLS], head.encode([TOLLS]), [ids])
    assert found == QueryPrediction("tolls", ("Why?", "When?", "What was 1.5?"))


def test_a_query_cut_off_at_the_last_token_is_left_out(tokenizer: Any) -> None:
    head = new_head(tokenizer)
    ids = answer(tokenizer, "Why?\nWhen did", end=False)
    (found,) = head.decode([TOLLS], head.encode([TOLLS]), [ids])
    assert found.queries == ("Why?",)


def test_an_empty_passage_gets_no_query(tokenizer: Any) -> None:
    head, empty = new_head(tokenizer), QueryExample("empty", " \n")
    ids = answer(tokenizer, "Why?")
    assert head.decode([empty], head.encode([empty]), [ids]) == [QueryPrediction("empty")]


def test_list_marks_go_and_numbers_stay() -> None:
    lines = ["1.Why?", "2) Who?", "• When?", "1.5 million of what?", "2019 sales?", "-", "WHO", "who  ?!"]
    assert distinct_queries(lines) == ("Why?", "Who?", "When?", "1.5 million of what?", "2019 sales?")


def test_a_passage_gets_the_same_queries_alone_and_among_others() -> None:
    """Bit for bit, on the real base: batches of three, with two samples of each passage."""
    shape = ["head.samples=2", "head.batch_rows=3", "head.max_new_tokens=8"]
    config = compose_run("query_generation", [*SMALL, *shape])
    model = create_model(config.model, config.head, config.lora, types=TYPES, seed=1)
    prompts = model.head.encode([TOLLS, QueryExample("ferry", "Ferry tickets | 8,410 | 7,950")])
    together = infer(model, prompts, batch_tokens=1000)
    alone = [infer(model, [prompt], batch_tokens=1000)[0] for prompt in prompts]
    assert [ids.tolist() for ids in together] == [ids.tolist() for ids in alone]
    assert together[0].shape == (2, 8)
    assert together[0][0].tolist() != together[0][1].tolist()


def test_passages_of_several_widths_get_their_own_queries(tokenizer: Any) -> None:
    model = tiny_model(tokenizer, samples=2, passage_tokens=80)
    texts = [f"In 2018 {'dues fell and ' * 30}", "Dues fell.", "Tolls rose. " * 20, "Tolls rose."]
    prompts = model.head.encode([QueryExample(text, text) for text in texts])
    assert len({prompt.width for prompt in prompts}) == 2
    together = infer(model, prompts, batch_tokens=1000)
    alone = [infer(model, [prompt], batch_tokens=1000)[0] for prompt in prompts]
    assert [ids.tolist() for ids in together] == [ids.tolist() for ids in alone]


def test_the_noise_comes_from_the_text_and_the_seed_alone(tokenizer: Any) -> None:
    same, other = TOLLS, replace(TOLLS, text="Dues fell.")
    ids = [
        infer(tiny_model(tokenizer, sampling_seed=seed), features, batch_tokens=1000)
        for seed in (1, 2)
        for features in [new_head(tokenizer).encode([same, replace(same, id="again"), other])]
    ]
    assert ids[0][0].tolist() == ids[0][1].tolist()
    assert ids[0][0].tolist() != ids[0][2].tolist()
    assert ids[0][0].tolist() != ids[1][0].tolist()


def test_without_a_temperature_the_likeliest_tokens_are_written(tokenizer: Any) -> None:
    """Computed anew without padding or cache."""
    model = tiny_model(tokenizer, temperature=0.0, max_new_tokens=3).eval()
    (prompt,) = model.head.encode([TOLLS])
    read = [*model.head._before, *prompt.tokens]
    for _ in range(3):
        read.append(int(model.backbone(input_ids=torch.tensor([read])).logits[0, -1].argmax()))
    (ids,) = infer(model, [prompt], batch_tokens=1000)
    assert ids.tolist() == [read[-3:]]


def test_the_writer_learns_queries_by_heart_twice_the_same(tokenizer: Any, tmp_path: Path) -> None:
    loop = ["train.epochs=3", "train.batch_tokens=40", "train.learning_rate=0.02", "train.keep=last"]
    config = compose_run("query_generation", ["train=write", *loop])
    losses = []
    for name in ("a", "b"):
        model = tiny_model(tokenizer, temperature=0.0, max_new_tokens=24)
        losses.append(losses_of(model, [TOLLS] * 10, tmp_path / name, config=config.train))
    assert losses[0] == losses[1] and losses[0][-1] < 0.2 < losses[0][0]
    (found,) = predict(model.eval(), [replace(TOLLS, queries=())], batch_tokens=1000)
    assert found.queries == TOLLS.queries
    assert model.head.row(TOLLS, found) == {"id": "tolls", "queries": list(TOLLS.queries)}


def test_the_shots_are_passages_with_four_queries_each() -> None:
    shots = compose_run("query_generation", ["head=query_writing_shots"]).head.shots  # type: ignore[attr-defined]
    assert [len(shot["queries"].splitlines()) for shot in shots] == [4, 4]
    assert shots[0]["passage"].splitlines()[0] == "(in thousands) | 2019 | 2018"


def test_what_cannot_be_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ConfigError, match=r"head\.samples=0; allowed: a whole number above 0"):
        settings(samples=0)
    with pytest.raises(ConfigError, match=r"head\.samples=2: with head\.temperature=0 all would be the same"):
        new_head(tokenizer, samples=2, temperature=0.0)
    with pytest.raises(
        ConfigError, match=r"head\.shots\[0\] has \['passage', 'query'\]; needed: passage, quer"
    ):
        new_head(tokenizer, shots=[{"passage": "a", "query": "b"}])
    with pytest.raises(ConfigError, match=r"head\.top_p=0; allowed: 0 or more, and above 0 up to 1"):
        settings(top_p=0)
    with pytest.raises(BundleError, match="writes queries, asked for: PER"):
        new_head(tokenizer).ask({"PER": "person"})
