from shared.passages import QueryPrediction


def test_a_quotation_is_read_from_the_passage_with_single_spaces_and_after_what_was_written() -> None:
    passage = "Ada left\n  Acme Corp, late"
    prediction = QueryPrediction("7", ("Who left?",), (((0, 3), (11, 20)), ((4, 15),)))
    assert prediction.texts(passage) == ("Who left?", "Ada Acme Corp", "left Acme")
    assert [row["answer"] for row in prediction.shown(passage)] == ["Who left?", "Ada Acme Corp", "left Acme"]


def test_queries_quoted_from_other_places_are_other_answers_even_if_they_read_the_same() -> None:
    """In 'rose rose' both words read the same."""
    one, other = QueryPrediction("7", quoted=(((0, 4),),)), QueryPrediction("7", quoted=(((5, 9),),))
    assert one.key != other.key
    assert one.texts("rose rose") == other.texts("rose rose") == ("rose",)
