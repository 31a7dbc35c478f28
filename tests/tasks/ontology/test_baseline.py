import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.config import RunConfig
from shared.errors import UserError
from shared.example_rows import prediction_row
from shared.examples import FacetAnswer, FacetExample, FacetPrediction, Span, SpanPrediction
from shared.ontology import Cardinality, Concept, Facet, Ontology, Relation, relation_concepts, violations
from tasks.ontology.baseline import FrozenLogistic, Independent, Majority, NearestDefinition, TfidfLogistic

# A leaf may stand before what is above it, as in an ontology read from RDF.
TOPICS = (
    Concept("fx", "topic", "currencies", "the price of one money in another", ("markets",)),
    Concept("markets", "topic", "markets"),
    Concept("bonds", "topic", "bonds", "debt that is traded", ("markets",)),
    Concept("lending", "topic", "lending", "loans that a bank gives to households"),
)
ACTORS = (
    Concept("private", "actors", "private actor"),
    Concept("company", "actors", "company", "", ("private",)),
    Concept("bank", "actors", "bank", "", ("private",)),
)


@dataclass(frozen=True)
class Given:
    """Data made by hand: the same examples are train and validation."""

    ontology: Ontology
    examples: Sequence[FacetExample]
    name: str = "given"
    licence: str = "none"

    def types(self) -> Mapping[str, Any]:
        return self.ontology.row

    def load(self, split: str) -> list[FacetExample]:
        return list(self.examples)

    def files(self, split: str) -> list[Path]:
        return []

    def report(self) -> str:
        return ""


class Untrained(Given):
    """Data that has no train split."""

    def load(self, split: str) -> list[FacetExample]:
        assert split == "validation"
        return super().load(split)


def topics(cardinality: Cardinality = Cardinality.exactly_one) -> Ontology:
    return Ontology("desk", (Facet("topic", "topic", cardinality),), TOPICS)


def actors() -> Ontology:
    return Ontology("desk", (Facet("actors", "actors", Cardinality.any_number),), ACTORS)


def labelled(facet: str, *labels: tuple[str, ...]) -> list[FacetExample]:
    """Return one text for each label."""
    return [
        FacetExample(str(number), f"text {number}", labels={facet: label})
        for number, label in enumerate(labels)
    ]


def majority(ontology: Ontology, train: Sequence[FacetExample]) -> Mapping[str, FacetAnswer]:
    """Return the answer to a new text."""
    answers = Majority("majority").answer(Given(ontology, train), [FacetExample("new", "a new text")])
    prediction: FacetPrediction
    (prediction,) = answers.predictions
    assert prediction.id == "new"
    return prediction.facets


def test_the_commonest_concept_of_train_is_given_with_its_share() -> None:
    answer = majority(topics(), labelled("topic", ("fx",), ("lending",), ("fx",), ("bonds",), ("fx",)))
    assert answer["topic"].concepts == ("fx",)
    assert answer["topic"].raw_probability == 0.6


def test_the_mean_of_a_number_is_given() -> None:
    ontology = Ontology("desk", (Facet("score", "score", Cardinality.number),), ())
    values = [-0.5, 0.25, 1.0]
    train = [FacetExample(str(value), "text", values={"score": value}) for value in values]
    assert majority(ontology, [*train, FacetExample("unlabelled", "text")])["score"].value == 0.25


def test_an_inner_concept_may_be_the_answer_and_shares_nothing_with_those_below_it() -> None:
    """Nothing of train is about fx alone, which stands below markets and once was as probable."""
    answer = majority(topics(), labelled("topic", ("markets",), ("lending",), ("markets",), ("bonds",)))
    assert answer["topic"].concepts == ("markets",)
    assert answer["topic"].raw_probability == 0.5


def test_texts_out_of_scope_teach_nothing_where_a_concept_is_needed() -> None:
    answer = majority(topics(), labelled("topic", (), (), (), ("bonds",), ("bonds",), ("fx",)))
    assert answer["topic"].concepts == ("bonds",)
    assert answer["topic"].raw_probability == pytest.approx(2 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "concepts", "probability"),
    [(((), ("fx",), (), ("bonds",), ()), (), 0.6), (((), ("fx",), ("fx",), ("bonds",)), ("fx",), 0.5)],
)
def test_none_is_an_answer_where_no_concept_is_needed(
    labels: Sequence[tuple[str, ...]], concepts: tuple[str, ...], probability: float
) -> None:
    answer = majority(topics(Cardinality.at_most_one), labelled("topic", *labels))["topic"]
    assert (answer.concepts, answer.raw_probability) == (concepts, probability)


def test_of_any_number_each_concept_is_given_that_most_texts_have() -> None:
    """Of five texts four have a private actor, three a company, two a bank: 0.6 is the least sure."""
    labels = [("company",), ("company", "bank"), ("company",), ("bank",), ()]
    answer = majority(actors(), labelled("actors", *labels))["actors"]
    assert (answer.concepts, answer.raw_probability) == (("company",), 0.6)


def test_of_any_number_a_broader_concept_may_be_all_that_is_given() -> None:
    answer = majority(actors(), labelled("actors", ("company",), ("bank",), ("company",), ("bank",), ()))
    assert answer["actors"].concepts == ("private",)


def test_texts_without_a_concept_count_where_any_number_may_be_chosen() -> None:
    answer = majority(actors(), labelled("actors", ("company",), ("company",), (), (), ()))
    assert (answer["actors"].concepts, answer["actors"].raw_probability) == ((), 0.6)


def test_a_facet_without_labels_is_refused() -> None:
    with pytest.raises(UserError, match="no text of train is labelled with the facet topic"):
        majority(topics(), [FacetExample("0", "text"), *labelled("topic", ())])


def tfidf(ontology: Ontology, train: Sequence[FacetExample], *texts: FacetExample) -> list[FacetPrediction]:
    return TfidfLogistic("tf-idf", c=10.0).answer(Given(ontology, train), texts).predictions


def test_a_facet_with_one_answer_gets_that_one() -> None:
    train = labelled("topic", ("fx",), ("fx",))
    (prediction,) = tfidf(topics(), train, FacetExample("new", "a new text"))
    assert prediction.facets["topic"].concepts == ("fx",)
    assert prediction.facets["topic"].raw_probability == 1.0


def test_a_number_follows_the_words() -> None:
    ontology = Ontology("desk", (Facet("score", "score", Cardinality.number),), ())
    train = [
        FacetExample(f"{word}-{number}", f"shares {word}", values={"score": value})
        for word, value in (("rose", 1.0), ("fell", -1.0))
        for number in range(20)
    ]
    found = tfidf(ontology, train, FacetExample("0", "it fell"), FacetExample("1", "it rose"))
    low, high = (it.facets["score"].value or 0.0 for it in found)
    assert low < -0.5 and high > 0.5


def test_the_second_text_is_read() -> None:
    train = [
        FacetExample("0", "how are margins", pair="we lend more", labels={"topic": ("lending",)}),
        FacetExample("1", "how are margins", pair="the dollar fell", labels={"topic": ("fx",)}),
    ]
    assert [it.facets["topic"].concepts for it in tfidf(topics(), train, *train)] == [("lending",), ("fx",)]


def test_marks_say_which_stretches_are_meant() -> None:
    relation = Relation("owns", "relation", "owns")
    facet = Facet("relation", "relation", Cardinality.exactly_one)
    other = Concept("other", "relation", "other")
    ontology = Ontology("desk", (facet,), (other, *relation_concepts(relation)), (relation,))
    text = "Orla owns Kelm and fears Brack"
    train = [
        FacetExample("0", text, marks=(Span(0, 4, "e1"), Span(10, 14, "e2")), labels={"relation": ("owns",)}),
        FacetExample(
            "1", text, marks=(Span(10, 14, "e1"), Span(25, 30, "e2")), labels={"relation": ("other",)}
        ),
    ]
    found = [it.facets["relation"].concepts for it in tfidf(ontology, train, *train)]
    assert found == [("owns",), ("other",)]


def sample(name: str) -> RunConfig:
    return compose_run("ontology", [f"baseline={name}"])


@pytest.fixture(scope="module")
def answered() -> Mapping[str, list[FacetPrediction]]:
    """Return the answers of each baseline to the sample's validation texts."""
    names = ("majority", "tfidf_logistic", "frozen_logistic", "nearest_definition")
    configs = {name: sample(name) for name in names}
    return {
        name: config.baseline.answer(config.data, config.data.load("validation")).predictions
        for name, config in configs.items()
        if config.baseline
    }


def test_the_answers_stand_in_the_order_of_the_texts_and_break_no_rule(
    answered: Mapping[str, list[FacetPrediction]],
) -> None:
    config = sample("majority")
    ontology: Ontology = config.data.ontology()  # type: ignore[attr-defined]  # of the sample
    for predictions in answered.values():
        assert [it.id for it in predictions] == [it.id for it in config.data.load("validation")]
        for prediction in predictions:
            assert violations(ontology, chosen(ontology, prediction)) == []


def chosen(ontology: Ontology, prediction: FacetPrediction) -> list[str]:
    """Return the concepts of all facets with what is broader."""
    given = [concept for answer in prediction.facets.values() for concept in answer.concepts]
    return sorted({*given, *(above for concept in given for above in ontology.ancestors[concept])})


def test_classifiers_beat_the_majority_on_the_sample(answered: Mapping[str, list[FacetPrediction]]) -> None:
    config = sample("majority")
    metric, examples = config.metric.bind(config.data.types()), config.data.load("validation")
    accuracy = {name: metric.quick(examples, predictions) for name, predictions in answered.items()}
    assert accuracy["majority"] < 0.4
    assert accuracy["tfidf_logistic"] > 0.6
    assert accuracy["frozen_logistic"] > 0.6
    assert accuracy["nearest_definition"] > accuracy["majority"]


def test_probabilities_are_those_of_the_classifier(answered: Mapping[str, list[FacetPrediction]]) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    data = sample("tfidf_logistic").data
    train, examples = data.load("train"), data.load("validation")
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit([it.text for it in train])
    for facet in ("topic", "tone"):
        known = [it for it in train if it.labels.get(facet)]
        classifier = LogisticRegression(C=10.0, max_iter=1000)
        classifier.fit(vectorizer.transform([it.text for it in known]), [it.labels[facet][0] for it in known])
        expected = classifier.predict_proba(vectorizer.transform([it.text for it in examples]))
        for row, prediction in zip(expected, answered["tfidf_logistic"], strict=True):
            answer = prediction.facets[facet]
            (column,) = [list(classifier.classes_).index(concept) for concept in answer.concepts]
            assert answer.raw_probability == pytest.approx(row[column], abs=2e-6)


def test_frozen_embeddings_know_words_that_train_does_not_have() -> None:
    config = sample("frozen_logistic")
    texts = {
        "fx": ("The dollar fell against the yen.", "Sterling gained on the euro."),
        "lending": ("The bank grants more mortgages.", "Loans to families grew."),
    }
    train = [FacetExample(text, text, labels={"topic": (name,)}) for name in texts for text in texts[name]]
    baseline = FrozenLogistic("frozen", c=30.0, model=config.model)
    examples = [
        FacetExample("0", "A weak krona helped Swiss francs."),
        FacetExample("1", "Credit for home buyers dried up."),
    ]
    found = baseline.answer(Given(topics(), train), examples).predictions
    assert [it.facets["topic"].concepts for it in found] == [("fx",), ("lending",)]


def test_the_nearest_definition_needs_no_training_and_answers_the_narrowest_concepts() -> None:
    data = Untrained(topics(), labelled("topic", ("fx",)))
    baseline = NearestDefinition("nearest", model=sample("nearest_definition").model)
    examples = [
        FacetExample("0", "The dollar fell against the yen."),
        FacetExample("1", "Mortgages for families grew."),
        FacetExample("2", "Markets"),
    ]
    found = [it.facets["topic"].concepts for it in baseline.answer(data, examples).predictions]
    assert found[:2] == [("fx",), ("lending",)]
    assert found[2] in {("fx",), ("bonds",)}


def test_of_any_number_the_nearest_definitions_are_not_all_beside_a_facet_that_takes_one() -> None:
    facets = (*topics().facets, *actors().facets)
    data = Untrained(Ontology("desk", facets, (*TOPICS, *ACTORS)), labelled("topic", ("fx",)))
    baseline = NearestDefinition("nearest", model=sample("nearest_definition").model)
    far, near = baseline.answer(
        data, [FacetExample("0", "The dollar fell against the yen."), FacetExample("1", "a company")]
    ).predictions
    assert far.facets["actors"].concepts == ()
    assert near.facets["actors"].concepts == ("company",)


def independent(path: Path | str, ontology: Ontology) -> list[FacetPrediction]:
    baseline = Independent("alone", predictions=str(path), run=1)
    return baseline.answer(Given(ontology, ()), []).predictions


def written(folder: Path, *predictions: FacetPrediction | SpanPrediction) -> Path:
    path = folder / "predictions-test.jsonl"
    path.write_text("".join(json.dumps(prediction_row(it)) + "\n" for it in predictions), encoding="utf-8")
    return path


def test_what_a_run_decides_of_each_concept_alone_is_taken_over_consistent_or_not(tmp_path: Path) -> None:
    ontology = Ontology(
        "desk", (*topics().facets, Facet("score", "score", Cardinality.number)), topics().concepts
    )
    alone = ("fx", "markets", "lending")
    run = FacetPrediction(
        "7",
        {"topic": FacetAnswer(("fx",), probability=0.5, independent=alone), "score": FacetAnswer(value=0.25)},
    )
    (found,) = independent(written(tmp_path, run), ontology)
    assert found.id == "7"
    assert found.facets == {
        "topic": FacetAnswer(("fx", "lending"), probability=0.5, independent=alone),
        "score": FacetAnswer(value=0.25),
    }
    assert violations(ontology, chosen(ontology, found)) == ["topic has 2 concepts, at most one is allowed"]


def test_a_missing_file_of_predictions_is_refused(tmp_path: Path) -> None:
    for path in ("", tmp_path, tmp_path / "none.jsonl"):
        with pytest.raises(UserError, match=r"is no file: give a run's predictions-test\.jsonl"):
            independent(path, topics())


@pytest.mark.parametrize(
    ("prediction", "problem"),
    [
        (SpanPrediction("0"), "holds other answers than facets"),
        (FacetPrediction("0", {"topic": FacetAnswer(("fx",))}), "does not hold what a run decides of each"),
    ],
)
def test_predictions_without_independent_choices_are_refused(
    tmp_path: Path, prediction: FacetPrediction | SpanPrediction, problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        independent(written(tmp_path, prediction), topics())
