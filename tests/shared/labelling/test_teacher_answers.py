"""A teacher's answers to a split are a row: what it said, nothing where that was not read, its tokens."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.errors import ConfigError, DataError, UserError
from shared.examples import aligned
from shared.labelling import verbs
from shared.labelling.contracts import Answer
from shared.labelling.teacher_answers import TeacherAnswers
from tests.shared.labelling.labellings import ORLA, make_labelling, spans, text

BANK = (0, 9, "ORG")


def told(folder: Path, **changes: str) -> TeacherAnswers:
    return TeacherAnswers(**{"folder": str(folder), "by": "", "priced_as": "", **changes})


def data_of(folder: Path, **texts: str) -> Any:
    """Data whose test split has these texts."""
    rows = [json.dumps({"id": name, "text": words, "spans": []}) for name, words in texts.items()]
    (folder / "test.jsonl").write_text("\n".join(rows), encoding="utf-8")
    words = ["data=jsonl", f"data.test='{folder}/test.jsonl'", "data.labels={ORG: organisation, PER: person}"]
    return compose_run("ner", words).data


@pytest.mark.parametrize(
    ("task", "words", "teacher"),
    [
        ("ner", [], "dictionary"),
        ("ontology", [], "majority"),
        ("summarization", [], "lead_3"),
        ("reranking", ["data.depth=5"], "first_stage"),
        ("query_generation", [], "first_words"),
    ],
)
def test_what_label_kept_is_what_the_teacher_said(
    task: str, words: list[str], teacher: str, tmp_path: Path
) -> None:
    place = [f"labelling.folder='{tmp_path}/labels'", "labelling.split=test", *words]
    config = compose_run(task, [*place, f"baseline={teacher}"])
    verbs.label(config, overrides=[])
    examples = config.data.load("test")
    expected = config.baseline.answer(config.data, examples) if config.baseline else None
    asked = compose_run(task, [*words, "baseline=teacher", f"baseline.folder='{tmp_path}/labels'"])
    assert expected and asked.baseline and asked.baseline.name == config.baseline.name  # type: ignore[union-attr]
    found = asked.baseline.answer(asked.data, examples)
    assert [own.key for own in found.predictions] == [own.key for own in expected.predictions]
    assert found.notes == {"unparsed_share": 0.0}


def test_a_reply_that_was_not_read_is_no_answer_and_its_words_are_counted(tmp_path: Path) -> None:
    paid = {"input_tokens": 300.0, "output_tokens": 20.0, "dollars": 0.1}
    answers = [Answer("a", "gpt-4o-mini", spans("a", BANK), **paid)]
    answers += [Answer("b", "gpt-4o-mini", None, why="no JSON", input_tokens=100.0)]
    folder = make_labelling(tmp_path / "labels", *answers, texts=[text("a", ORLA), text("b", "No, no.")])
    data = data_of(tmp_path, b="No, no.", a=ORLA)
    examples = data.load("test")
    found = told(folder).answer(data, examples)
    assert [own.key for own in found.predictions] == [spans("b").key, spans("a", BANK).key]
    assert len(aligned(examples, found.predictions)) == 2
    assert found.notes == {
        "unparsed_share": 2 / 10,
        "input_tokens": 200.0,
        "output_tokens": 10.0,
        "priced_as": "gpt-4o-mini",
    }
    other = told(folder, priced_as="gpt-4o-2024-08-06").answer(data, examples)
    assert other.notes["priced_as"] == "gpt-4o-2024-08-06"


def test_one_of_several_teachers_is_chosen_by_name(tmp_path: Path) -> None:
    answers = [Answer("a", "one", spans("a", BANK)), Answer("a", "two", spans("a"))]
    folder = make_labelling(tmp_path / "labels", *answers)
    data = data_of(tmp_path, a=ORLA)
    assert told(folder, by="two").answer(data, data.load("test")).predictions[0].spans == ()
    with pytest.raises(UserError, match=r"baseline\.by='';.*answers of: one, two$"):
        told(folder).answer(data, data.load("test"))
    with pytest.raises(UserError, match=r"baseline\.by='tow' \(did you mean 'two'\?\)"):
        told(folder, by="tow").answer(data, data.load("test"))


def test_texts_that_were_not_asked_and_other_labels_are_refused(tmp_path: Path) -> None:
    folder = make_labelling(tmp_path / "labels", Answer("a", "one", spans("a", BANK)))
    for texts in ({"a": ORLA, "c": "More."}, {"a": ORLA, "c": ORLA}):
        data = data_of(tmp_path, **texts)
        with pytest.raises(DataError, match="one has not answered 1 of 2 texts, the first is 'c'"):
            told(folder).answer(data, data.load("test"))
    data = data_of(tmp_path, a="Another text with this id.")
    with pytest.raises(DataError, match="one has not answered 1 of 1 texts"):
        told(folder).answer(data, data.load("test"))
    sample = compose_run("ner", []).data
    with pytest.raises(UserError, match="other labels than those of sample"):
        told(folder).answer(sample, sample.load("test"))
    with pytest.raises(ConfigError, match=r"baseline\.folder is empty"):
        compose_run("ner", ["baseline=teacher"])
