import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.abstention import Gate
from shared.compose import compose_run
from shared.errors import BundleError, ConfigError, UserError
from shared.evaluate import infer, predict
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.model import Model, create_model
from shared.promise import Usual
from shared.record import Promise
from shared.streaming import predict_file, show_writing
from shared.writing import IGNORED
from tests.shared.short_base import SHORT
from tests.shared.training import losses_of

pytestmark = pytest.mark.usefixtures("short_base")
WHOLE = ["head.prompt_tokens=48", "head.max_new_tokens=12", "head.batch_rows=2", "lora.layers=2"]
SMALL = [*SHORT, *WHOLE]
REPORT = SummaryExample(
    "orla",
    ("Good morning.", "Revenue rose 12% to $41.2 million in Q2.", "Profit was $5 million."),
    ("Revenue rose 12%.", "Profit was $5 million."),
    "orla",
)


def new_model(*overrides: str, words: Sequence[str] = SMALL) -> Model:
    config = compose_run("summarization", [*words, "head.check=null", *overrides])
    return create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)


@pytest.fixture(scope="module")
def model(short_base: None) -> Model:
    return new_model()


def test_a_prompt_frames_the_sentences_as_the_base_was_taught() -> None:
    model = new_model("head.max_new_tokens=24")
    (prompt,) = model.head.encode([REPORT])
    assert model.tokenizer.decode(prompt.tokens) == (
        "<|im_start|>system\nSummarize in the style of the house.<|im_end|>\n"
        "<|im_start|>user\nGood morning.\nRevenue rose 12% to $41.2 million in Q2.\nProfit was $5 million.\n"
        "<|im_end|>\n<|im_start|>assistant\n"
    )
    assert model.tokenizer.decode(prompt.target) == "Revenue rose 12%.\nProfit was $5 million.<|im_end|>"
    assert prompt.read == (0, 1, 2)


def test_chosen_sentences_stand_in_the_documents_order_as_far_as_the_budget_goes() -> None:
    """The best two are asked for, and one of them fits; the other's tokens are counted."""
    model = new_model("head.prompt_tokens=24", "head.sentences=2", "head.max_new_tokens=24")
    sizes = [len(model.head.tokenizer.encode(text + "\n")) for text in REPORT.sentences]
    (prompt,) = model.head.encode([replace(REPORT, chosen=(1, 2, 0))])
    assert sizes[1] <= 24 < sizes[1] + sizes[2]
    assert prompt.read == (1,)
    assert prompt.truncated_tokens == sizes[2]


def test_one_sentence_of_twenty_thousand_words_is_cut_and_counted(model: Model) -> None:
    (prompt,) = model.head.encode([SummaryExample("long", ("word " * 20_000,))])
    assert prompt.read == (0,)
    assert prompt.truncated_tokens > 19_000
    assert prompt.num_tokens == 48 + len(model.head._before) + len(model.head._after)


def test_targets_alone_have_a_loss(model: Model) -> None:
    """The prompt is masked: another prompt's target positions stay the same, and the end is learnt."""
    encoded = model.head.encode([REPORT, replace(REPORT, bullets=("Up.",))])
    batch = model.head.collate(encoded)
    assert batch["targets"].shape[1] == max(len(prompt.target) for prompt in encoded)
    assert batch["targets"][1].tolist()[-len(encoded[1].target) :] == encoded[1].target
    assert batch["targets"][1].tolist()[0] == IGNORED
    assert encoded[1].target[-1] == model.tokenizer.eos_token_id


def test_the_loss_is_that_of_the_whole_sequence_at_the_targets(model: Model) -> None:
    """Computed anew without padding, cache or a cut of the logits."""
    (prompt,) = model.head.encode([REPORT])
    batch = model.head.collate([prompt])
    other = model.head.encode([replace(REPORT, sentences=REPORT.sentences[:1])])
    padded = model.head.collate([prompt, *other])
    model.train()
    ids = torch.tensor([[*prompt.tokens, *prompt.target]])
    logits = model.backbone(input_ids=ids).logits[0]
    start = len(prompt.tokens) - 1
    expected = torch.nn.functional.cross_entropy(
        logits[start : start + len(prompt.target)], torch.tensor(prompt.target)
    )
    assert model(batch).loss.item() == pytest.approx(expected.item(), rel=1e-4)
    first = model(padded).loss.item()
    alone = [model(model.head.collate([item])).loss.item() for item in (prompt, *other)]
    lengths = [len(item.target) for item in (prompt, *other)]
    assert first == pytest.approx(np.average(alone, weights=lengths), rel=1e-4)


def test_a_summary_does_not_depend_on_the_other_documents_of_a_batch(model: Model) -> None:
    documents = [
        replace(REPORT, id=str(number), sentences=REPORT.sentences[number % 3 :] + REPORT.sentences[:1])
        for number in range(5)
    ]
    together = model.head.encode(documents)
    found = infer(model, together, batch_tokens=100_000)
    backwards = infer(model, together[::-1], batch_tokens=200)[::-1]
    alone = [infer(model, [prompt], batch_tokens=100)[0] for prompt in together]
    for others in (backwards, alone):
        assert [ids.tolist() for ids in others] == [ids.tolist() for ids in found]


def test_generated_ids_become_bullets_and_a_cut_last_one_is_left_out(model: Model) -> None:
    (prompt,) = model.head.encode([REPORT])
    ended = np.array(
        [*model.head.tokenizer.encode("Up 5%.\n\nDown 2%."), model.tokenizer.eos_token_id, 0, 0], dtype=float
    )
    cut = np.array(model.head.tokenizer.encode("Up 5%.\nDown 2"), dtype=float)
    for ids, texts in ((ended, ["Up 5%.", "Down 2%."]), (cut, ["Up 5%."])):
        (found,) = model.head.decode([REPORT], [prompt], [ids])
        assert found == SummaryPrediction("orla", tuple(map(Bullet, texts)), read=(0, 1, 2))


def test_nothing_written_and_nothing_to_read_are_abstentions(model: Model) -> None:
    empty = SummaryExample("empty", ("", " "))
    prompts = model.head.encode([REPORT, empty])
    silent = np.array([model.tokenizer.eos_token_id], dtype=float)
    found = model.head.decode([REPORT, empty], prompts, [silent, silent])
    assert [prediction.abstained for prediction in found] == ["nothing was written", "the document is empty"]


def test_a_second_writing_goes_on_behind_what_stood_with_numbers_of_its_prompt_alone(model: Model) -> None:
    again = replace(REPORT, bullets=(), begun=("Revenue rose 12%.",))
    (prompt,) = model.head.encode([again])
    assert model.tokenizer.decode(prompt.tokens).endswith("<|im_start|>assistant\nRevenue rose 12%.\n")
    (ids,) = infer(model, [prompt], batch_tokens=1000)
    (found,) = model.head.decode([again], [prompt], [ids])
    assert found.bullets[0].text == "Revenue rose 12%."
    written = model.tokenizer.decode(ids.astype(int).tolist(), skip_special_tokens=True)
    digits = "".join(character if character.isdigit() or character == "." else " " for character in written)
    numbers = {number.strip(".") for number in digits.split()} - {""}
    assert numbers <= {"12", "41.2", "2", "5"}


def test_what_is_written_can_be_watched_text_by_text(
    model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "calls.jsonl"
    documents = [{"id": str(k), "document": list(REPORT.sentences[k:])} for k in range(2)]
    given.write_text("".join(json.dumps(row) + "\n" for row in documents), encoding="utf-8")
    words = [f"predict.input={given}", "predict.format=jsonl"]
    answers = []
    for name in ("plain", "watched"):
        asked = [*words, f"predict.output={tmp_path / name}", f"predict.stream={name == 'watched'}"]
        config = compose_run("summarization", asked)
        if config.predict.stream:
            show_writing(model.head)
        assert predict_file(model, config.predict, read=config.reader) == 2
        answers.append((tmp_path / name).read_text(encoding="utf-8"))
    assert answers[0] == answers[1]
    shown, model.head.show = capsys.readouterr().err, None
    features = model.head.encode([replace(REPORT, sentences=REPORT.sentences[k:]) for k in range(2)])
    written = [ids.astype(int).tolist() for ids in infer(model, features, batch_tokens=1000)]
    assert shown == "".join(f"{text_of(model, ids)}\n" for ids in written)


def test_a_row_has_bullets_that_are_given_and_apart_those_held_back(model: Model) -> None:
    sure, unsure = Bullet("Revenue rose 12%.", (1,), confidence=0.9), Bullet("Profit rose.", confidence=0.1)
    whole = SummaryPrediction("orla", (sure, unsure))
    row = model.head.row(REPORT, whole)
    assert [own["confidence"] for own in row["bullets"]] == [0.9, 0.1]
    assert row.keys() == {"id", "bullets", "abstained"}
    held = model.head.row(REPORT, whole.held_back("bullets", 0.5, "not sure enough"))
    assert held["bullets"] == row["bullets"][:1]
    assert (held["reason"], held["unsure"]) == ("not sure enough", row["bullets"][1:])


def test_a_summary_with_bullets_held_back_waits_for_a_person(tmp_path: Path) -> None:
    """The first report has a figure in each sentence but one; of the second nothing is sure."""
    given = tmp_path / "calls.jsonl"
    documents = [{"id": str(k), "document": list(REPORT.sentences[: 3 - 2 * k])} for k in range(2)]
    given.write_text("".join(json.dumps(row) + "\n" for row in documents), encoding="utf-8")
    queue, output = tmp_path / "queue.jsonl", tmp_path / "out.jsonl"
    words = [f"predict.input={given}", "predict.format=jsonl", f"predict.output={output}"]
    config = compose_run("summarization", [*words, f"predict.abstained={queue}", "style.period=0"])
    gate = Gate(Promise("bullets", 0.05, 0.95, None, 0.0, 100, 0.0), Usual(0.9, 0.5, 100.0))
    model = new_model(words=WHOLE)
    model.head.reviewer = config.head.reviewer()
    predict_file(model, config.predict, read=config.reader, gate=gate)
    waiting = [json.loads(line) for line in queue.read_text(encoding="utf-8").splitlines()]
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [row["why"] for row in waiting] == [row["abstained"] for row in rows]
    assert waiting[0]["why"] == gate.reason
    assert all(row["bullets"] == [] for row in rows)
    assert {own["confidence"] for own in waiting[0]["answer"]["unsure"]} == {1.0}


def text_of(model: Model, ids: list[int]) -> str:
    end = model.tokenizer.eos_token_id
    return str(model.tokenizer.decode(ids[: ids.index(end)] if end in ids else ids))


def test_a_head_that_does_not_write_cannot_be_watched() -> None:
    config = compose_run("summarization", ["model=minilm", "head=sentence_selection"])
    selector = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    with pytest.raises(UserError, match=r"predict\.stream=true: this head does not write"):
        show_writing(selector.head)


def test_the_house_style_can_be_told_in_the_prompt() -> None:
    config = compose_run("summarization", [*SMALL, "head.style_in_prompt=true"])
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    told = model.tokenizer.decode(model.head._before)
    assert "third person" in told and "5%" in told


def test_lora_sits_in_the_last_layers_alone() -> None:
    model = new_model(words=WHOLE)
    layers = {name.split(".layers.")[1].split(".")[0] for name in model.trained_state()}
    assert layers == {"28", "29"}


def trained(model: Model, folder: Path, *, epochs: int) -> list[float]:
    """The losses of a training on one report."""
    config = compose_run("summarization", ["train=write", f"train.epochs={epochs}", "train.keep=last"])
    return losses_of(model, [REPORT], folder, config=config.train)


def test_a_writer_learns_the_same_twice(tmp_path: Path) -> None:
    losses = [trained(new_model("head.max_new_tokens=24"), tmp_path / name, epochs=4) for name in "ab"]
    assert losses[0] == losses[1] and losses[0][-1] < losses[0][0]


def test_the_writer_learns_a_summary_by_heart(tmp_path: Path) -> None:
    model = new_model("head.max_new_tokens=24", words=WHOLE)  # the first blocks alone learn slower
    losses = trained(model, tmp_path / "whole", epochs=12)
    assert losses[-1] < 0.2 < losses[0]
    (found,) = predict(model.eval(), [replace(REPORT, bullets=())], batch_tokens=1000)
    assert tuple(bullet.text for bullet in found.bullets) == REPORT.bullets


def test_a_bundle_holds_its_selector_and_gives_the_same_text_in_a_new_process(tmp_path: Path) -> None:
    chooser = compose_run("summarization", ["model=minilm", "head=sentence_selection"])
    selector = create_model(chooser.model, chooser.head, chooser.lora, types=chooser.data.types(), seed=1)
    origin = adapters.Origin("summarization", chooser.resolved["head"], "sample", "none")
    adapters.save_bundle(selector.eval(), tmp_path / "selector", origin=origin, lora=chooser.lora)
    overrides = [*SMALL, f"head.selector={tmp_path / 'selector'}"]
    config = compose_run("summarization", overrides)
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    origin = adapters.Origin("summarization", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model.eval(), tmp_path / "adapter", origin=origin, lora=config.lora)
    (tmp_path / "selector").rename(tmp_path / "moved")  # the bundle is whole without it
    examples = [replace(REPORT, bullets=()), SummaryExample("empty", ("",))]
    model.head.bundles = {"selector": tmp_path / "moved"}
    adapters.verify_reload(model, tmp_path / "adapter", examples)
    assert (tmp_path / "adapter" / "selector" / "bundle.json").is_file()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match=r"head\.selector='nowhere' is no folder; train one: python -m"):
        model = new_model("head.selector=nowhere")
        model.head.start(model.backbone, [REPORT])
    with pytest.raises(ConfigError, match=r"head\.batch_rows=0; allowed: a whole number above 0"):
        new_model("head.batch_rows=0")
    with pytest.raises(ConfigError, match=r"head\.check\.failed='hide'"):
        compose_run("summarization", ["head.check.failed=hide"])


def test_other_types_are_refused(model: Model) -> None:
    with pytest.raises(BundleError, match="writes summaries, asked for: PER"):
        model.head.ask({"PER": "person"})
