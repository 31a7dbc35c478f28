from pathlib import Path

import pytest

from shared import adapters, runs
from shared.compose import compose_run
from shared.errors import BundleError
from shared.examples import Span, SpanExample, SpanPrediction
from shared.model import create_model
from tasks.ner.label_dependence import ALONE, REVERSED, change, changes_text, labels

EXAMPLES = [SpanExample(str(number), "Ada left Acme", document="abcd"[number]) for number in range(4)]


def answers(*found: list[Span]) -> list[SpanPrediction]:
    return [SpanPrediction(str(number), tuple(spans)) for number, spans in enumerate(found)]


TOGETHER = answers(
    [Span(0, 3, "PER", 0.9), Span(9, 13, "ORG", 0.5)], [Span(0, 3, "PER", 0.6)], [], [Span(9, 13, "ORG", 0.7)]
)
PER_ALONE = answers([Span(0, 3, "PER", 0.65)], [Span(0, 8, "PER", 0.6)], [], [])


def test_a_change_counts_texts_with_other_spans_of_the_type_alone() -> None:
    """One of four texts, 0.0063 to 0.8059 by Clopper and Pearson: the spans of ORG do not count."""
    found = change(EXAMPLES, TOGETHER, PER_ALONE, label="PER")
    assert (found.before, found.after) == (2, 2)
    assert (found.texts.wrong, found.texts.num) == (1, 4)
    assert found.texts.bounds() == pytest.approx((0.0063, 0.8059), abs=1e-4)
    assert found.largest == pytest.approx(0.25)  # of Ada in the first text, from 0.9 to 0.65


def test_without_a_span_found_both_times_no_score_changes() -> None:
    found = change(EXAMPLES, TOGETHER, PER_ALONE, label="ORG")
    assert (found.before, found.after, found.texts.wrong, found.largest) == (2, 0, 2, 0.0)


def test_the_table_has_a_line_for_each_type_and_way_to_ask() -> None:
    ways = {
        ALONE: change(EXAMPLES, TOGETHER, PER_ALONE, label="PER"),
        REVERSED: change(EXAMPLES, TOGETHER, TOGETHER, label="PER"),
    }
    *_, alone, backwards = changes_text({"PER": ways}).splitlines()
    assert alone.split() == ["PER", "alone", "2", "2", "25.0", "%", "[0.6,", "80.6]", "0.250"]
    assert backwards.split() == ["PER", "reversed", "2", "2", "0.0", "%", "[0.0,", "60.2]", "0.000"]


def new_run(folder: Path, *words: str) -> list[str]:
    """The words that name a run whose bundle is as its seed makes it."""
    config = compose_run("ner", words)
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    run = runs.create_run(folder, task="ner", digest=config.digest, config=config.resolved)
    origin = adapters.Origin("ner", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model, run / runs.BUNDLE, origin=origin, lora=config.lora)
    return [f"runs_dir={folder}", "hardware.threads=1"]


def test_gliners_spans_depend_on_the_other_types_but_not_on_their_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = new_run(tmp_path, "model=gliner_minilm", "head.max_width=3", "head.hidden_size=32")
    labels(compose_run("ner", words), overrides=words)
    first, _, _, *table = capsys.readouterr().out.splitlines()
    assert first == "70 texts of sample, validation"
    rows = [row.split() for row in table]
    assert [row[:2] for row in rows] == [
        [label, way] for label in compose_run("ner", []).data.types() for way in (ALONE, REVERSED)
    ]
    assert all((row[1] == REVERSED) == (row[4] == "0.0") for row in rows)


def test_a_head_that_finds_its_trained_types_alone_says_so(tmp_path: Path) -> None:
    words = new_run(tmp_path)
    with pytest.raises(
        BundleError, match=r"this head finds company, person, .* and nothing else; asked for: company"
    ):
        labels(compose_run("ner", words), overrides=words)
