from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.contracts import Baseline
from shared.errors import ConfigError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.typed_config import build
from tasks.summarization.baseline import Lead, Oracle
from tests.tasks.summarization.adapters import ROOT, adapter

CONF = ROOT / "conf" / "summarization" / "baseline"


def answers(baseline: Baseline, *examples: SummaryExample) -> list[SummaryPrediction]:
    return list(baseline.answer(adapter("sample"), examples).predictions)


def chosen(baseline: Baseline, sentences: tuple[str, ...], *bullets: str) -> list[int]:
    (prediction,) = answers(baseline, SummaryExample("a", sentences, bullets))
    return [bullet.sources[0] for bullet in prediction.bullets]


def settings(path: Path) -> Any:
    return build(OmegaConf.create({"baseline": OmegaConf.load(path)}).baseline, path="baseline")


def test_the_lead_quotes_the_first_sentences_or_all_of_a_shorter_document() -> None:
    two = SummaryExample("two", ("a", "b"))
    assert answers(Lead("lead", 3), SummaryExample("four", ("a", "b", "c", "d")), two) == [
        SummaryPrediction("four", tuple(Bullet("", (index,), quoted=True) for index in range(3))),
        SummaryPrediction("two", (Bullet("", (0,), quoted=True), Bullet("", (1,), quoted=True))),
    ]


def test_an_empty_document_has_no_summary() -> None:
    expected = [SummaryPrediction("none", abstained="the document is empty")]
    for baseline in (Lead("lead", 3), Oracle("oracle", 3)):
        assert answers(baseline, SummaryExample("none", ())) == expected


def test_the_oracle_picks_what_is_like_the_summary_in_the_documents_order() -> None:
    """The first has F 3/5 + 4/7, the third 6/11 + 4/8, both 6/7 + 4/5; below: 1/2 + 2/5, 6/9 + 4/6."""
    sentences = ("Costs fell 3%.", "Thank you all.", "Sales rose 9% today.")
    assert chosen(Oracle("oracle", 3), sentences, "sales rose 9%", "costs fell 3% now") == [0, 2]
    assert chosen(Oracle("oracle", 1), sentences, "sales rose 9%", "costs fell") == [2]


def test_the_oracle_stops_where_a_sentence_lowers_the_score() -> None:
    """The first alone has F 1 of words; with the nine of the second it would fall to 4/13."""
    sentences = ("sales rose", "sales a b c d e f g h")
    assert chosen(Oracle("oracle", 2), sentences, "sales rose") == [0]


def test_of_equal_sentences_the_first_is_picked_and_a_second_adds_nothing() -> None:
    assert chosen(Oracle("oracle", 3), ("thanks", "sales rose", "Sales rose."), "sales rose") == [1]


def test_the_words_of_a_pair_must_stand_side_by_side() -> None:
    assert chosen(Oracle("oracle", 1), ("rose sales", "sales rose"), "sales rose") == [1]


def test_where_nothing_is_like_the_summary_the_oracle_abstains() -> None:
    example = SummaryExample("a", ("thank you",), ("sales rose",))
    expected = [SummaryPrediction("a", abstained="no sentence is like the summary")]
    assert answers(Oracle("oracle", 3), example) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lead_3", Lead("first three sentences", 3)),
        ("oracle", Oracle("oracle selection", 8)),
    ],
)
def test_every_row_has_a_name_of_its_own_and_says_its_command(path: str, expected: Baseline) -> None:
    text = (CONF / f"{path}.yaml").read_text(encoding="utf-8")
    assert settings(CONF / f"{path}.yaml") == expected
    assert f"python -m tasks.summarization evaluate baseline={path}" in text.replace("\n# ", " ")


def test_no_sentence_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"baseline\.sentences=0; allowed: 1 and more"):
        Lead("lead", 0)
    with pytest.raises(ConfigError, match=r"baseline\.max_sentences=0; allowed: 1 and more"):
        Oracle("oracle", 0)
