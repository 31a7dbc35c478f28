from shared.ngrams import ngrams, words


def test_words_are_runs_of_letters_and_digits_in_lower_case() -> None:
    assert words("Q2 sales rose 2.5% to $1,200.") == ["q2", "sales", "rose", "2", "5", "to", "1", "200"]


def test_ngrams_are_runs_of_words_and_too_few_words_have_none() -> None:
    assert ngrams(["a", "b", "c"], 2) == [("a", "b"), ("b", "c")]
    assert ngrams(["a"], 2) == []


def test_they_are_those_of_rouge_score() -> None:
    from rouge_score.tokenize import tokenize

    text = "Earnings-per-share: $0.83, naïve “plan”; up 12 bp's"
    assert words(text) == tokenize(text, stemmer=None)
