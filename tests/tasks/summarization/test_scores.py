import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.ngrams import words
from shared.typed_config import typed
from tasks.summarization.scores import (
    Summary,
    compression,
    copied_share,
    figure_shares,
    kind_share,
    make_scorer,
    name_share,
    ratio,
    rouge_lsum,
    rouge_shares,
    style_shares,
    summary_lines,
    weighted,
)
from tasks.summarization.style import RULES, HouseStyle
from tests.tasks.summarization.adapters import ROOT

BRIEF: HouseStyle = typed(
    OmegaConf.create({"style": OmegaConf.load(ROOT / "conf/style/brief.yaml")}).style,
    HouseStyle,
    path="style",
)
SENTENCES = (
    "Revenue was $41,200,000 in the second quarter.",
    "we saw orders fall 3 percent",
    "An orchard near Brannock was sold.",
)
GOLD = ("Revenue rose 12% to $41.2 million in Q2.", "Orders fell 3%.")
EXAMPLE = SummaryExample("q2", SENTENCES, GOLD, document="q2")


def summary(*lines: str, **changes: Any) -> Summary:
    return Summary(EXAMPLE, list(lines), replace(BRIEF, **changes))


def rouge(ours: list[str], gold: list[str]) -> dict[str, float]:
    scorer = make_scorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    return {name: part for name, (part, _) in rouge_shares(ours, gold, scorer=scorer).items()}


def test_a_quoted_bullet_is_its_first_source_in_house_style() -> None:
    bullets = (Bullet("Profit rose."), Bullet("", sources=(1, 0), quoted=True))
    lines = summary_lines(EXAMPLE, SummaryPrediction("q2", bullets), style=BRIEF)
    assert lines == ["Profit rose.", "The company saw orders fall 3%."]


def test_an_abstention_has_no_lines() -> None:
    silent = SummaryPrediction("q2", (Bullet("Profit rose."),), abstained="too short")
    assert summary_lines(EXAMPLE, silent, style=BRIEF) == []


def test_rouge_is_the_f_measure_of_shared_words_pairs_and_subsequences() -> None:
    """Gold has 9 words and 8 pairs, ours 5 and 4; shared are 5 words in their order, and 3 pairs."""
    found = rouge(["Revenue rose 12% in Q2."], [GOLD[0]])
    assert found["rouge1"] == found["rougeL"] == found["rougeLsum"] == pytest.approx(10 / 14)
    assert found["rouge2"] == pytest.approx(6 / 12)


def test_the_order_of_bullets_matters_to_rouge_l_and_not_to_rouge_lsum() -> None:
    found = rouge(["Profit rose.", "Orders fell."], ["Orders fell.", "Profit rose."])
    assert (found["rouge1"], found["rougeL"], found["rougeLsum"]) == (1.0, 0.5, 1.0)


def test_rouge_compares_stems() -> None:
    assert rouge(["falling order"], ["orders fall"])["rouge1"] == 1.0


def test_the_weighted_form_takes_precision_and_recall_to_the_power_of_five_sixths() -> None:
    assert weighted(1 / 64, 1.0) == pytest.approx(2 / 33)  # (2 ** -6) ** (5 / 6) is 1 / 32
    assert (weighted(1.0, 1.0), weighted(0.0, 0.0)) == (1.0, 0.0)


def test_the_weighted_form_is_what_upstream_published_for_four_shared_words_of_78_and_9() -> None:
    assert weighted(4 / 78, 4 / 9) == pytest.approx(0.14439, abs=5e-6)


def test_a_document_without_gold_has_no_say_in_rouge_and_one_without_lines_has_zero() -> None:
    scorer = make_scorer(["rougeLsum"])
    names = ["rougeLsum", "rougeLsum_weighted"]
    assert rouge_shares(["Profit rose."], [], scorer=scorer) == dict.fromkeys(names, (0.0, 0.0))
    assert rouge_shares([], GOLD, scorer=scorer) == dict.fromkeys(names, (0.0, 1.0))


def test_figures_are_looked_for_in_document_and_gold_and_gold_is_looked_for_in_them() -> None:
    """$41 million is rounded, 3% in the document, 12% in gold alone, 7% in neither; $41.2 million is lost."""
    found = figure_shares(
        summary("Revenue reached $41 million.", "Orders fell 3%.", "Margin was 7%, growth 12%.")
    )
    assert found == {
        "figure_precision": (3.0, 4.0),
        "figure_precision_source": (2.0, 4.0),
        "figure_recall": (2.0, 3.0),
    }


def test_a_summary_that_was_not_given_recalls_no_figure_and_claims_none() -> None:
    found = figure_shares(summary())
    assert found == {
        "figure_precision": (0.0, 0.0),
        "figure_precision_source": (0.0, 0.0),
        "figure_recall": (0.0, 3.0),
    }


def test_of_figures_that_gold_has_too_those_are_right_that_it_calls_the_same() -> None:
    """3% is another quarter's, $41 million rounds gold's, 12% is told in two ways; gold has no 7%."""
    gold = ("q2 revenue $41.2 million.", "q2 orders fell 3%.", "adjusted growth 12%.", "q2 growth 12%.")
    lines = ("q2 revenue $41 million.", "q3 orders fell 3%.", "q2 growth was 12%.", "margin was 7%.", "fine.")
    found = summary(*lines)
    assert kind_share(replace(found, example=replace(found.example, bullets=gold))) == (2.0, 3.0)
    assert kind_share(summary()) == (0.0, 0.0)


def test_names_are_looked_for_in_the_document_alone() -> None:
    found = summary("Brannock and Tellmere rose.", "Orchards near Foldmark fell.", wording=["rose", "fell"])
    assert name_share(found) == (2.0, 4.0)  # Brannock and Orchards of Brannock, Tellmere, Orchards, Foldmark


def test_style_is_kept_as_a_whole_and_by_rule() -> None:
    good = style_shares(summary(*GOLD))
    assert good == dict.fromkeys(["style_pass", *(f"style_{rule}" for rule in RULES)], (1.0, 1.0))
    bad = style_shares(summary(GOLD[0], "Orders fell 3 percent."))
    assert {name for name, share in bad.items() if share == (0.0, 1.0)} == {"style_pass", "style_percent"}


def test_the_style_of_a_summary_that_was_not_given_is_not_scored() -> None:
    assert set(style_shares(summary()).values()) == {(0.0, 0.0)}


def test_compression_is_words_of_the_document_over_words_of_the_summary() -> None:
    assert compression(["Orders fell 3%."], SENTENCES) == (19 / 3, 1.0)
    assert compression([], SENTENCES) == (0.0, 0.0)


def test_copied_4grams_cross_neither_bullets_nor_sentences() -> None:
    """Of (near brannock was sold), (orders fall 3 percent) and (fall 3 percent an) the last is not there."""
    lines = ["Near BRANNOCK was sold.", "orders fall 3 percent an"]
    assert copied_share(lines, SENTENCES) == (2 / 3, 1.0)
    assert copied_share(["Orders fell"], SENTENCES) == (0.0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_copied_4grams_equal_a_naive_count_on_random_words(seed: int) -> None:
    generator = random.Random(seed)
    texts = [" ".join(generator.choices("ab", k=generator.randint(0, 12))) for _ in range(12)]
    lines, sentences = texts[:4], texts[4:]
    found = [
        any(" ".join(words(line)[at : at + 4]) in sentence for sentence in sentences)
        for line in lines
        for at in range(len(words(line)) - 3)
    ]
    expected = sum(found) / len(found) if found else 0.0
    assert copied_share(lines, sentences) == (expected, float(bool(found)))


def test_a_ratio_is_part_over_whole_and_zero_over_nothing() -> None:
    summed = np.array([[1.0, 4.0, 3.0, 4.0], [0.0, 0.0, 2.0, 2.0]])
    assert ratio(summed, 2).tolist() == [0.75, 1.0]
    assert rouge_lsum(summed).tolist() == [0.25, 0.0]
