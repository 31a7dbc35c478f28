from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.compose import compose_run
from shared.errors import BundleError, ConfigError
from shared.evaluate import infer, predict
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.model import Model, create_model
from tests.shared.short_base import SHORT_ENCODER
from tests.shared.training import losses_of

OVERRIDES = ["model=minilm", "head=sentence_selection", "train=quick", "head.negatives=2"]
REPORT = SummaryExample(
    "orla",
    (
        "Good morning and welcome.",
        "Revenue rose 12% to $41 million.",
        "We have 300 people and 7 sites.",
        "Costs were flat.",
        "Profit was $5 million.",
        "The call takes 45 minutes.",
    ),
    ("Revenue rose 12% to $41 million.", "Profit was $5 million."),
    "orla",
)
WORDS = SummaryExample("words", ("All is well.", "Nothing to add."), (), "words")


def new_model(*overrides: str) -> Model:
    config = compose_run("summarization", [*OVERRIDES, *overrides])
    return create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return new_model()


def reports(count: int) -> list[SummaryExample]:
    return [
        replace(
            REPORT,
            id=str(number),
            sentences=(*REPORT.sentences[:4], f"Profit was ${number} million.", REPORT.sentences[5]),
            bullets=(REPORT.bullets[0], f"Profit was ${number} million."),
        )
        for number in range(count)
    ]


def test_sentences_with_figures_are_read_and_all_of_a_document_without_any(model: Model) -> None:
    encoded = model.head.encode([REPORT, WORDS])
    assert [(s.example, s.index, s.place) for s in encoded] == [
        (0, 1, 2),
        (0, 2, 5),
        (0, 4, 10),
        (0, 5, 13),
        (1, 0, 0),
        (1, 1, 8),
    ]
    whole = new_model("head.figures_only=false")
    assert [s.index for s in whole.head.encode([REPORT])] == [0, 1, 2, 3, 4, 5]


def test_targets_say_how_much_of_a_bullet_a_sentence_tells(model: Model) -> None:
    """The last sentence shares nothing; without a summary there is nothing to learn."""
    targets = [sentence.target for sentence in model.head.encode([REPORT])]
    assert targets[0] == targets[2] == 1.0
    assert 0 <= targets[1] < 0.1 and 0 <= targets[3] < 0.1
    assert all(np.isnan(sentence.target) for sentence in model.head.encode([WORDS]))


def test_of_a_training_document_all_that_counts_is_read_and_so_many_others() -> None:
    model = new_model("head.negatives=1")
    model.head.start(model.backbone, [REPORT])
    indices = [sentence.index for sentence in model.head.encode([REPORT])]
    assert len(indices) == 3 and {1, 4} < set(indices)
    assert len(model.head.encode([replace(REPORT, id="another")])) == 4


def test_a_long_sentence_is_cut_and_what_is_lost_is_counted() -> None:
    model = new_model("head.max_tokens=8")
    (sentence,) = model.head.encode([SummaryExample("a", ("one " * 20_000 + "5",))])
    assert sentence.num_tokens == 10
    assert sentence.truncated_tokens == 20_001 - 8


def test_a_batch_is_padded_and_unlabelled_sentences_have_no_loss(model: Model) -> None:
    batch = model.head.collate(model.head.encode([REPORT, WORDS]))
    assert batch["tokens"].shape == batch["mask"].shape
    assert batch["mask"].sum(1).tolist() == [s.num_tokens for s in model.head.encode([REPORT, WORDS])]
    unlabelled = model.eval()(model.head.collate(model.head.encode([WORDS])))
    assert unlabelled.loss.item() == 0.0 and unlabelled.logits.shape == (2,)


def test_the_best_sentences_are_quoted_in_the_documents_order() -> None:
    model = new_model("head.sentences=2")
    encoded = model.head.encode([REPORT, WORDS])
    logits = [np.float32(value) for value in (0.1, 2.0, 3.0, 1.0, 0.5, 0.7)]
    assert model.head.decode([REPORT, WORDS], encoded, logits) == [
        SummaryPrediction("orla", (Bullet("", (2,), quoted=True), Bullet("", (4,), quoted=True))),
        SummaryPrediction("words", (Bullet("", (0,), quoted=True), Bullet("", (1,), quoted=True))),
    ]
    assert model.head.rank([REPORT, WORDS], encoded, logits) == [(4, 2, 5, 1), (1, 0)]


def test_an_empty_document_is_an_abstention_with_its_reason(model: Model) -> None:
    empty = SummaryExample("empty", ())
    (found,) = predict(model, [empty], batch_tokens=512)
    assert found == SummaryPrediction("empty", abstained="the document is empty")


def test_a_row_has_the_sentences_and_their_places(model: Model) -> None:
    prediction = SummaryPrediction("orla", (Bullet("", (4,), quoted=True),))
    assert model.head.row(REPORT, prediction) == {
        "id": "orla",
        "sentences": [{"sentence": 4, "text": "Profit was $5 million."}],
        "abstained": "",
    }


def test_the_choice_does_not_depend_on_the_other_documents_of_a_batch(model: Model) -> None:
    documents = [*reports(6), WORDS]
    together = predict(model, documents, batch_tokens=2048)
    alone = [predict(model, [document], batch_tokens=64)[0] for document in documents]
    assert alone == together


@pytest.mark.usefixtures("short_encoder")
def test_training_learns_to_tell_what_counts_twice_the_same(tmp_path: Path) -> None:
    losses = []
    for name in ("a", "b"):
        config = compose_run("summarization", [*OVERRIDES, "train.max_steps=20", "train.batch_tokens=300"])
        model, examples = new_model(*SHORT_ENCODER), reports(24)
        model.head.start(model.backbone, examples)
        losses.append(losses_of(model, examples, tmp_path / name, config=config.train))
    assert losses[0] == losses[1]
    (found,) = predict(model, [REPORT], batch_tokens=512)
    assert {1, 4} <= {bullet.sources[0] for bullet in found.bullets}
    features = model.head.encode([REPORT])
    ranked = model.head.rank([REPORT], features, infer(model, features, batch_tokens=512))
    assert set(ranked[0][:2]) == {1, 4}


def test_a_bundle_gives_the_same_choice_in_a_new_process(tmp_path: Path) -> None:
    config = compose_run("summarization", OVERRIDES)
    model = new_model()
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    origin = adapters.Origin("summarization", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model.eval(), tmp_path / "adapter", origin=origin, lora=config.lora)
    adapters.verify_reload(model, tmp_path / "adapter", [REPORT, WORDS])


def test_other_types_and_wrong_settings_are_refused(model: Model) -> None:
    with pytest.raises(BundleError, match="chooses sentences, asked for: PER"):
        model.head.ask({"PER": "person"})
    with pytest.raises(ConfigError, match=r"head\.negatives=0; allowed: a whole number above 0"):
        new_model("head.negatives=0")
