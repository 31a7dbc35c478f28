import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from shared import adapters, commands, runs
from shared.compose import compose_run
from shared.contracts import Base
from shared.embedding import embed
from shared.errors import BundleError, ConfigError, UserError
from shared.evaluate import infer, predict
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.model import Model, choose_trainable, create_model
from shared.ontology import Cardinality, Concept, Facet, Ontology
from tests.shared.heads.texts import DESK, RELATIONS, marked_example

OVERRIDES = ["head.window_tokens=20", "head.overlap_tokens=6", "head.first_tokens=8"]
LONG = "The team from the sea won again and the bank lent it what it needs. " * 4
EXAMPLES = [
    FacetExample(
        "0",
        "Bonds fell.",
        labels={
            "topic": ("bonds",),
            "tone": ("bad",),
            "place": (),
            "actors": ("savings-bank",),
            "product": ("mortgage",),
        },
        values={"score": -0.5},
    ),
    FacetExample("1", "", labels={"topic": ("markets",), "tone": ("even",), "actors": (), "product": ()}),
    FacetExample("2", "My bicycle has a flat tyre.", labels={"topic": (), "place": ("town",)}),
    FacetExample(
        "3",
        LONG,
        labels={"topic": ("sport",), "tone": ("good",), "place": ("sea",), "product": ("loan",)},
        values={"score": 0.25},
    ),
    FacetExample("4", "Who?", pair=LONG, labels={"topic": ("shares",), "actors": ("savings-bank", "fund")}),
]
SPREAD = [*EXAMPLES, FacetExample("5", "Bonds rose.", labels={"topic": ("bonds",)})]  # a class of two texts
MARKED = [
    marked_example("the rain caused a flood", "rain", "flood", id="0", label="Cause-Effect(e1,e2)"),
    marked_example("the flood came with rain", "flood", "rain", id="1", label="Cause-Effect(e2,e1)"),
    marked_example("rain and a bicycle", "rain", "bicycle", id="2", label="Other"),
]

TOPIC = Facet("topic", "Topic", Cardinality.exactly_one)
PAIR = Ontology("pair", (TOPIC,), (Concept("a", "topic", "rain"), Concept("b", "topic", "flood")))
# both concepts are broader than c: no tree, so that each has a sigmoid of its own
WEB = replace(PAIR, concepts=(*PAIR.concepts, Concept("c", "topic", "c", "", ("a", "b"))))
A, B, OUT = (FacetExample("x", "one", labels={"topic": topic}) for topic in (("a",), ("b",), ()))


def new_model(ontology: Ontology = DESK, *overrides: str) -> Model:
    config = compose_run("ontology", [*OVERRIDES, *overrides])
    return create_model(config.model, config.head, config.lora, types=ontology.row, seed=1)


def changed(model: Model) -> Model:
    """The model with every trainable weight away from its start, so that a lost one is seen."""
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    return model.eval()


def with_scores(model: Model, *scores: float) -> Model:
    """The model with these scores of the concepts, and 0 of the numbers, whatever the text."""
    with torch.no_grad():
        model.head.module.concepts.zero_()
        model.head.module.bias.copy_(torch.tensor(scores))
        for weight in model.head.module.numbers.parameters() if model.head.module.numbers else ():
            weight.zero_()
    return model.eval()


def loss(model: Model, *examples: FacetExample) -> torch.Tensor:
    found: torch.Tensor = model(model.head.collate(model.head.encode(examples))).loss
    return found


def save(model: Model, folder: Path, *overrides: str) -> Path:
    config = compose_run("ontology", [*OVERRIDES, *overrides])
    origin = adapters.Origin("ontology", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model, folder, origin=origin, lora=config.lora)
    return folder


def learnt(model: Model, examples: Sequence[FacetExample]) -> Model:
    """The model after it was shown the examples as those of training and of validation."""
    features = model.head.encode(examples)
    logits = infer(model, features, batch_tokens=512)
    model.head.measure(examples, features, logits)
    model.head.tune(examples, features, logits)
    return model


def gold_logits(head: Any, features: Sequence[Any]) -> list[np.ndarray]:
    """Logits that are sure of the targets, and the right numbers; embeddings are 0."""
    batch = head.collate(features)
    embeddings = np.zeros((len(features), head.module.concepts.shape[1]))
    return list(np.hstack([20.0 * batch["targets"] - 10.0, np.nan_to_num(batch["values"]), embeddings]))


@pytest.fixture(scope="module")
def model() -> Model:
    return new_model()


@pytest.fixture(scope="module")
def relations() -> Model:
    return new_model(RELATIONS)


def test_gold_comes_back_exactly_through_encode_collate_and_decode(model: Model) -> None:
    head = model.head
    features = head.encode(EXAMPLES)
    assert len(features) > len(EXAMPLES) + 4  # the long texts have several windows
    logits = gold_logits(head, features)
    head.tune(EXAMPLES, features, logits)  # or else no text would be out of scope
    for example, prediction in zip(EXAMPLES, head.decode(EXAMPLES, features, logits), strict=True):
        assert prediction.id == example.id
        assert list(prediction.facets) == ["topic", "tone", "place", "actors", "product", "score"]
        assert {name: prediction.facets[name].given for name in example.labels} == example.labels
        assert {name: prediction.facets[name].value for name in example.values} == example.values
    head.decoding.clear()


def test_gold_relations_come_back_with_their_direction(relations: Model) -> None:
    features = relations.head.encode(MARKED)
    found = relations.head.decode(MARKED, features, gold_logits(relations.head, features))
    assert [prediction.facets["relation"].given for prediction in found] == [
        ("Cause-Effect(e1,e2)",),
        ("Cause-Effect(e2,e1)",),
        ("Other",),
    ]


def test_the_windows_of_a_long_text_are_averaged(model: Model) -> None:
    """Bank at 3 and -1 gives 1, whose sigmoid is 0.731059; the number is halfway between 1 and 2."""
    example = FacetExample("x", "rain " * 26)
    features = model.head.encode([example])
    logits = np.full((2, len(DESK.concepts) + 1 + 384), -10.0, dtype=np.float32)
    logits[:, DESK.index["bank"]] = 3.0, -1.0
    logits[:, len(DESK.concepts)] = 1.0, 2.0
    (prediction,) = model.head.decode([example], features, list(logits))
    assert prediction.facets["actors"].concepts == ("bank",)
    assert prediction.facets["actors"].probability == 0.731059
    assert prediction.facets["score"].value == 1.5


def figures(prediction: FacetPrediction) -> list[float]:
    """All numbers of the answers, NaN where there is none."""
    names = ("value", "probability", "raw_probability", "oddity")
    found = [getattr(answer, name) for answer in prediction.facets.values() for name in names]
    return [np.nan if value is None else value for value in found]


@pytest.mark.parametrize("detector", ["max_softmax", "energy", "mahalanobis"])
def test_predictions_do_not_depend_on_the_other_texts_of_a_batch(detector: str) -> None:
    model = learnt(changed(new_model(DESK, f"head.detectors=[{detector}]")), SPREAD)
    together = predict(model, SPREAD, batch_tokens=4096)
    backwards = predict(model, SPREAD[::-1], batch_tokens=100)[::-1]
    alone = [predict(model, [example], batch_tokens=16)[0] for example in SPREAD]
    for one, *others in zip(together, backwards, alone, strict=True):
        assert one.facets["topic"].oddity is not None
        for other in others:
            assert other.key == one.key
            np.testing.assert_allclose(figures(other), figures(one), atol=1e-5, rtol=1e-5)


def test_the_loss_is_the_mean_over_levels_facets_and_numbers() -> None:
    """Where all scores are 0.

    ln 2 and ln 3 for the two levels of topic, ln 3 each for tone and place, 3 ln 2 each for actors and
    product, 0.5 squared for the number: 8.397867 / 7.
    """
    example = FacetExample(
        "x",
        "one",
        labels={
            "topic": ("bonds",),
            "tone": ("even",),
            "place": (),
            "actors": ("bank",),
            "product": ("mortgage",),
        },
        values={"score": 0.5},
    )
    found = loss(with_scores(new_model(), *[0.0] * 15), example)
    assert found.item() == pytest.approx(1.199695, abs=1e-5)


def test_a_facet_that_is_not_labelled_gives_no_gradient() -> None:
    model = new_model().eval()
    tone = FacetExample("x", "one two", labels={"tone": ("bad",)})
    loss(model, tone).backward()
    touched = [DESK.concepts[place].id for place in model.head.module.bias.grad.nonzero()[:, 0]]
    assert touched == ["bad", "even", "good"]
    assert model.head.module.concepts.grad.any(dim=1).nonzero()[:, 0].tolist() == [4, 5, 6]
    assert not model.head.module.numbers.weight.grad.any()


def test_texts_that_label_different_facets_do_not_touch_each_others() -> None:
    """Topic has two levels, so that three losses are averaged."""
    model = new_model().eval()
    topic = FacetExample("x", "one", labels={"topic": ("bonds",)})
    tone = FacetExample("y", "one two three", labels={"tone": ("bad",)})
    together, first, second = (loss(model, *texts).item() for texts in ((topic, tone), (topic,), (tone,)))
    assert 3 * together == pytest.approx(2 * first + second, abs=1e-5)


def test_a_batch_without_any_label_has_a_loss_of_0_that_trains_nothing(model: Model) -> None:
    found = loss(model, FacetExample("x", "one"))
    found.backward()
    assert found.item() == 0.0
    assert not any(w.grad is not None and w.grad.any() for w in model.parameters())
    model.zero_grad(set_to_none=True)


@pytest.mark.parametrize("ontology", [PAIR, WEB])
def test_texts_out_of_scope_train_nothing_without_outliers(ontology: Ontology) -> None:
    model = with_scores(new_model(ontology), *[0.5] * len(ontology.concepts))
    alone, beside = loss(model, A), loss(model, A, OUT, OUT)
    assert beside.item() == pytest.approx(alone.item(), abs=1e-6)
    found = loss(model, OUT)
    found.backward()
    assert found.item() == 0.0
    assert not model.head.module.bias.grad.any()


def test_texts_out_of_scope_are_drawn_to_no_concept_by_the_weight_of_outliers() -> None:
    """Shares of 3/4 and 1/4: twice -(ln 3/4 + ln 1/4) / 2, and a pull of twice 1/4 to the middle."""
    model = with_scores(new_model(PAIR, "head.outliers=2.0"), np.log(3), 0.0)
    found = loss(model, OUT)
    found.backward()
    assert found.item() == pytest.approx(1.673976, abs=1e-5)
    assert model.head.module.bias.grad.tolist() == pytest.approx([0.5, -0.5], abs=1e-5)


def test_where_each_concept_has_a_sigmoid_outliers_lower_them_all() -> None:
    """Scores of ln 3, 0 and 0: half of ln 4 + ln 2 + ln 2, and a pull of half the probabilities."""
    model = with_scores(new_model(WEB, "head.outliers=0.5"), np.log(3), 0.0, 0.0)
    found = loss(model, OUT)
    found.backward()
    assert found.item() == pytest.approx(1.386294, abs=1e-5)
    assert model.head.module.bias.grad.tolist() == pytest.approx([0.375, 0.25, 0.25], abs=1e-5)


@pytest.mark.parametrize(
    ("balance", "weights"), [(0.0, [1.0, 1.0]), (1.0, [2 / 3, 2.0]), (0.5, [0.816497, 1.414214])]
)
def test_rare_concepts_weigh_more_by_the_power_of_balance(balance: float, weights: list[float]) -> None:
    """Three texts of `a`, one of `b`: a mean of two, which the counts stand to as 2 to 3 and 2 to 1."""
    model = new_model(PAIR, f"head.balance={balance}")
    model.head.start(model.backbone, [A, A, A, B])
    assert model.head.module.loss.weights.tolist() == pytest.approx(weights, abs=1e-6)


def test_the_bundle_keeps_how_common_concepts_were_where_that_moves_the_choice() -> None:
    model = new_model(PAIR, "head.prior_shift=1.0")
    model.head.start(model.backbone, [A, A, A, B])
    assert model.head.module.state_dict()["shift"].tolist() == pytest.approx(np.log([4 / 3, 4]).tolist())


def test_the_loss_weighs_each_text_by_its_concept() -> None:
    """-ln 3/4 weighs 2/3 and -ln 1/4 weighs 2: (0.191788 + 2.772589) / (8 / 3)."""
    model = new_model(PAIR, "head.balance=1.0")
    model.head.start(model.backbone, [A, A, A, B])
    found = loss(with_scores(model, np.log(3), 0.0), A, B)
    assert found.item() == pytest.approx(1.111641, abs=1e-5)


def test_concepts_begin_as_the_embeddings_of_their_names_and_definitions() -> None:
    model = new_model()
    model.head.start(model.backbone, EXAMPLES)
    texts = ["markets", "bonds: what a state owes"]
    expected = embed(texts, model=model.config)
    np.testing.assert_allclose(model.head.module.concepts[:2].detach().numpy(), expected, atol=1e-5)


def test_concepts_begin_by_chance_where_names_are_not_asked_for() -> None:
    model = new_model(PAIR, "head.name_start=false")
    before = model.head.module.concepts.detach().clone()
    model.head.start(model.backbone, [A])
    assert torch.equal(model.head.module.concepts, before)


@pytest.mark.parametrize("classifier", ["cosine", "linear"])
def test_a_concepts_score_is_its_cosine_times_scale_or_its_dot_product(classifier: str) -> None:
    model = new_model(PAIR, f"head.classifier={classifier}", "head.scale=10.0").eval()
    with torch.no_grad():
        model.head.module.bias.copy_(torch.tensor([0.25, 0.0]))
        (row,) = infer(model, model.head.encode([A]), batch_tokens=64)
    text, concepts = row[2:], model.head.module.concepts.detach().numpy()
    expected = concepts @ text
    if classifier == "cosine":
        expected = 10 * expected / np.linalg.norm(concepts, axis=1) / np.linalg.norm(text)
    np.testing.assert_allclose(row[:2] - np.array([0.25, 0.0]), expected, atol=1e-5)


def test_the_scores_of_a_relation_depend_on_which_mark_is_first(relations: Model) -> None:
    forth = marked_example("the rain caused a flood", "rain", "flood")
    back = marked_example("the rain caused a flood", "flood", "rain")
    relations.eval()
    one, other = infer(relations, relations.head.encode([forth, back]), batch_tokens=64)
    assert np.abs(one[:4] - other[:4]).max() > 1e-3
    assert len(one) == 4 + 3 * 384


def test_the_markers_embeddings_train_and_come_back_with_the_bundle(tmp_path: Path) -> None:
    model = changed(new_model(RELATIONS))
    (name,) = (name for name in model.trained_state() if "trainable_tokens" in name)
    loss(model, *MARKED).backward()
    gradient = dict(model.named_parameters())[name].grad
    assert gradient is not None
    assert gradient.abs().sum(dim=1).gt(0).tolist() == [True] * 4
    loaded = adapters.load_bundle(save(model, tmp_path / "bundle"), merge=False)
    assert torch.equal(loaded.trained_state()[name], model.trained_state()[name])
    assert loaded.tokenizer.convert_ids_to_tokens(loaded.head.new_tokens) == [
        "[E1]",
        "[/E1]",
        "[E2]",
        "[/E2]",
    ]


@pytest.mark.parametrize(
    ("ontology", "examples", "lora"),
    [
        (DESK, EXAMPLES, "lora=r16"),
        (RELATIONS, MARKED, "lora=r16"),
        (RELATIONS, MARKED, "lora.dora=true"),
        (RELATIONS, MARKED, "lora=full"),
        (RELATIONS, MARKED, "lora=head"),
    ],
)
def test_a_bundle_gives_the_same_bits_in_a_new_process(
    tmp_path: Path, ontology: Ontology, examples: list[FacetExample], lora: str
) -> None:
    """With the head alone the markers are in no file: they have to begin the same each time."""
    model = changed(new_model(ontology, lora))
    adapters.verify_reload(model, save(model, tmp_path / "bundle", lora), examples)


def test_a_bundle_keeps_thresholds_and_distances_and_gives_the_same_predictions(tmp_path: Path) -> None:
    model = learnt(changed(new_model(DESK, "head.detectors=[mahalanobis]")), SPREAD)
    assert {"temperature/topic", "temperature/actors", "mahalanobis/topic"} <= set(model.head.decoding)
    assert tuple(model.head.module.means.shape) == (4, 384)
    folder = save(model, tmp_path / "bundle", "head.detectors=[mahalanobis]")
    loaded = adapters.load_bundle(folder, merge=False)
    assert loaded.head.decoding == model.head.decoding
    for name in ("means", "precision"):
        assert torch.equal(getattr(loaded.head.module, name), getattr(model.head.module, name))
    expected = predict(model, SPREAD, batch_tokens=512)
    assert any(prediction.facets["topic"].abstained for prediction in expected)
    found = predict(loaded, SPREAD, batch_tokens=512)
    assert found == [replace(prediction, nearest=()) for prediction in expected]


def test_another_ontology_than_the_trained_is_refused(model: Model, tmp_path: Path) -> None:
    model.head.ask(DESK.row)
    with pytest.raises(
        BundleError, match=r"answers by the ontology desk \(.{12}\), asked for pair \(.{12}\)"
    ):
        model.head.ask(PAIR.row)
    other = replace(DESK, disjoint=())
    folder = save(model, tmp_path / "bundle")
    with pytest.raises(BundleError, match="asked for desk"):
        adapters.load_bundle(folder, types=other.row)


def test_a_row_has_paths_probability_reason_and_the_digests_of_an_audit(model: Model) -> None:
    reason = "out of scope: energy 1.000 is above -2.500"
    prediction = FacetPrediction(
        "7",
        {
            "topic": FacetAnswer(("bonds",), probability=0.5, abstained=reason),
            "actors": FacetAnswer(("savings-bank", "fund"), probability=0.75),
            "score": FacetAnswer(value=0.25),
        },
    )
    row = model.head.row(FacetExample("7", "one"), prediction)
    assert json.loads(json.dumps(row)) == {
        "id": "7",
        "ontology": DESK.digest,
        "facets": [
            {
                "facet": "topic",
                "concepts": [],
                "paths": [],
                "probability": 0.5,
                "abstained": True,
                "reason": reason,
                "guess": ["bonds"],
            },
            {
                "facet": "actors",
                "concepts": ["savings-bank", "fund"],
                "paths": ["bank > savings bank", "fund"],
                "probability": 0.75,
                "abstained": False,
                "reason": "",
                "guess": ["savings-bank", "fund"],
            },
            {"facet": "score", "value": 0.25},
        ],
    }


def test_a_row_has_the_prediction_set_with_its_paths_where_there_is_one(model: Model) -> None:
    place = FacetAnswer(("town",), candidates=("town", ""), sure=())
    topic = FacetAnswer(("bonds",), candidates=("bonds", "shares"), sure=("markets",))
    row = model.head.row(A, FacetPrediction("7", {"place": place, "topic": topic}))
    names = ("candidates", "candidates_paths", "sure", "sure_paths")
    assert [[facet[name] for name in names] for facet in row["facets"]] == [
        [["town", ""], ["town", ""], [], []],
        [["bonds", "shares"], ["markets > bonds", "markets > shares"], ["markets"], ["markets"]],
    ]


def test_the_row_of_a_loaded_bundle_names_the_bundle(tmp_path: Path, model: Model) -> None:
    one, other = (adapters.load_bundle(save(model, tmp_path / name)) for name in ("a", "b"))
    row = one.head.row(A, FacetPrediction("x", {}))
    assert row == {"id": "x", "facets": [], "ontology": DESK.digest, "bundle": other.head.source["bundle"]}


def test_the_head_says_how_much_there_is_to_find(model: Model) -> None:
    assert model.head.finds() == ("Topic (4), Tone (3), Place (2), Actors (3), Product (3), Score (a number)")


@pytest.mark.parametrize("kind", ["DebertaV2", "ModernBert"])
def test_encoders_of_other_architectures_feed_the_head(kind: str, model: Model, tmp_path: Path) -> None:
    """The encoders that only the hub has, here as toys of two layers with random weights."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    encoder = getattr(transformers, f"{kind}Config")(vocab_size=len(model.tokenizer), pad_token_id=0, **sizes)
    getattr(transformers, f"{kind}Model")(encoder).save_pretrained(tmp_path)
    base = Base(folder=tmp_path, sha256="", encoder_folder=model.base.folder)
    name = "deberta_v3_base" if kind == "DebertaV2" else "modernbert_base"
    config = compose_run("ontology", [f"model={name}"])
    backbone, tokenizer, head = config.head.build(base, types=RELATIONS.row)
    trainable = choose_trainable(backbone, config.lora, config.model, new_tokens=head.new_tokens)
    toy = Model(trainable, head, tokenizer, config=config.model, base=base)
    loss(toy, *MARKED).backward()
    assert all(weight.grad is not None for name, weight in toy.named_parameters() if "lora_B" in name)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("head.first_tokens=19", "head.first_tokens=19; allowed: 1 to 18, 2 less than head.window_tokens"),
        ("head.first_tokens=0", "head.first_tokens=0; allowed: 1 to 18"),
        ("head.overlap_tokens=20", "head.overlap_tokens=20; allowed: 0 up to head.window_tokens=20"),
        ("head.sent_away=1.0", "head.sent_away=1.0; allowed: 0 up to 1 exclusive"),
        ("head.detectors=[odin]", r"head.detectors=\['odin'\]; allowed: max_softmax, energy, mahalanobis"),
        ("head.detectors=[]", r"head.detectors=\[\]; allowed"),
    ],
)
def test_settings_that_cannot_work_are_named(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compose_run("ontology", [*OVERRIDES, override])


def test_a_pair_has_room_behind_the_longest_beginning_that_is_allowed() -> None:
    """One token less and windows without a token of the second text were cut for ever."""
    model = new_model(DESK, "head.first_tokens=18", "head.overlap_tokens=0")
    features = model.head.encode([FacetExample("x", "rain " * 30, pair="one two three")])
    assert [window.num_tokens for window in features] == [22, 22, 22]


@pytest.fixture
def run_of_a_table(tmp_path: Path, model: Model) -> list[str]:
    """A run that was trained on a table of its own, as the overrides that name it."""
    (tmp_path / "desk.yaml").write_text(
        "name: weather\nfacets:\n  topic: {cardinality: exactly_one}\nconcepts:\n  topic: [rain, flood]\n"
    )
    (tmp_path / "train.csv").write_text(
        "id,text,topic\nwet,Rain fell all night,rain\nhigh,The river rose,flood\ndry,My bicycle is red,-\n"
    )
    overrides = [
        "data=table",
        f"data.train={tmp_path}/train.csv",
        f"data.ontology_file={tmp_path}/desk.yaml",
        f"runs_dir={tmp_path}/runs",
        f"hardware.threads={torch.get_num_threads()}",
    ]
    config = compose_run("ontology", overrides)
    trained = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    folder = runs.create_run(config.runs_dir, task="ontology", digest="0", config=config.resolved)
    origin = adapters.Origin("ontology", config.resolved["head"], "table", "yours")
    adapters.save_bundle(trained, folder / runs.BUNDLE, origin=origin, lora=config.lora)
    (tmp_path / "texts.txt").write_text("The river rose\nRain fell all day\n")
    return [
        f"runs_dir={tmp_path}/runs",
        f"hardware.threads={torch.get_num_threads()}",
        f"predict.input={tmp_path}/texts.txt",
        f"predict.output={tmp_path}/answers.jsonl",
    ]


def predicted(folder: Path, *overrides: str) -> list[dict[str, Any]]:
    commands.predict(compose_run("ontology", list(overrides)), overrides=overrides)
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").splitlines()]


def test_an_explained_answer_shows_the_training_texts_nearest_to_the_text(
    tmp_path: Path, run_of_a_table: list[str]
) -> None:
    rows = predicted(tmp_path, *run_of_a_table, "predict.explain=true")
    assert [[found["id"] for found in row["nearest"]][:1] for row in rows] == [["high"], ["wet"]]
    assert len(rows[0]["nearest"]) == 3
    assert rows[0]["nearest"][0] == {
        "id": "high",
        "similarity": pytest.approx(1.0, abs=1e-5),
        "text": "The river rose",
        "labels": {"topic": ["flood"]},
    }


def test_without_explanation_no_training_text_is_read(tmp_path: Path, run_of_a_table: list[str]) -> None:
    (tmp_path / "train.csv").unlink()
    assert ["nearest" in row for row in predicted(tmp_path, *run_of_a_table)] == [False, False]


def test_explanation_changes_no_answer(tmp_path: Path, run_of_a_table: list[str]) -> None:
    explained = predicted(tmp_path, *run_of_a_table, "predict.explain=true")
    (tmp_path / "answers.jsonl").unlink()
    plain = predicted(tmp_path, *run_of_a_table)
    assert [{key: row[key] for key in row if key != "nearest"} for row in explained] == plain


def test_a_head_that_remembers_nothing_refuses_to_explain(tmp_path: Path) -> None:
    config = compose_run("ner", [f"runs_dir={tmp_path}/runs", f"hardware.threads={torch.get_num_threads()}"])
    tagger = create_model(config.model, config.head, config.lora, types={"PER": "person"}, seed=1)
    folder = runs.create_run(config.runs_dir, task="ner", digest="0", config=config.resolved)
    origin = adapters.Origin("ner", config.resolved["head"], "sample", "none")
    adapters.save_bundle(tagger, folder / runs.BUNDLE, origin=origin, lora=config.lora)
    overrides = [f"runs_dir={tmp_path}/runs", "predict.explain=true", "hardware.threads=1"]
    with pytest.raises(UserError, match="does not compare texts with its training examples"):
        commands.predict(compose_run("ner", overrides), overrides=overrides)


def test_prediction_sets_are_predicted_by_the_limits_of_the_bundle(
    tmp_path: Path, run_of_a_table: list[str]
) -> None:
    with pytest.raises(UserError, match=r"predict.sets=0.05: this bundle has prediction sets for no risk"):
        predicted(tmp_path, *run_of_a_table, "predict.sets=0.05")
    (manifest,) = (tmp_path / "runs").rglob(adapters.MANIFEST)
    bundle = json.loads(manifest.read_text("utf-8"))
    bundle["decoding"] |= {"set/0.05/topic": -1000.0, "sure/0.05/topic": 1000.0}
    manifest.write_text(json.dumps(bundle), "utf-8")
    rows = predicted(tmp_path, *run_of_a_table, "predict.sets=0.05")
    assert [sorted(row["facets"][0]["candidates"]) for row in rows] == [["flood", "rain"]] * 2
    assert [row["facets"][0]["candidates"][0] for row in rows] == [
        row["facets"][0]["guess"][0] for row in rows
    ]
    assert [row["facets"][0]["sure"] for row in rows] == [[], []]
