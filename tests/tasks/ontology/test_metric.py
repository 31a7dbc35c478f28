import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from shared.contracts import Score, Trial
from shared.errors import ConfigError, UserError
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.intervals import bootstrap, stack_counts
from shared.ontology import Cardinality, Concept, Facet, Ontology, Relation, relation_concepts
from shared.typed_config import build
from tasks.ontology.metric import MAIN, FacetScores

RELATIONS = (
    Relation("Cause", "relation", "causes"),
    Relation("Part", "relation", "is part of"),
    Relation("Other", "relation", "none of these", directed=False),
)
# animal > dog > puppy, animal > cat; plant > tree
ONTOLOGY = Ontology(
    name="zoo",
    facets=(
        Facet("kind", "kind", Cardinality.exactly_one),
        Facet("place", "place", Cardinality.any_number),
        Facet("relation", "relation", Cardinality.at_most_one),
        Facet("size", "size", Cardinality.number),
        Facet("weight", "weight", Cardinality.number),
    ),
    concepts=(
        Concept("animal", "kind", "Animal"),
        Concept("dog", "kind", "Dog", broader=("animal",)),
        Concept("puppy", "kind", "Puppy", broader=("dog",)),
        Concept("cat", "kind", "Cat", broader=("animal",)),
        Concept("plant", "kind", "Plant"),
        Concept("tree", "kind", "Tree", broader=("plant",)),
        Concept("indoors", "place", "indoors"),
        Concept("outdoors", "place", "outdoors"),
        Concept("garden", "place", "garden", broader=("outdoors",)),
        *(concept for relation in RELATIONS for concept in relation_concepts(relation)),
    ),
    relations=RELATIONS,
    disjoint=(("cat", "garden"),),
    implies=(("tree", "outdoors"),),
)
PUPPY, DOG, CAT, TREE, NONE = ("puppy",), ("dog",), ("cat",), ("tree",), ()


def metric(main: str = "accuracy", facet: str = "") -> FacetScores:
    return FacetScores(main=main, facet=facet, asked_accuracy=0.5).bind(ONTOLOGY.row)


def labelled(facet: str, golds: Sequence[Sequence[str]]) -> list[FacetExample]:
    return [
        FacetExample(str(number), f"text {number}", labels={facet: tuple(gold)}, document=f"d{number}")
        for number, gold in enumerate(golds)
    ]


def answered(facet: str, answers: Sequence[Sequence[str] | FacetAnswer]) -> list[FacetPrediction]:
    return [
        FacetPrediction(
            str(number), {facet: item if isinstance(item, FacetAnswer) else FacetAnswer(tuple(item))}
        )
        for number, item in enumerate(answers)
    ]


def values(
    facet: str,
    golds: Sequence[Sequence[str]],
    answers: Sequence[Sequence[str] | FacetAnswer],
) -> dict[str, float]:
    examples, predictions = labelled(facet, golds), answered(facet, answers)
    return {name: score.value for name, score in metric().score(examples, predictions).items()}


def numbers(golds: Sequence[float], answers: Sequence[float | None]) -> dict[str, Score]:
    examples = [
        FacetExample(str(number), "t", values={"size": gold}, document=str(number))
        for number, gold in enumerate(golds)
    ]
    predictions = [
        FacetPrediction(str(number), {"size": FacetAnswer(value=answer)})
        for number, answer in enumerate(answers)
    ]
    return metric("r2", "size").score(examples, predictions)


def abstained(*concepts: str) -> FacetAnswer:
    return FacetAnswer(concepts, abstained="unsure")


def random_answers(
    seed: int, concepts: Sequence[str], *, most: int = 1
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    generator = random.Random(seed)

    def draw() -> tuple[str, ...]:
        return tuple(generator.sample(concepts, generator.randint(1, most)))

    golds = [draw() for _ in range(60)]
    return golds, [gold if generator.random() < 0.5 else draw() for gold in golds]


def flat(size: int, cardinality: Cardinality) -> Ontology:
    concepts = tuple(Concept(f"c{number}", "f", f"C {number}") for number in range(size))
    return Ontology("flat", (Facet("f", "f", cardinality),), concepts)


def test_in_a_set_are_all_gold_concepts_or_none_and_sure_is_also_what_is_broader() -> None:
    """Place: gold within, one of two missing, no gold. Relation: no gold, which is a candidate once."""
    places = [
        FacetAnswer(candidates=("garden", "outdoors"), sure=("outdoors",)),
        FacetAnswer(candidates=("indoors",), sure=("indoors",)),
        FacetAnswer(candidates=(), sure=()),
    ]
    found = values("place", [("garden",), ("garden", "indoors"), NONE], places)
    assert found["set_coverage"] == pytest.approx(2 / 3)
    assert (found["set_size"], found["sure_right"]) == (1.0, 1.0)
    relations = [FacetAnswer(candidates=("", "Other"), sure=()), FacetAnswer(candidates=("Other",), sure=())]
    assert values("relation", [NONE, NONE], relations)["set_coverage"] == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_single_labels_equal_scikit_learn_on_random_answers(seed: int) -> None:
    from sklearn.metrics import accuracy_score, f1_score

    ontology = flat(9, Cardinality.exactly_one)
    golds, answers = random_answers(seed, [concept.id for concept in ontology.concepts])
    gold, given = [gold for (gold,) in golds], [answer for (answer,) in answers]
    bound = FacetScores("macro_f1", "", 0.95).bind(ontology.row)
    scores = bound.score(labelled("f", golds), answered("f", answers))
    assert scores["accuracy"].value == pytest.approx(accuracy_score(gold, given))
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(gold, given, average=average, zero_division=0)
        assert scores[f"{average}_f1"].value == pytest.approx(expected)
        assert scores[f"{average}_f1/f"].value == pytest.approx(expected)
    quick = bound.quick(labelled("f", golds), answered("f", answers))
    assert quick == pytest.approx(f1_score(gold, given, average="macro"))


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_several_labels_equal_scikit_learn_on_random_answers(seed: int) -> None:
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.preprocessing import MultiLabelBinarizer

    ontology = flat(7, Cardinality.any_number)
    golds, answers = random_answers(seed, [concept.id for concept in ontology.concepts], most=3)
    binarizer = MultiLabelBinarizer().fit([*golds, *answers])
    gold, given = binarizer.transform(golds), binarizer.transform(answers)
    scores = (
        FacetScores("macro_f1", "", 0.95)
        .bind(ontology.row)
        .score(labelled("f", golds), answered("f", answers))
    )
    assert scores["accuracy"].value == pytest.approx(accuracy_score(gold, given))
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(gold, given, average=average, zero_division=0)
        assert scores[f"{average}_f1"].value == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_hierarchical_scores_equal_hiclass_on_random_trees(seed: int) -> None:
    from hiclass.metrics import f1, precision, recall

    generator = random.Random(seed)
    broader: dict[str, tuple[str, ...]] = {}
    for number in range(25):
        above = generator.choice(list(broader)) if broader and generator.random() < 0.8 else ""
        broader[f"c{number}"] = (above,) if above else ()
    concepts = tuple(Concept(name, "f", name, broader=found) for name, found in broader.items())
    ontology = Ontology("tree", (Facet("f", "f", Cardinality.exactly_one),), concepts)
    golds, answers = random_answers(seed, list(broader))
    depth = max(ontology.depth.values()) + 1

    def path(concept: str) -> list[str]:
        found = sorted({concept, *ontology.ancestors[concept]}, key=ontology.depth.__getitem__)
        return [*found, *[""] * (depth - len(found))]

    gold = np.array([path(gold) for (gold,) in golds])
    given = np.array([path(answer) for (answer,) in answers])
    scores = (
        FacetScores("hf1", "", 0.95).bind(ontology.row).score(labelled("f", golds), answered("f", answers))
    )
    assert scores["hp"].value == pytest.approx(precision(gold, given))
    assert scores["hr"].value == pytest.approx(recall(gold, given))
    assert scores["hf1"].value == pytest.approx(f1(gold, given))


def test_an_abstained_answer_is_wrong_in_scope_and_right_out_of_scope() -> None:
    found = values(
        "kind",
        [PUPPY, DOG, CAT, TREE, NONE, NONE],
        [PUPPY, DOG, CAT, abstained("tree"), abstained("cat"), DOG],
    )
    assert found["accuracy"] == 0.75
    assert found["coverage"] == 0.75
    assert found["accuracy_answered"] == 1.0
    assert found["oos_recall"] == 0.5
    assert found["exact_match"] == pytest.approx(4 / 6)
    # dog: 1 right of 2 predicted; tree: 0; puppy and cat: 1
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3 + 1 + 0) / 4)


def test_an_empty_answer_is_right_where_no_concept_is_needed() -> None:
    found = values("place", [NONE, ("indoors",), NONE], [NONE, NONE, ("garden",)])
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["coverage"] == 1.0
    assert "oos_recall" not in found


def test_hierarchical_scores_count_broader_concepts_once() -> None:
    """Gold: animal, dog, puppy + plant, tree; given: animal, cat + plant, tree."""
    found = values("kind", [PUPPY, TREE], [CAT, TREE])
    assert found["hp"] == pytest.approx(3 / 4)
    assert found["hr"] == pytest.approx(3 / 5)
    assert found["hf1"] == pytest.approx(6 / 9)


def test_level_2_accuracy_compares_paths_cut_to_two_levels() -> None:
    found = values("kind", [PUPPY, PUPPY, PUPPY, TREE], [DOG, ("animal",), CAT, TREE])
    assert found["level2_accuracy"] == 0.5
    assert found["accuracy"] == 0.25


def test_official_f1_counts_a_wrong_direction_as_a_false_positive_and_a_false_negative() -> None:
    """Cause: 1 of 3 predicted, 1 of 3 gold. Part: 1 of 2 predicted, 1 of 1 gold. Other is left out."""
    found = values(
        "relation",
        [
            ("Cause(e1,e2)",),
            ("Cause(e1,e2)",),
            ("Cause(e2,e1)",),
            ("Part(e1,e2)",),
            ("Other",),
            ("Other",),
            NONE,
        ],
        [
            ("Cause(e1,e2)",),
            ("Cause(e2,e1)",),
            ("Part(e2,e1)",),
            ("Part(e1,e2)",),
            ("Cause(e1,e2)",),
            NONE,
            ("Other",),
        ],
    )
    assert found["official_f1"] == pytest.approx((2 / 6 + 2 / 3) / 2)


def test_official_f1_leaves_out_a_relation_that_gold_lacks() -> None:
    found = values("relation", [("Cause(e1,e2)",), ("Other",)], [("Cause(e1,e2)",), ("Part(e1,e2)",)])
    assert found["official_f1"] == 1.0


def test_a_relation_without_its_direction_is_wrong() -> None:
    assert values("relation", [("Cause(e1,e2)",)], [("Cause",)])["official_f1"] == 0.0


def whole(number: int, labels: Mapping[str, tuple[str, ...]]) -> FacetExample:
    return FacetExample(str(number), "t", labels=labels, document=str(number))


def test_a_name_without_a_facet_is_the_mean_over_facets_or_the_score_of_the_facet_asked_for() -> None:
    examples = [whole(1, {"kind": DOG, "place": ("indoors",)}), whole(2, {"kind": CAT})]
    predictions = [
        FacetPrediction("1", {"kind": FacetAnswer(DOG), "place": FacetAnswer(("garden",))}),
        FacetPrediction("2", {"kind": FacetAnswer(CAT)}),
    ]
    scores = metric().score(examples, predictions)
    assert (scores["accuracy/kind"].value, scores["accuracy/place"].value) == (1.0, 0.0)
    assert scores["accuracy"].value == 0.5
    assert scores["exact_match"].value == 0.5
    asked = metric("accuracy", "kind").score(examples, predictions)
    assert asked["accuracy"] == scores["accuracy/kind"]


def test_rules_are_broken_by_implied_concepts_that_are_missing_and_by_disjoint_ones() -> None:
    answers: list[dict[str, FacetAnswer]] = [
        {"kind": FacetAnswer(TREE), "place": FacetAnswer(("garden",))},  # outdoors is broader than garden
        {"kind": FacetAnswer(TREE), "place": FacetAnswer(("indoors",))},  # broken
        {"kind": FacetAnswer(CAT), "place": FacetAnswer(("garden",))},  # broken
        {"kind": FacetAnswer(TREE), "place": abstained("indoors")},  # place does not count
        {"kind": abstained("tree"), "place": FacetAnswer(("indoors",))},
    ]
    examples = [whole(number, {"kind": TREE}) for number in range(5)]
    predictions = [FacetPrediction(str(number), facets) for number, facets in enumerate(answers)]
    assert metric().score(examples, predictions)["violation_share"].value == pytest.approx(2 / 5)


def test_concepts_decided_alone_break_rules_that_decoding_keeps() -> None:
    alone = [("animal", "dog"), ("dog",), ("animal", "dog", "cat"), ()]
    answers = [FacetAnswer(DOG, independent=concepts) for concepts in alone]
    found = values("kind", [DOG] * 4, answers)
    assert found["violation_share"] == 0.0
    assert found["violation_share_independent"] == 0.75


def test_numbers_are_scored_by_errors_and_the_variance_explained() -> None:
    """Errors 1, 0, 1; gold 1, 2, 6 has mean 3 and squares 4 + 1 + 9 around it."""
    scores = numbers([1.0, 2.0, 6.0], [2.0, 2.0, 5.0])
    assert scores["mse"].value == pytest.approx(2 / 3)
    assert scores["mae"].value == pytest.approx(2 / 3)
    assert scores["r2"].value == scores["r2/size"].value == pytest.approx(1 - 2 / 14)


def test_a_number_that_is_missing_counts_as_the_mean_of_gold() -> None:
    scores = numbers([1.0, 2.0, 6.0], [None, None, None])
    assert scores["r2"].value == pytest.approx(0.0)
    assert scores["number_coverage"].value == 0.0


def test_r2_equals_scikit_learn_on_random_numbers() -> None:
    from sklearn.metrics import r2_score

    generator = random.Random(0)
    golds = [generator.gauss(0, 1) for _ in range(50)]
    answers = [gold + generator.gauss(0, 0.5) for gold in golds]
    assert numbers(golds, answers)["r2"].value == pytest.approx(r2_score(golds, answers))


def mixed() -> tuple[list[FacetExample], list[FacetPrediction]]:
    """Thirty examples in ten documents; some facets are abstained, wrong, unlabelled or out of scope."""
    generator = random.Random(3)
    relations = [("Cause(e1,e2)",), ("Cause(e2,e1)",), ("Part(e1,e2)",), ("Other",)]
    examples, predictions = [], []
    for number in range(30):
        labels = {
            "kind": generator.choice([PUPPY, DOG, CAT, TREE, NONE]),
            "place": generator.choice([NONE, ("indoors",), ("indoors", "garden")]),
            "relation": generator.choice(relations),
        }
        given = {
            name: FacetAnswer(gold if generator.random() < 0.6 else generator.choice([PUPPY, CAT]))
            if name == "kind"
            else FacetAnswer(gold)
            for name, gold in labels.items()
        }
        if generator.random() < 0.5:
            given["relation"] = FacetAnswer(generator.choice(relations))
        values = {"size": generator.random(), "weight": generator.random()}
        given["size"] = FacetAnswer(value=values["size"] + 0.2 * generator.random())
        if number % 4 == 0:
            given["place"] = abstained("indoors")
            del labels["relation"]
        examples.append(
            FacetExample(str(number), "t", labels=labels, values=values, document=f"d{number % 10}")
        )
        predictions.append(FacetPrediction(str(number), given))
    return examples, predictions


@pytest.mark.parametrize("main", MAIN)
def test_the_main_score_its_counts_and_the_quick_score_agree(main: str) -> None:
    examples, predictions = mixed()
    bound = metric(main)
    counts = bound.counts(examples, predictions)
    table = stack_counts([counts], documents=sorted(counts.rows), groups=counts.groups)
    interval = bootstrap(table, bound.main_statistic())
    score = bound.score(examples, predictions)[bound.main]
    assert (score.value, score.low, score.high) == pytest.approx(
        (interval.value, interval.low, interval.high)
    )
    assert bound.quick(examples, predictions) == pytest.approx(score.value)
    assert 0 < abs(score.value) < 1


def test_the_main_score_comes_first() -> None:
    assert next(iter(metric("hf1").score(*mixed()))) == "hf1"


def test_a_configuration_has_the_main_score_its_facet_and_the_accuracy_asked_for() -> None:
    given = {
        "_target_": "tasks.ontology.metric.FacetScores",
        "main": "hf1",
        "facet": "",
        "asked_accuracy": 0.95,
    }
    assert build(OmegaConf.create(given), path="metric") == FacetScores("hf1", "", 0.95)


def test_counts_of_accuracy_are_by_document_and_facet() -> None:
    examples = [
        FacetExample("1", "t", labels={"kind": DOG}, document="x"),
        FacetExample("2", "t", labels={"kind": CAT}, document="y"),
        FacetExample("3", "t", labels={"kind": CAT}, document="x"),
    ]
    counts = metric("accuracy", "kind").counts(examples, answered_by_id({"1": DOG, "2": DOG, "3": CAT}))
    assert (counts.groups, counts.columns) == (["kind"], ["right", "total"])
    assert counts.rows == {"x": [2, 2], "y": [0, 1]}


def answered_by_id(given: Mapping[str, tuple[str, ...]]) -> list[FacetPrediction]:
    return [FacetPrediction(id, {"kind": FacetAnswer(concepts)}) for id, concepts in given.items()]


def test_counts_of_macro_f1_name_the_facet_in_each_document() -> None:
    counts = metric("macro_f1").counts(labelled("kind", [DOG, CAT]), answered("kind", [DOG, DOG]))
    assert counts.groups == ["kind/dog", "kind/cat"]
    assert counts.columns == ["tp", "predicted", "gold", "facet"]
    assert counts.rows == {"d0": [1, 1, 1, 1, 0, 0, 0, 1], "d1": [0, 1, 0, 1, 0, 0, 1, 1]}


def test_a_concept_that_only_another_run_predicts_does_not_lower_this_ones_macro_f1() -> None:
    examples, bound = labelled("kind", [DOG, CAT]), metric("macro_f1")
    runs = [answered("kind", [DOG, CAT]), answered("kind", [DOG, TREE])]
    tables = [bound.counts(examples, run) for run in runs]
    groups = ["kind/dog", "kind/cat", "kind/tree"]
    counts = stack_counts(tables, documents=["d0", "d1"], groups=groups)
    assert bound.main_statistic()(counts.sum(axis=0)) == pytest.approx([1.0, 1 / 3])


def test_counts_of_official_f1_are_of_the_relations_in_gold() -> None:
    examples = labelled("relation", [("Cause(e1,e2)",), ("Other",)])
    counts = metric("official_f1").counts(examples, answered("relation", [("Cause(e2,e1)",), ("Other",)]))
    assert counts.groups == ["relation/Cause"]
    assert counts.rows == {"d0": [0, 1, 1, 1], "d1": [0, 0, 0, 1]}


@pytest.mark.parametrize("main", MAIN)
def test_the_gold_answer_is_wholly_right(main: str) -> None:
    examples, _ = mixed()
    gold = [example.gold() for example in examples]
    bound = metric(main)
    scores = bound.score(examples, gold)
    assert bound.quick(examples, gold) == pytest.approx(1.0)
    assert scores["oos_recall"].value == scores["accuracy_answered"].value == pytest.approx(1.0)
    assert list(bound.wrong(examples, gold)) == []


def test_wrong_examples_show_gold_answer_and_path_of_the_wrong_facets() -> None:
    examples = [whole(1, {"kind": CAT, "place": NONE}), whole(2, {"kind": CAT})]
    predictions = [
        FacetPrediction("1", {"kind": abstained("puppy"), "place": FacetAnswer()}),
        FacetPrediction("2", {"kind": FacetAnswer(CAT)}),
    ]
    assert list(metric().wrong(examples, predictions)) == [
        {
            "id": "1",
            "text": "t",
            "facets": {
                "kind": {
                    "gold": ["cat"],
                    "answer": ["puppy"],
                    "path": ["Animal > Dog > Puppy"],
                    "abstained": "unsure",
                }
            },
        }
    ]


def test_details_name_the_worst_concepts_the_confusions_and_the_surest_guesses() -> None:
    answers = [
        FacetAnswer(DOG, probability=0.9),
        FacetAnswer(DOG, probability=0.6),
        FacetAnswer(CAT, probability=0.8),
        FacetAnswer(CAT, probability=0.5, abstained="unsure"),
    ]
    text = metric().details(labelled("kind", [DOG, PUPPY, CAT, TREE]), answered("kind", answers))
    lines = [line.split() for line in text.splitlines()]
    assert ["puppy", "0.000", "1", "0"] in lines
    assert ["dog", "0.667", "1", "2"] in lines
    assert ["puppy", "dog", "1"] in lines
    assert ["tree", "(no", "answer)", "1"] in lines
    assert ["1.000", "0.500", "0.500", "0.500"] in lines  # of 2, 4, 4 and 4 guesses


def test_no_label_for_the_main_score_is_a_mistake_that_names_it() -> None:
    with pytest.raises(UserError, match="accuracy of place needs labels: none of the 1 examples has one"):
        metric("accuracy", "place").quick(labelled("kind", [DOG]), answered("kind", [DOG]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"main": "acuracy"},
            r"metric.main='acuracy' \(did you mean 'accuracy'\?\); allowed: accuracy, macro_f1",
        ),
        (
            {"facet": "kin"},
            r"metric.facet='kin' \(did you mean 'kind'\?\); allowed for accuracy: '', kind, place",
        ),
        ({"facet": "size"}, "metric.facet='size'; allowed for accuracy: '', kind, place, relation"),
        ({"main": "r2", "facet": "kind"}, "allowed for r2: '', size, weight"),
        ({"main": "official_f1", "facet": "kind"}, "allowed for official_f1: '', relation"),
        ({"asked_accuracy": 95.0}, "metric.asked_accuracy=95.0; allowed: above 0, at most 1"),
    ],
)
def test_a_main_score_that_cannot_be_is_refused_with_what_is_allowed(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        FacetScores(**{"main": "accuracy", "facet": "", "asked_accuracy": 0.95, **given}).bind(ONTOLOGY.row)


def test_predictions_are_aligned_by_id_and_not_by_place() -> None:
    examples = labelled("kind", [DOG, CAT])
    assert metric().quick(examples, answered("kind", [DOG, CAT])[::-1]) == 1.0
    with pytest.raises(UserError, match="do not answer the 2 examples one by one"):
        metric().quick(examples, answered("kind", [DOG]))


def test_answered_facets_with_a_probability_are_trials_right_if_all_their_concepts_are() -> None:
    """Right, a concept too many, abstained, out of scope and answered all the same, without a probability."""
    examples = [*labelled("place", [["indoors"], ["indoors"]]), *labelled("kind", [DOG, NONE, CAT])]
    examples = [replace(example, id=str(number)) for number, example in enumerate(examples)]
    predictions = answered(
        "place",
        [
            FacetAnswer(("indoors",), probability=0.9),
            FacetAnswer(("indoors", "garden"), probability=0.8),
        ],
    ) + answered(
        "kind",
        [
            FacetAnswer(DOG, probability=0.7, abstained="unsure"),
            FacetAnswer(CAT, probability=0.6),
            FacetAnswer(CAT),
        ],
    )
    predictions = [replace(prediction, id=str(number)) for number, prediction in enumerate(predictions)]
    assert metric().trials(examples, predictions) == {
        "facets": [
            Trial("d0", 0.9, True),
            Trial("d1", 0.8, False),
            Trial("d1", 0.6, False, outside=0.2),  # one of five facets is out of scope
        ]
    }


def test_a_number_is_no_trial() -> None:
    examples = [FacetExample("0", "text", values={"size": 2.0}, document="d")]
    answer = FacetPrediction("0", {"size": FacetAnswer(value=2.0, probability=0.9)})
    assert metric().trials(examples, [answer]) == {}
