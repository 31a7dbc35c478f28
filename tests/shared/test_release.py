import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import runs
from shared.boards.layout import read_layout
from shared.compose import compose_run
from shared.errors import ConfigError, UserError
from shared.example_rows import prediction_row
from shared.examples import Span, SpanExample, SpanPrediction
from shared.release import Release, System, flips_by_slice, judge, read_system, release_row
from shared.release_text import release_text
from shared.run_inputs import of_run
from shared.verb_config import Budget
from tasks.ner.metric import EntityF1

ROOT = Path(__file__).resolve().parents[2]
A, B = Span(0, 3, "A"), Span(0, 3, "B")
EXAMPLES = [
    SpanExample(f"wire-{n}", "Ada left Acme", (A if n < 20 else B,), document=f"wire-{n}") for n in range(40)
]
GOLD = [example.spans for example in EXAMPLES]
SWAPPED = [(B,)] * 10 + GOLD[10:]  # ten of the twenty A's
OPEN = Budget(
    churn=1, negative_flips=1, loss=1, slice_loss=1, slice_items=10, slices=["label", "length", "source"]
)
STRICT = Budget(churn=0.1, negative_flips=0.05, loss=0.01, slice_loss=0.1, slice_items=10, slices=["label"])


def system(*answers: Sequence[tuple[Span, ...]]) -> System:
    found = [
        [SpanPrediction(example.id, spans) for example, spans in zip(EXAMPLES, run, strict=True)]
        for run in answers
    ]
    rows = [{one.id: json.dumps(prediction_row(one)) for one in run} for run in found]
    return System("made by hand", found, rows)


def judged(old: System, new: System, budget: Budget = STRICT) -> Release:
    return judge(EXAMPLES, old, new, metric=EntityF1(), budget=budget)


def test_the_same_answers_keep_a_budget_of_nothing() -> None:
    nothing = replace(STRICT, churn=0, negative_flips=0, loss=0, slice_loss=0)
    assert judged(system(SWAPPED), system(SWAPPED), nothing).broken == []


def test_a_label_swapped_with_another_breaks_every_limit_and_is_the_worst_slice() -> None:
    """Ten of 40 answers change and are wrong: F1 30 / 40. A alone: 2 * 10 / (10 + 20)."""
    found = judged(system(GOLD), system(SWAPPED))
    checks = {check.name: (check.found, check.passed) for check in found.checks}
    assert checks == {
        "churn": (0.25, False),
        "negative_flips": (0.25, False),
        "loss": (0.25, False),
        "slice_loss": (pytest.approx(1 / 3), False),
    }
    assert [part.slice.title for part in found.slices] == ["label A", "label B"]
    assert [(part.slice.name, len(items)) for part, items in flips_by_slice(found) if part] == [("A", 10)]


@pytest.mark.parametrize(
    ("name", "limit"), [("churn", 0.24), ("negative_flips", 0.24), ("loss", 0.24), ("slice_loss", 0.33)]
)
def test_each_limit_alone_can_block(name: str, limit: float) -> None:
    assert judged(system(GOLD), system(SWAPPED), OPEN).broken == []
    assert judged(system(GOLD), system(SWAPPED), replace(OPEN, **{name: limit})).broken == [name]


def test_what_is_at_its_limit_keeps_it() -> None:
    quarter = replace(OPEN, churn=0.25, negative_flips=0.25, loss=0.25)
    assert judged(system(GOLD), system(SWAPPED), quarter).broken == []


def test_a_twin_with_two_other_mistakes_passes() -> None:
    """Each side lacks two spans that the other has: four items changed, two flips, no loss."""
    old, new = [(), (), *GOLD[2:]], [*GOLD[:38], (), ()]
    found = judged(system(old), system(new))
    assert [check.found for check in found.checks[:3]] == [0.1, 0.05, 0.0]
    assert found.broken == []


def test_a_loss_above_the_limit_that_may_be_noise_passes_and_says_so() -> None:
    """The new side answers wrongly four items that the old has right, and the other way round three."""
    old = [(B,)] * 3 + GOLD[3:]
    new = [*GOLD[:36], *[(A,)] * 4]
    found = judged(system(old), system(new), replace(STRICT, churn=1, negative_flips=1))
    loss = next(check for check in found.checks if check.name == "loss")
    assert loss.found == pytest.approx(1 / 40)
    assert loss.passed
    assert "not told from noise" in loss.note
    assert f"losses below {found.smallest_seen:.4f} cannot be told from noise here" in loss.note
    assert found.broken == []


def test_improvements_are_churn_but_no_flip_and_no_loss() -> None:
    found = judged(system(SWAPPED), system(GOLD))
    assert [check.found for check in found.checks[:3]] == [0.25, 0.0, -0.25]
    assert found.broken == ["churn"]


def test_runs_of_several_seeds_are_taken_together() -> None:
    """The ten are right in one new run of two: half of each is a flip, and half of the pairs changed."""
    found = judged(system(GOLD), system(GOLD, SWAPPED))
    assert [check.found for check in found.checks[:3]] == [0.125, 0.125, 0.125]
    assert found.checks[0].note == "runs of the new differ among themselves on 25.0%"
    assert len(found.flips) == 10


def test_a_slice_of_few_items_is_said_to_be_too_small_and_blocks_nothing() -> None:
    found = judged(system(GOLD), system(SWAPPED), replace(OPEN, slice_loss=0, slice_items=21))
    assert found.broken == []
    assert found.checks[3].note == "no slice could be judged"
    page = release_text(found, max_flips=0, file=Path("release.json"))
    assert "slices judged: 0 of 2\nnot judged, fewer than 21 items: label A (20), label B (20)\n" in page


def test_a_page_ends_with_the_verdict_and_shows_the_first_flips_of_the_worst_slice() -> None:
    found = judged(system(GOLD), system(SWAPPED))
    page = release_text(found, max_flips=1, file=Path("release.json"))
    assert page.startswith("old: made by hand\nnew: made by hand\nf1: 1.0000 before, 0.7500 now, 40 items\n")
    assert (
        "label A: f1 1.0000 before, 0.6667 now; items 20, negative flips 10\n  wire-0: Ada left Acme\n"
        in page
    )
    assert "    gold: Ada (A)\n    old:  Ada (A)\n    new:  Ada (B)\n... and 9 more\n" in page
    assert page.endswith("\nFAIL: churn, negative_flips, loss, slice_loss; all of it: release.json")


def test_a_row_counts_the_items_of_each_slice() -> None:
    row = release_row(judged(system(GOLD), system(SWAPPED)))
    assert (row["passed"], row["num_items"], len(row["negative_flips"])) == (False, 40, 10)
    first = row["slices"][0]
    assert (first["name"], first["num_items"], first["num_documents"], first["negative_flips"]) == (
        "A",
        20,
        20,
        10,
    )
    assert row["negative_flips"][0]["slice"] == "label A"
    assert json.loads(json.dumps(row)) == row


def test_churn_leaves_out_what_the_leaderboard_leaves_out(tmp_path: Path) -> None:
    """A probability is no answer: the published churn of a row does not count it either."""
    systems = []
    for name, probability in (("old", 0.9), ("new", 0.8)):
        answers = [SpanPrediction(e.id, (replace(e.spans[0], probability=probability),)) for e in EXAMPLES]
        path = tmp_path / f"{name}.jsonl"
        runs.write_rows(path, map(prediction_row, answers))
        systems.append(read_system(name, [path], ignored=read_layout("ner").unchanged))
    assert judged(*systems).checks[0].found == 0.0


def test_other_items_than_the_split_has_are_refused() -> None:
    short = system(GOLD)
    with pytest.raises(UserError, match="do not answer the 40 examples"):
        judged(short, replace(short, runs=[short.runs[0][1:]]))


def test_every_value_of_the_budget_is_checked() -> None:
    words = [
        "churn=1.1",
        "negative_flips=-1",
        "loss=-0.1",
        "slice_loss=-0.1",
        "slice_items=0",
        "slices=[labels]",
    ]
    with pytest.raises(ConfigError) as caught:
        compose_run("ner", [f"release.{word}" for word in words])
    assert caught.value.mistakes == [
        "release.churn=1.1; allowed: 0 to 1",
        "release.negative_flips=-1.0; allowed: 0 to 1",
        "release.loss=-0.1; allowed: 0 or more",
        "release.slice_loss=-0.1; allowed: 0 or more",
        "release.slice_items=0; allowed: a whole number above 0",
        "release.slices=['labels']; allowed: a list of label, length, source",
    ]


def test_the_budget_is_no_part_of_a_runs_configuration_and_older_runs_take_it(tmp_path: Path) -> None:
    config = compose_run("ner", ["release.loss=0.5", "left=old", "right=new"])
    assert config.digest == compose_run("ner", []).digest
    older = {name: value for name, value in config.resolved.items() if name != "release"}
    folder = runs.create_run(tmp_path, task="ner", digest=config.digest, config={**older, "left": ""})
    found = of_run(config, folder, [])
    assert (found.release.loss, found.left, found.right) == (0.5, "old", "new")


def released(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m tasks.ner release WORDS`, in a folder of one's own."""
    return subprocess.run(
        [sys.executable, "-m", "tasks.ner", "release", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with answers to the sample's 70 texts: gold, persons as companies, three spans lost."""
    folder = tmp_path_factory.mktemp("release")
    rows = [prediction_row(example.gold()) for example in compose_run("ner", []).data.load("test")]
    swapped, twin = (json.loads(json.dumps(rows)) for _ in range(2))
    for span in [span for row in swapped for span in row["spans"] if span["label"] == "person"]:
        span["label"] = "company"
    for row in random.Random(1).sample(twin, 3):
        row["spans"] = row["spans"][1:]
    for name, given in (("gold", rows), ("swapped", swapped), ("twin", twin)):
        runs.write_rows(folder / f"{name}.jsonl", given)
    return folder


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs" / "ner" / "release.json").read_text(encoding="utf-8"))
    return found


def test_a_planted_regression_ends_with_exit_code_1_and_its_label_named(answers: Path) -> None:
    done = released(answers, "gold.jsonl", "swapped.jsonl")
    assert done.returncode == 1, done.stderr
    assert "\nlabel person: f1 1.0000 before, 0.0000 now; items 19, negative flips 19\n" in done.stdout
    assert done.stdout.endswith(
        "FAIL: churn, negative_flips, loss, slice_loss; all of it: runs/ner/release.json\n"
    )
    found = report(answers)
    assert (found["old"], found["new"], found["passed"]) == ("gold.jsonl", "swapped.jsonl", False)
    assert {flip["slice"] for flip in found["negative_flips"]} == {"label person"}


@pytest.mark.parametrize("new", ["gold", "twin"])
def test_the_same_answers_and_a_twin_with_a_few_changes_end_with_exit_code_0(answers: Path, new: str) -> None:
    done = released(answers, "gold.jsonl", f"{new}.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\nPASS; all of it: runs/ner/release.json\n")
    assert report(answers)["passed"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gold.jsonl"], "release takes two runs, OLD and NEW; found: gold.jsonl"),
        ([], "compare and release take two systems"),
        (["gold.jsonl", "nowhere.jsonl"], "'nowhere.jsonl' is no folder"),
        (["gold.jsonl", "twin.jsonl", "release.chrun=1"], "did you mean 'release.churn'?"),
        (["gold.jsonl", "twin.jsonl", "release=strict"], "release is one of default"),
    ],
)
def test_a_mistake_ends_with_exit_code_2(answers: Path, words: list[str], said: str) -> None:
    done = released(answers, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
