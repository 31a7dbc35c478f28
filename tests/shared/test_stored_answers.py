"""Answers of another system: all of a split's, once each, and priced by the tokens it was paid for."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.errors import ConfigError, DataError, UserError
from shared.labelling.folder import read_answers
from shared.labelling.verbs import label
from shared.stored_answers import StoredAnswers

ALL = [f"test-{number}" for number in range(70)]


def system(file: Path | str, **changes: Any) -> StoredAnswers:
    values = {"name": "big", "run": 1, "priced_as": "", "input_tokens": None, "output_tokens": None}
    return StoredAnswers(file=str(file), **{**values, **changes})


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_answers_come_in_the_order_of_the_examples_with_what_was_paid_for(tmp_path: Path) -> None:
    data = compose_run("ner", []).data
    examples = data.load("test")
    span = {"start": 0, "end": 5, "label": "company"}
    path = write(tmp_path / "a.jsonl", *({"id": own.id, "spans": [span]} for own in reversed(examples)))
    paid = {"priced_as": "gpt-4o-2024-08-06", "input_tokens": 400.5, "output_tokens": 20.0}
    found = system(path, **paid).answer(data, examples)
    assert [own.id for own in found.predictions] == [own.id for own in examples]
    assert found.notes == {"run": 1, **paid}
    assert system(path).answer(data, examples).notes == {"run": 1}


@pytest.mark.parametrize(
    ("ids", "answer", "said"),
    [
        (ALL[1:], {"spans": []}, "69 predictions do not answer the 70 examples one by one.*: test-0$"),
        ([*ALL, "other"], {"spans": []}, "71 predictions do not answer.*: other$"),
        ([*ALL, "test-3"], {"spans": []}, "71 predictions do not answer.*: duplicates$"),
        (ALL, {"facets": []}, "test-0 has a FacetPrediction, where a SpanPrediction belongs$"),
    ],
)
def test_a_file_that_is_not_the_splits_is_refused(
    tmp_path: Path, ids: list[str], answer: dict[str, Any], said: str
) -> None:
    data = compose_run("ner", []).data
    path = write(tmp_path / "a.jsonl", *({"id": name, **answer} for name in ids))
    with pytest.raises(DataError, match=rf"a\.jsonl: {said}"):
        system(path).answer(data, data.load("test"))


def test_a_line_that_is_no_answer_is_named(tmp_path: Path) -> None:
    data = compose_run("ner", []).data
    path = write(tmp_path / "a.jsonl", {"id": "test-0", "spans": []}, {"id": "test-1"})
    with pytest.raises(UserError, match=r"a\.jsonl:2: no prediction"):
        system(path).answer(data, data.load("test"))


def test_what_is_missing_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"baseline\.name is empty[\s\S]*baseline\.file is empty"):
        compose_run("ontology", ["baseline=answers"])
    with pytest.raises(ConfigError, match=r"baseline\.priced_as takes baseline\.input_tokens"):
        system("a", priced_as="gpt-4o-2024-08-06", input_tokens=3.0)
    with pytest.raises(UserError, match=r"'gpt-4p' has no price.*did you mean 'gpt-4o"):
        system("a", priced_as="gpt-4p", input_tokens=3.0, output_tokens=1.0)
    data = compose_run("ner", []).data
    with pytest.raises(DataError, match=r"none\.jsonl: no such file; it should hold the answers of big"):
        system(tmp_path / "none.jsonl").answer(data, data.load("test"))


def test_as_a_teacher_it_costs_what_its_bill_says(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *({"id": name, "spans": []} for name in ALL))
    words = [f"labelling.folder='{tmp_path}/labels'", "labelling.split=test", "baseline=answers"]
    words += ["baseline.name=big", f"baseline.file='{path}'", "baseline.priced_as=gpt-4o-2024-08-06"]
    words += ["baseline.input_tokens=400", "baseline.output_tokens=20"]
    label(compose_run("ner", words), overrides=[])
    found = read_answers(tmp_path / "labels")
    assert [answer.dollars for answer in found] == pytest.approx([(400 * 2.5 + 20 * 10) / 1e6] * len(ALL))
