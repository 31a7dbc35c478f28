from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.compose import compose_run
from shared.errors import BundleError, ConfigError
from shared.evaluate import coverage, infer, predict
from shared.heads.dual_encoding import PassageIndex
from shared.model import Model, create_model
from shared.passages import Passage, RankingExample
from tests.shared.short_base import SHORT_ENCODER
from tests.shared.training import losses_of

OVERRIDES = ["head=dual_encoding", "head.window_tokens=12", "head.overlap_tokens=4", "train.epochs=1"]
LONG = Passage("long", "The harbour is closed on Sundays. " * 3 + "Parcels travel by rail to the depot.")
PASSAGES = (
    Passage("leave", "Staff get thirty days of paid holiday a year."),
    Passage("rent", "The lease of the warehouse ends in March."),
    LONG,
)
HOLIDAY = RankingExample("h", "how many vacation days do employees have", PASSAGES, (), {"leave": 1})
TRAIN = RankingExample("t", "how are packages transported", PASSAGES, (), {"long": 1})


def new_model(*overrides: str) -> Model:
    config = compose_run("reranking", [*OVERRIDES, *overrides])
    return create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return new_model()


def test_a_text_is_embedded_once_however_many_queries_may_find_it(model: Model) -> None:
    texts = model.head.encode([HOLIDAY, TRAIN])
    assert [(text.example, text.part) for text in texts if text.passage is None] == [(0, 0), (1, 0)]
    assert [text.part for text in texts if text.passage == ("", LONG.text)] == [0, 1, 2, 3]
    assert len(texts) == 2 + 1 + 1 + 4
    assert coverage([HOLIDAY, TRAIN], texts).texts_beyond_window == 1


def test_the_obvious_passage_comes_first_and_a_long_one_by_its_last_window(model: Model) -> None:
    found = predict(model, [HOLIDAY, TRAIN], batch_tokens=512)
    assert found[0].ranked == ("leave", *found[0].ranked[1:]) and found[1].ranked[0] == "long"
    assert len(found[0].ranked) == 3 and found[0].probabilities == ()


def test_a_lesson_has_the_relevant_candidates_and_the_first_stages_best_others() -> None:
    model = new_model("head.depth=1")
    lost = replace(TRAIN, id="lost", grades={"elsewhere": 1})
    training = [TRAIN, lost]
    model.head.start(model.backbone, training)
    (lesson,) = model.head.encode(training)
    assert lesson.example == 0
    assert list(lesson.positives) == ["long"] and list(lesson.negatives) == ["leave"]
    assert len(model.head.encode([HOLIDAY])) == 1 + 1 + 1 + 4
    assert len(model.head.encode([TRAIN, lost])) == 2 + 1 + 1 + 4  # equal ones that validate


def test_a_batch_of_lessons_hides_other_relevant_passages_and_has_its_targets() -> None:
    model = new_model("head.negatives=2")
    twin = replace(HOLIDAY, id="twin", grades={"leave": 1, "long": 2})
    training = [TRAIN, twin]
    model.head.start(model.backbone, training)
    torch.manual_seed(0)
    batch = model.head.collate(model.head.encode(training))
    assert batch["tokens"].shape[0] == 2 + 3
    assert batch["hidden"].shape == (2, 3)
    assert batch["hidden"].sum(1).tolist() == [0, 1]
    assert not np.take_along_axis(batch["hidden"], batch["targets"][:, None], axis=1).any()
    outputs = model.train()(batch)
    assert outputs.loss.isfinite() and torch.isinf(outputs.logits).sum() == 1


def test_queries_of_one_long_passage_are_taught_their_own_windows_which_are_no_negatives() -> None:
    model = new_model("head.negatives=0")
    training = [
        replace(TRAIN, id="a", text="parcels by rail"),
        replace(TRAIN, id="b", text="harbour sundays"),
    ]
    model.head.start(model.backbone, training)
    batch = model.head.collate(model.head.encode(training))
    assert batch["tokens"].shape[0] == 2 + 2
    assert batch["targets"].tolist() == [0, 1]
    assert batch["hidden"].tolist() == [[False, True], [True, False]]
    windows = [model.head.tokenizer.encode(text) for text in ("parcels", "harbour")]
    assert [set(w) <= set(row.tolist()) for w, row in zip(windows, batch["tokens"][2:], strict=True)] == [
        1,
        1,
    ]


def test_an_answer_does_not_depend_on_the_other_queries(model: Model) -> None:
    together = predict(model, [HOLIDAY, TRAIN], batch_tokens=2048)
    for example, expected in zip((HOLIDAY, TRAIN), together, strict=True):
        (alone,) = predict(model, [example], batch_tokens=64)
        assert alone.ranked == expected.ranked
        assert alone.scores == pytest.approx(expected.scores, abs=1e-4)


def test_a_bundle_keeps_passages_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three are read, and forgotten before the next query since two are the most: then all are read again."""
    model = new_model()
    model.head.source["bundle"] = "as loaded"
    (first,) = predict(model, [HOLIDAY], batch_tokens=512)
    assert len(model.head.encode([HOLIDAY])) == 1
    monkeypatch.setattr("shared.heads.dual_encoding.MOST_KNOWN", 2)
    assert len(model.head.encode([HOLIDAY])) == 1 + 1 + 1 + 4
    (again,) = predict(model, [HOLIDAY], batch_tokens=512)
    assert again == first


def test_an_index_joins_what_it_knows_with_what_is_new() -> None:
    east, north, both = np.float32([1, 0]), np.float32([0, 1]), np.float32([0.6, 0.8])
    index = PassageIndex({("", "a"): [east], ("", "b"): [north, both]}).joined({("t", "a"): [both]})
    passages = [Passage("1", "b"), Passage("2", "a"), Passage("3", "a", "", "t")]
    assert index.cosines(east, passages).tolist() == pytest.approx([0.6, 1.0, 0.6])
    assert len(index) == 3 and ("", "c") not in index and index.joined({}) is index


def trained(model: Model, folder: Path, *, steps: list[str]) -> list[float]:
    """The losses of a training on eight queries and their pages."""
    pages = tuple(Passage(str(number), f"the page of item {number * 7}") for number in range(8))
    examples = [RankingExample(p.id, f"code {p.id}", pages, (), {p.id: 1}) for p in pages]
    config = compose_run("reranking", [*OVERRIDES, "train.epochs=20", *steps])
    model.head.start(model.backbone, examples)
    return losses_of(model, examples, folder, config=config.train)


def test_twenty_steps_learn(tmp_path: Path) -> None:
    steps = ["train.max_steps=20"]
    losses = trained(new_model(), tmp_path / "whole", steps=steps)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])


@pytest.mark.usefixtures("short_encoder")
def test_five_steps_give_the_same_losses_twice(tmp_path: Path) -> None:
    steps = ["train.max_steps=5"]
    losses = [trained(new_model(*SHORT_ENCODER), tmp_path / name, steps=steps) for name in "ab"]
    assert losses[0] == losses[1]


def test_a_bundle_gives_the_same_embeddings_in_a_new_process(tmp_path: Path) -> None:
    config = compose_run("reranking", OVERRIDES)
    model = new_model()
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    features = model.head.encode([HOLIDAY, TRAIN])
    model.head.tune([HOLIDAY, TRAIN], features, infer(model, features, batch_tokens=512))
    origin = adapters.Origin("reranking", config.resolved["head"], "sample", "none")
    folder = tmp_path / "adapter"
    adapters.save_bundle(model.eval(), folder, origin=origin, lora=config.lora)
    adapters.verify_reload(model, folder, [HOLIDAY, TRAIN])
    assert "python -m tasks.retrieval predict run=" in (folder / "README.md").read_text(encoding="utf-8")
    loaded = adapters.load_bundle(folder)
    (first,) = predict(loaded, [HOLIDAY], batch_tokens=512)
    assert len(loaded.head.encode([HOLIDAY])) == 1  # the passages are known by now
    (second,) = predict(loaded, [HOLIDAY], batch_tokens=512)
    assert second.ranked == first.ranked and second.scores == pytest.approx(first.scores, abs=1e-4)
    assert first.probabilities[0] == max(first.probabilities)


def test_other_types_and_wrong_settings_are_refused(model: Model) -> None:
    with pytest.raises(BundleError, match="orders passages, asked for: PER"):
        model.head.ask({"PER": "person"})
    with pytest.raises(ConfigError, match=r"head\.depth=0; allowed: a whole number above 0"):
        new_model("head.depth=0")
    with pytest.raises(ConfigError, match="sent_away=1"):
        new_model("head.order.sent_away=1")
