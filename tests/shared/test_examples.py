from shared.examples import FacetAnswer, FacetExample, FacetPrediction, Span, SpanExample, SpanPrediction

ADA, ACME = Span(0, 3, "PER"), Span(9, 18, "ORG")
TEXT = "Ada left Acme Corp"
WORDS = ((0, 3), (4, 8), (9, 13), (14, 18))


def test_strict_matching_does_not_look_at_the_probability() -> None:
    assert Span(0, 3, "PER", 0.25).key == ADA.key == (0, 3, "PER")


NEWS = FacetExample(
    "7",
    "Bonds fell, said Ada",
    pair="And then?",
    marks=(Span(0, 5, "e1"), Span(17, 20, "e2")),
    labels={"topic": ("bonds",), "actors": ("bank", "fund"), "place": ()},
    values={"score": -0.5},
    document="d",
)


def test_gold_is_the_answer_that_is_wholly_right() -> None:
    assert SpanExample("1", TEXT, (ADA,), WORDS).gold() == SpanPrediction("1", (ADA,))
    assert NEWS.gold() == FacetPrediction(
        "7",
        {
            "topic": FacetAnswer(("bonds",)),
            "actors": FacetAnswer(("bank", "fund")),
            "place": FacetAnswer(()),
            "score": FacetAnswer(value=-0.5),
        },
    )


def test_an_answer_that_is_not_given_keeps_its_guess() -> None:
    assert FacetAnswer(("bonds",)).given == ("bonds",)
    unsure = FacetAnswer(("bonds",), abstained="out of scope")
    assert (unsure.concepts, unsure.given) == (("bonds",), ())


def test_two_predictions_of_the_same_answers_share_their_key() -> None:
    """Neither the order of facets nor probabilities count, nor what lies behind two decimals of a number."""
    one = FacetPrediction(
        "1", {"topic": FacetAnswer(("bonds",), probability=0.5), "score": FacetAnswer(value=0.251)}
    )
    same = FacetPrediction("1", {"score": FacetAnswer(value=0.254), "topic": FacetAnswer(("bonds",))})
    assert one.key == same.key
    others = [
        FacetPrediction("1", {"topic": FacetAnswer(("bonds",)), "score": FacetAnswer(value=0.261)}),
        FacetPrediction("1", {"topic": FacetAnswer(("sport",)), "score": FacetAnswer(value=0.25)}),
        FacetPrediction(
            "1", {"topic": FacetAnswer(("bonds",), abstained="odd"), "score": FacetAnswer(value=0.25)}
        ),
    ]
    assert all(other.key != one.key for other in others)


def test_an_answer_that_is_not_given_is_the_answer_none() -> None:
    silent, none = FacetAnswer(("bonds",), abstained="odd"), FacetAnswer()
    assert FacetPrediction("1", {"topic": silent}).key == FacetPrediction("1", {"topic": none}).key


def test_facets_are_shown_as_a_person_reads_them() -> None:
    prediction = FacetPrediction(
        "1",
        {
            "actors": FacetAnswer(("bank", "fund")),
            "topic": FacetAnswer(("bonds",), abstained="odd"),
            "score": FacetAnswer(value=0.256),
        },
    )
    assert prediction.shown("any text") == [
        {"facet": "actors", "answer": "bank, fund"},
        {"facet": "topic", "answer": ""},
        {"facet": "score", "answer": "0.26"},
    ]
