"""Publishing refuses what cannot be defended; rendering depends on records and cited figures alone."""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.boards.board import render_all
from shared.boards.publication import publish
from shared.boards.rows import (
    Cited,
    Row,
    churn,
    cited_row,
    compare_rows,
    group_runs,
    read_answers,
    record_row,
    sample_row,
)
from shared.boards.sections import read_sections
from shared.boards.tables import Column, csv_paths, expand, find, formatter, markdown_table
from shared.contracts import Score
from shared.errors import UserError
from shared.provenance import Code, FileFacts
from shared.record import Counts, DataFacts, Kept, MetricFacts, Promise, Record, read_record
from tests.shared.publishing import ROWS, make_run, publish_rows, seed_record
from tests.shared.records import make_record, micro_f1


def test_published_predictions_are_compact_and_the_record_names_them(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    path = publish(*make_run(tmp_path / "run"), leaderboards_dir=boards, conf=conf)
    stored = boards / "records" / "ner" / "ner-tiny-seed1-0a1b2c3d.predictions.jsonl"
    assert stored.read_text().splitlines() == [
        '{"id":"a","spans":[{"start":0,"end":5,"label":"PER","probability":0.987654}]}',
        '{"id":"b","spans":[]}',
        '{"id":"c","spans":[{"start":2,"end":3,"label":"ORG","probability":null}]}',
    ]
    assert path == boards / "records" / "ner" / "ner-tiny-seed1-0a1b2c3d.json"
    sha256 = hashlib.sha256(stored.read_bytes()).hexdigest()
    assert read_record(path).predictions == FileFacts(stored.name, sha256)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": None}, "it names no commit"),
        ({"code": Code("c" * 40, clean=False)}, "changed sources"),
        ({"data": DataFacts("sample", "MIT", "test", "d", 3, 2)}, "its data is 'sample'"),
        ({"data": DataFacts("FiNER-ORD", "MIT", "validation", "d", 3, 2)}, "its split is 'validation'"),
        ({"config": {"data": {"path": "/home/me/x.csv"}}}, "a path of one machine: /home/me/x.csv"),
        ({"predictions": FileFacts("p", "0" * 64)}, "not the file the record was made from"),
        ({"rows": ROWS[:2]}, "must hold each of 3 ids once"),
        ({"rows": [*ROWS[:2], ROWS[0]]}, "must hold each of 3 ids once"),
        ({"rows": [*ROWS[:2], {"id": "c", "text": "He said"}]}, "prediction 3 has the key 'text'"),
        ({"rows": [*ROWS[:2], {"id": "c", "spans": [{"label": "x" * 65}]}]}, "a label of 65 characters"),
    ],
)
def test_what_cannot_be_defended_is_not_published(
    tmp_path: Path, conf: Path, boards: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        publish(*make_run(tmp_path / "run", **changes), leaderboards_dir=boards, conf=conf)
    assert not boards.exists()


def test_changed_sources_can_be_allowed(tmp_path: Path, conf: Path, boards: Path) -> None:
    run = make_run(tmp_path / "run", code=Code("c" * 40, clean=False))
    assert publish(*run, leaderboards_dir=boards, allow_dirty=True, conf=conf).is_file()


def test_every_reason_is_reported_at_once(tmp_path: Path, conf: Path, boards: Path) -> None:
    run = make_run(tmp_path / "run", code=None, rows=ROWS[:2])
    with pytest.raises(UserError, match=r"no commit[\s\S]*each of 3 ids"):
        publish(*run, leaderboards_dir=boards, conf=conf)


def test_seeds_become_one_row_with_mean_interval_spread_and_paired_test(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    ours = [seed_record(1, d2=[6, 6, 6], f1=0.8), seed_record(2, d2=[4, 6, 6], f1=0.6)]
    large = seed_record(1, d2=[3, 6, 6], f1=0.5, id="large-1", name="large", kind="replayed", training=None)
    publish_rows(tmp_path, *ours, large, conf=conf, boards=boards)
    with (boards / "ner.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    # of the two documents the seeds score (0.5, 1) and (0.5, 2/3): the resampled mean is 0.5, 0.7 or 10/12
    assert list(rows) == ["published", "tiny + LoRA", "large", "elsewhere (not comparable: on another split)"]
    tiny = rows["tiny + LoRA"]
    assert (tiny["score.value"], tiny["score.low"], tiny["score.high"]) == ("0.7", "0.5", "0.833333")
    assert (tiny["runs.count"], tiny["runs.min"], tiny["runs.max"]) == ("2", "0.6", "0.8")
    assert (tiny["versus.value"], tiny["versus.low"], tiny["versus.high"]) == ("0.2", "0", "0.333333")
    assert rows["large"]["versus.value"] == rows["published"]["versus.value"] == ""
    assert rows["published"]["score.value"] == "0.75"


def test_empty_cells_say_why_and_one_seed_is_said_to_be_one(tmp_path: Path, conf: Path, boards: Path) -> None:
    publish_rows(tmp_path, seed_record(1, d2=[6, 6, 6], f1=0.8), conf=conf, boards=boards)
    page = (boards / "ner.md").read_text()
    line = next(line for line in page.splitlines() if line.startswith("| tiny"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["tiny + LoRA", "0.800 [0.500, 1.000]", "1 seed", "1,100", "1.5"]
    line = next(line for line in page.splitlines() if line.startswith("| published"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["published", "0.750", "0.740 to 0.760, 2 seeds", "355.0 M", "n/s"]
    assert "- `n/s` in a cited row: not stated or not comparable." in page
    assert "Licence of the data: CC BY-NC 4.0: not for commercial use" in page
    assert "[config](../conf/experiment/ner/tiny.yaml), records [1](records/ner/tiny-seed1.json)" in page


def test_a_cited_row_without_the_main_score_stands_behind_those_that_have_it(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    path = conf / "cited" / "ner.yaml"
    path.write_text(path.read_text().replace("{f1: 0.76, precision: 0.7}", "{precision: 0.99, recall: 0.5}"))
    path.write_text(path.read_text().replace("{f1: 0.74, precision: 0.6}", "{precision: 0.97}"))
    publish_rows(tmp_path, seed_record(1, d2=[6, 6, 6], f1=0.8), conf=conf, boards=boards)
    page = (boards / "ner.md").read_text().split("### FiNER-ORD: evidence")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    assert [row[0] for row in rows[1:]] == [
        "tiny + LoRA",
        "published",
        "elsewhere (not comparable: on another split)",
    ]
    assert rows[2] == ["published", "n/s", "n/s", "355.0 M", "n/s"]


def test_a_cited_row_means_the_scores_that_each_of_its_runs_states() -> None:
    cited = Cited(
        name="published",
        data="FiNER-ORD",
        split="test",
        comparable=True,
        note="",
        source="https://example.org/paper",
        computed="by its authors",
        repeats=2,
        unit="seed",
        runs=[{"precision": 0.75, "recall": 0.5}, {"precision": 0.25}],
        parameters=None,
    )
    for main in ("f1", "recall"):
        row = cited_row(cited, main=main)
        assert (row["scores"], row["score"], row["runs"]) == ({"precision": 0.5}, None, None)
    assert cited_row(cited, main="precision")["score"] == {"value": 0.5, "low": None, "high": None}


def test_each_data_set_is_ordered_by_the_statistic_of_its_own_main_score(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    """Recall is 2 of 4 in the one document and 3 of 6 in the other."""
    path = conf / "leaderboard" / "ner.yaml"
    statistics = "{f1: tests.shared.records.micro_f1, recall: tests.shared.records.recall}"
    text = path.read_text().replace("{f1: tests.shared.records.micro_f1}", statistics)
    path.write_text(text.replace("{FiNER-ORD: large}", "{FiNER-ORD: large, WNUT17: ''}"))
    other = seed_record(
        1,
        d2=[3, 3, 6],
        f1=0.0,
        id="other-1",
        data=DataFacts("WNUT17", "MIT", "test", "d" * 64, 3, 2),
        metric=MetricFacts("span_f1", "1", main="recall"),
        scores={"recall": Score(0.5)},
    )
    publish_rows(tmp_path, seed_record(1, d2=[6, 6, 6], f1=0.8), other, conf=conf, boards=boards)
    page = (boards / "ner.md").read_text()
    assert "| tiny + LoRA" in page
    assert "span_f1 version 1, ordered by recall" in page
    assert "0.500 [0.500, 0.500]" in page


def test_a_main_score_that_the_tables_do_not_know_is_named(tmp_path: Path, conf: Path, boards: Path) -> None:
    record = seed_record(
        1, d2=[], f1=0.0, metric=MetricFacts("span_f1", "1", main="recall"), scores={"recall": Score(0.5)}
    )
    with pytest.raises(UserError, match="record tiny-seed1 is ordered by 'recall'; the tables know: f1"):
        publish_rows(tmp_path, record, conf=conf, boards=boards)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no.such.module", "'no.such.module' cannot be imported"),
        ("tests.shared.records.f2", "'tests.shared.records.f2' cannot be imported"),
        ("f1", "name package.module.function"),
    ],
)
def test_a_statistic_that_is_nowhere_is_named(
    tmp_path: Path, conf: Path, boards: Path, name: str, said: str
) -> None:
    path = conf / "leaderboard" / "ner.yaml"
    path.write_text(path.read_text().replace("tests.shared.records.micro_f1", name))
    with pytest.raises(UserError, match=said):
        publish_rows(tmp_path, seed_record(1, d2=[6, 6, 6], f1=0.8), conf=conf, boards=boards)


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path, conf: Path, boards: Path) -> None:
    publish_rows(
        tmp_path, *[seed_record(seed, d2=[6, 6, 6], f1=0.8) for seed in (2, 1)], conf=conf, boards=boards
    )
    first = [(boards / f"ner.{suffix}").read_bytes() for suffix in ("md", "csv")]
    render_all(boards, conf=conf)
    assert [(boards / f"ner.{suffix}").read_bytes() for suffix in ("md", "csv")] == first


def test_counts_that_do_not_give_the_score_are_refused(tmp_path: Path, conf: Path, boards: Path) -> None:
    with pytest.raises(UserError, match=r"its counts give 0\.800000, its score says 0\.900000"):
        publish_rows(tmp_path, seed_record(1, d2=[6, 6, 6], f1=0.9), conf=conf, boards=boards)


def test_a_type_that_one_run_alone_predicts_is_aligned(tmp_path: Path, conf: Path, boards: Path) -> None:
    odd = Counts(
        ["PER", "LOC"], ["tp", "predicted", "gold"], {"d1": [2, 4, 4, 0, 0, 0], "d2": [4, 4, 6, 0, 2, 0]}
    )
    second = seed_record(2, d2=[], f1=0.6, counts=odd)
    publish_rows(tmp_path, seed_record(1, d2=[6, 6, 6], f1=0.8), second, conf=conf, boards=boards)
    assert "| 0.700 [0.500, 0.833] |" in (boards / "ner.md").read_text()


def test_runs_on_other_data_do_not_share_a_row() -> None:
    other = DataFacts("FiNER-ORD", "CC BY-NC 4.0", "test", "0" * 64, 3, 2)
    with pytest.raises(UserError, match="share the row 'tiny \\+ LoRA' but differ in data"):
        group_runs([make_record(), make_record(id="other", seed=2, data=other)])


def test_the_same_seed_twice_is_not_two_seeds() -> None:
    with pytest.raises(UserError, match="are the same row and seed"):
        group_runs([make_record(), make_record(id="again")])


def test_an_empty_leaderboard_says_so(conf: Path, boards: Path) -> None:
    render_all(boards, conf=conf)
    assert "Nothing has been published yet." in (boards / "ner.md").read_text()


def test_a_misspelt_layout_key_is_named(conf: Path, boards: Path) -> None:
    path = conf / "leaderboard" / "ner.yaml"
    path.write_text(path.read_text().replace("csv_only:", "csv_onyl:"))
    with pytest.raises(UserError, match=r"csv_onyl is unknown \(did you mean 'csv_only'\?\)"):
        render_all(boards, conf=conf)


def test_churn_counts_examples_whose_spans_change_but_not_probabilities(
    tmp_path: Path, conf: Path, boards: Path
) -> None:
    changed = [{**ROWS[0], "spans": []}, *ROWS[1:]]
    same = [{"id": "a", "spans": [{**ROWS[0]["spans"][0], "probability": 0.5}]}, *ROWS[1:]]
    for seed, rows in ((1, ROWS), (2, changed), (3, same)):
        publish_rows(tmp_path, seed_record(seed, d2=[6, 6, 6], f1=0.8), conf=conf, boards=boards, rows=rows)
    (section,) = read_sections("ner", boards, conf=conf)
    assert section.rows[0]["churn"] == {"low": 0.0, "high": pytest.approx(1 / 3)}


def test_the_figures_of_a_reason_do_not_make_another_answer(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text(
        '{"id": "a", "abstained": "out of scope: energy -7.6 is above -8.7"}\n'
        '{"id": "b", "abstained": "out of scope: energy -8.1 is above -8.6"}\n'
        '{"id": "c", "abstained": null}\n'
    )
    answers = read_answers(path, ignored=[])
    assert answers["a"] == answers["b"] != answers["c"]


def test_churn_is_a_share_per_pair_of_runs() -> None:
    assert churn([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "0", "b": "3"}]) == [0.5, 1.0, 0.5]
    assert churn([{"a": "1"}]) == []


def test_a_star_column_becomes_one_per_key() -> None:
    rows = [{"scores": {"f1": 0.5, "f1/PER": 0.1, "f1/ORG": 0.2}}]
    columns = expand([Column("F1 *", "scores.f1/*", "score")], rows)
    assert [(column.title, column.value) for column in columns] == [
        ("F1 PER", "scores.f1/PER"),
        ("F1 ORG", "scores.f1/ORG"),
    ]


def test_columns_and_rows_without_a_value_are_left_out() -> None:
    rows: list[Row] = [{"kind": "measured", "name": "a|b", "seed": 1.0}, {"kind": "cited", "name": "c"}]
    columns = [Column("row", "name", "text"), Column("F1", "score", "score"), Column("seed", "seed", "whole")]
    assert markdown_table(rows, columns).splitlines() == [
        "| row   |   seed |",
        "|:------|-------:|",
        "| a\\|b  |      1 |",
    ]


@pytest.mark.parametrize(
    ("show", "value", "text"),
    [
        ("count", 22_713_216, "22.7 M"),
        ("count", 405_000_000_000, "405.0 B"),
        ("count", 999, "999"),
        ("percent", 0.0714, "7.1 %"),
        ("minutes", 90.0, "1.5"),
        (
            "difference",
            {"value": 0.065, "low": -0.01, "high": 0.1, "p": 0.0002},
            "+0.065 [-0.010, +0.100], p < 0.001",
        ),
        ("interval", {"value": 0.75, "low": None, "high": None}, "0.750"),
    ],
)
def test_values_are_shown_with_their_units(show: str, value: Any, text: str) -> None:
    assert formatter(show)(value) == text


def test_a_key_with_a_dot_is_found_at_the_end_of_a_path() -> None:
    row: Row = {"scores": {"false_alarms/0.01": 0.02, "f1": 0.5}}
    assert find(row, "scores.false_alarms/0.01") == 0.02
    assert find(row, "scores.f1") == 0.5
    assert find(row, "scores.f1.low") is None
    assert find(row, "score") is None


def test_an_unknown_way_to_show_is_named() -> None:
    with pytest.raises(UserError, match=r"'scor' is unknown \(did you mean 'score'\?\)"):
        formatter("scor")


def divided(name: str, seed: int, *, f1: float, documents: str) -> Record:
    """A run on documents of its own: one of four tokens, f1 of them right."""
    right = 4 * f1
    counts = Counts(["PER"], ["tp", "predicted", "gold"], {documents: [right, 4, 4]})
    data = DataFacts("FiNER-ORD", "CC BY-NC 4.0", "test", "d" * 64, num_examples=seed, num_documents=1)
    id = f"{name}-seed{seed}-0a1b2c3d"
    return make_record(id=id, name=name, seed=seed, scores={"f1": Score(f1)}, counts=counts, data=data)


def test_rows_that_divide_the_data_anew_in_each_run_are_paired_by_seed() -> None:
    ours = [divided("ours", seed, f1=0.75, documents=f"d{seed}") for seed in (1, 2)]
    theirs = [divided("theirs", seed, f1=0.5, documents=f"d{seed}") for seed in (1, 2)]
    assert [len(group) for group in group_runs([*ours, *theirs])] == [2, 2]
    left, right = sample_row(ours, statistic=micro_f1), sample_row(theirs, statistic=micro_f1)
    assert record_row(ours, left)["score"] == {"value": 0.75, "low": 0.75, "high": 0.75}
    found = compare_rows(left, right)
    assert found == {"value": 0.25, "low": 0.25, "high": 0.25, "p": 0.5}
    with pytest.raises(UserError, match="have other seeds"):
        compare_rows(left, sample_row(theirs[:1], statistic=micro_f1))


def test_a_point_of_a_learning_curve_needs_its_row(tmp_path: Path, conf: Path, boards: Path) -> None:
    row = seed_record(1, d2=[6, 6, 6], f1=0.8)
    assert row.training
    point = replace(
        row, id="point", experiment="ner/learning_curve", training=replace(row.training, examples=25)
    )
    with pytest.raises(UserError, match="learning curve of 'tiny \\+ LoRA': publish that row first"):
        publish_rows(tmp_path, point, conf=conf, boards=boards)
    assert not list(boards.glob("records/*/*"))
    publish_rows(tmp_path, row, point, conf=conf, boards=boards)
    (section,) = read_sections("ner", boards, conf=conf)
    assert [found["curve"] for found in section.rows if found["kind"] == "measured"] == [
        [[25, pytest.approx(0.8), pytest.approx(0.5), pytest.approx(1.0), 1]]
    ]
    for path in (boards / "records" / "ner").glob("tiny-seed1*"):
        path.unlink()
    with pytest.raises(UserError, match="belong to no published row"):
        read_sections("ner", boards, conf=conf)


def promised(seed: int, given: float, wrong: Score | None) -> Record:
    promise = Promise("spans", 0.05, 0.95, 0.9, coverage=0.8, num=500, correlation=0.1)
    kept = Kept(promise, num=100, coverage=given, risk=wrong, drift=0.4)
    return make_record(seed=seed, id=f"tiny-seed{seed}", promises=[kept])


def test_promises_of_a_row_are_means_over_its_runs_with_what_became_of_each() -> None:
    runs = [
        promised(1, 0.6, Score(0.04, 0.02, 0.07)),
        promised(2, 0.8, Score(0.06, 0.03, 0.09)),
        promised(3, 0.7, Score(0.08, 0.06, 0.1)),
    ]
    row = record_row(runs, sample_row(runs, statistic=micro_f1))
    own = row["promises"]["spans"]
    assert formatter("given")(own) == "70.0 %"
    assert formatter("wrong")(own) == "0.060 [0.037, 0.087]"
    assert formatter("verdict")(own) == "1 kept, 1 within chance, 1 broken"


def test_the_share_wrong_is_of_the_runs_that_gave_answers() -> None:
    runs = [promised(1, 0.6, Score(0.04, 0.02, 0.07)), promised(2, 0.0, None)]
    own = record_row(runs, sample_row(runs, statistic=micro_f1))["promises"]["spans"]
    assert (formatter("given")(own), formatter("wrong")(own)) == ("30.0 %", "0.040 [0.020, 0.070]")
    none = [promised(1, 0.0, None)]
    own = record_row(none, sample_row(none, statistic=micro_f1))["promises"]["spans"]
    assert (formatter("given")(own), formatter("wrong")(own)) == ("0.0 %", "none given")
    older = [runs[0], make_record(seed=2, id="tiny-seed2")]
    own = record_row(older, sample_row(older, statistic=micro_f1))["promises"]["spans"]
    assert (formatter("given")(own), formatter("verdict")(own)) == ("60.0 %", "1 kept, 1 not asked")
    assert record_row([make_record()], sample_row([make_record()], statistic=micro_f1))["promises"] == {}


def test_a_score_that_older_runs_lack_is_the_mean_of_those_that_have_it() -> None:
    newer = make_record(scores={"f1": Score(0.8), "precision": Score(0.6), "set_size": Score(1.5)})
    older = make_record(seed=2, id="tiny-seed2", scores={"f1": Score(0.8), "precision": Score(0.8)})
    row = record_row([newer, older], sample_row([newer, older], statistic=micro_f1))
    assert row["scores"] == pytest.approx({"f1": 0.8, "precision": 0.7, "set_size": 1.5})


def test_csv_opens_nested_values_to_their_numbers() -> None:
    rows: list[Row] = [{"promises": {"spans": {"5": {"given": 0.5, "verdict": "kept"}}}}, {"promises": {}}]
    columns = [Column("* given", "promises.*", "given")]
    assert csv_paths(columns, rows) == ["promises.spans.5.given", "promises.spans.5.verdict"]


def test_a_table_of_wildcards_alone_keeps_the_rows_that_have_values() -> None:
    rows: list[Row] = [
        {"name": "sure", "kind": "measured", "promises": {"spans": {"5": {"given": 0.5}}}},
        {"name": "older", "kind": "measured", "promises": {}},
    ]
    columns = [Column("row", "name", "text"), Column("* given", "promises.*", "given")]
    table = markdown_table(rows, columns)
    assert "50.0 %" in table and "older" not in table
