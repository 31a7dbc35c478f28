from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shared.adapters import Origin, load_bundle, save_bundle
from shared.agreement import follow_reference
from shared.compose import compose_run
from shared.errors import ConfigError, UserError
from shared.evaluate import infer
from shared.model import Model, create_model
from shared.modules.word_tagger import disagreement
from shared.runs import Progress
from shared.train import fit
from tests.shared.short_base import SHORT_ENCODER
from tests.shared.test_train import EXAMPLES, LABELS

pytestmark = pytest.mark.usefixtures("short_encoder")


def make(seed: int, *overrides: str, types: dict[str, str] = LABELS) -> Model:
    config = compose_run("ner", [f"seed={seed}", *SHORT_ENCODER, *overrides])
    return create_model(config.model, config.head, config.lora, types=types, seed=seed)


def train(model: Model, folder: Path, *, reference: Path | None = None, weight: float = 5.0) -> Model:
    """Train on forty sentences, six passes."""
    folder.mkdir(exist_ok=True)
    config = compose_run("ner", ["train.epochs=6", "train.batch_tokens=80"])
    features = model.head.encode(EXAMPLES)
    if reference is not None:
        features = follow_reference(
            model, EXAMPLES, features, folder=reference, weight=weight, batch_tokens=400
        )
    with Progress(folder, metric="f1") as progress:
        fit(
            model,
            features,
            config=config.train,
            seed=1,
            validate=lambda: 0.5,
            folder=folder,
            progress=progress,
        )
    return model


@pytest.fixture(scope="module")
def reference(short_encoder: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    config = compose_run("ner", [])
    model = train(make(7), folder)
    origin = Origin("ner", config.resolved["head"], "forty sentences", "MIT")
    save_bundle(model, folder / "adapter", origin=origin, lora=config.lora)
    return folder


def test_words_that_the_reference_tagged_right_count_and_the_others_do_not() -> None:
    """At temperature 4, (3/4, 1/4) is (0.5682, 0.4318), whose KL from (1/2, 1/2) is 0.0094, times 16 0.1504.

    One of two words counts, and no padding.
    """
    logits = torch.tensor([[[0.75, 0.25], [0.75, 0.25], [0.0, 0.0]]]).log().clamp(min=-50)
    even = torch.tensor([[[0.5, 0.5], [0.5, 0.5], [0.0, 0.0]]]).log().clamp(min=-50)
    found = disagreement(logits, even, torch.tensor([[0, 1, -100]]))
    assert float(found) == pytest.approx(0.1504 / 2, abs=1e-4)
    assert float(disagreement(even, even, torch.tensor([[0, 0, -100]]))) == pytest.approx(0, abs=1e-6)


def test_a_model_trained_with_a_reference_ends_nearer_to_it(reference: Path, tmp_path: Path) -> None:
    told = load_bundle(reference / "adapter")
    features = told.head.encode(EXAMPLES)
    followed = told.head.follow(features, infer(told, features, batch_tokens=400), weight=1.0)
    batch = told.head.collate(followed)

    def distance(model: Model) -> float:
        logits = model(batch).logits
        reference, targets = (torch.from_numpy(batch[name]) for name in ("reference", "targets"))
        return float(disagreement(logits, reference, targets))

    alone = train(make(1), tmp_path / "alone")
    with_it = train(make(1), tmp_path / "with", reference=reference)
    with torch.inference_mode():
        assert distance(told) == pytest.approx(0, abs=1e-4)
        assert distance(with_it) < 0.85 * distance(alone)


def test_training_begins_with_the_references_weights(reference: Path) -> None:
    model = make(1)
    follow_reference(
        model, EXAMPLES, model.head.encode(EXAMPLES), folder=reference, weight=1.0, batch_tokens=400
    )
    told = load_bundle(reference / "adapter", merge=False).trained_state()
    assert all(torch.equal(value, told[name]) for name, value in model.trained_state().items())


def test_a_reference_that_finds_other_types_or_reads_other_windows_is_refused(reference: Path) -> None:
    model = make(1, types={"ORG": "organization", "PER": "person"})
    with pytest.raises(UserError, match="finds PER, ORG, in this order; here: ORG, PER"):
        follow_reference(
            model, EXAMPLES, model.head.encode(EXAMPLES), folder=reference, weight=1.0, batch_tokens=400
        )
    model = make(1, "head.window_tokens=10", "head.overlap_tokens=2")
    with pytest.raises(UserError, match="reads the texts in other windows"):
        follow_reference(
            model, EXAMPLES, model.head.encode(EXAMPLES), folder=reference, weight=1.0, batch_tokens=400
        )
    model = make(1, "lora.r=4")
    with pytest.raises(UserError, match="trained other weights: it needs the same model and LoRA"):
        follow_reference(
            model, EXAMPLES, model.head.encode(EXAMPLES), folder=reference, weight=1.0, batch_tokens=400
        )
    model = make(1, "lora.alpha=64")  # the same weights are another model
    with pytest.raises(UserError, match=r"answers otherwise .* same base, lora\.alpha"):
        follow_reference(
            model, EXAMPLES, model.head.encode(EXAMPLES), folder=reference, weight=1.0, batch_tokens=400
        )
    with pytest.raises(UserError, match="is no folder"):
        follow_reference(model, EXAMPLES, [], folder=Path("nowhere"), weight=1.0, batch_tokens=400)


def test_a_head_that_cannot_follow_says_so(reference: Path) -> None:
    config = compose_run("ner", ["model=gliner_minilm"])
    model = create_model(config.model, config.head, config.lora, types=LABELS, seed=1)
    with pytest.raises(UserError, match="cannot be drawn to a reference yet"):
        follow_reference(model, EXAMPLES, [], folder=reference, weight=1.0, batch_tokens=400)


def test_a_reference_without_a_weight_is_a_mistake_and_older_configurations_have_neither() -> None:
    with pytest.raises(ConfigError, match=r"reference_weight=0\.0; allowed: above 0 with a reference"):
        compose_run("ner", ["train.reference=runs/ner/x"])
    config = compose_run("ner", [])
    assert (config.train.reference, config.train.reference_weight) == ("", 0.0)
    assert replace(config.train, reference="runs/ner/x", reference_weight=1.0).reference_weight == 1.0
