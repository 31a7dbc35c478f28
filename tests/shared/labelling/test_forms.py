"""Each task's form on the task's own sample: what is written is read again, merged, edited, exchanged."""

from pathlib import Path
from typing import Any

import pytest

from shared.compose import CONF, compose_run
from shared.errors import UserError
from shared.example_rows import prediction_row, read_prediction
from shared.labelling.argilla import argilla_records
from shared.labelling.contracts import Unreadable
from shared.labelling.drafts import Label
from shared.labelling.exchange import ARGILLA, LABEL_STUDIO, read_answers
from shared.labelling.folder import ACCEPT, Decision
from shared.labelling.label_studio import label_studio_config, label_studio_tasks
from shared.labelling.prompting import Prompter
from shared.labelling.replies import json_of

TASKS = sorted(path.stem for path in (CONF / "task").glob("*.yaml"))
EACH_TASK = pytest.mark.parametrize("task", TASKS)


def sample(task: str) -> tuple[Any, list[Any]]:
    config = compose_run(task, [])
    return config.form.bind(config.data.types()), config.data.load("train")[:30]


def judged(example: Any) -> bool:
    """Whether the reply can say the example's gold: passages that are not shown have no number."""
    shown = {passage.id for passage in getattr(example, "passages", ())}
    return all(name in shown for name in example.relevant()) if hasattr(example, "relevant") else True


@EACH_TASK
def test_a_reply_that_says_gold_is_read_as_gold(task: str) -> None:
    form, examples = sample(task)
    for example in filter(judged, examples):
        gold = example.gold()
        if task in ("summarization", "query_generation") and not gold.key:
            continue
        reading = form.read(form.written(example, gold), example)
        assert form.labelled(form.blank(example), reading.prediction).gold().key == gold.key
        assert read_prediction(prediction_row(reading.prediction)).key == reading.prediction.key


@EACH_TASK
def test_equal_answers_merge_into_themselves_without_disagreement(task: str) -> None:
    form, examples = sample(task)
    for example in examples[:5]:
        merged = form.merge([example.gold()] * 3)
        assert merged.confidence == 1.0 and merged.prediction.id == example.id
        assert merged.doubt <= form.merge([example.gold()]).doubt


@EACH_TASK
def test_a_prompt_shows_the_labels_the_likest_examples_and_the_text_alone_at_the_end(task: str) -> None:
    form, examples = sample(task)
    target = form.blank(examples[0])
    messages = Prompter(form, examples).messages(target)
    assert messages[0]["role"] == "system" and len(messages) == 2 + 2 * form.prompt.shots
    assert target.text in messages[-1]["content"]
    assert all(target.text not in message["content"] for message in messages[:-1])
    for label in form.labels() if task in ("ner", "ontology") else []:
        assert label["name"] in messages[0]["content"]


@EACH_TASK
@pytest.mark.parametrize("nonsense", [None, [], "yes", 7, {}, {"anomalous": "maybe"}, {"relevant": "1"}])
def test_nonsense_is_unreadable_and_never_an_answer(task: str, nonsense: object) -> None:
    form, examples = sample(task)
    if task == "ner" and nonsense == []:
        return  # a list without an entity is an answer
    with pytest.raises(Unreadable):
        form.read(nonsense, examples[0])


@EACH_TASK
def test_what_the_editor_shows_is_taken_back_and_nonsense_refused(task: str) -> None:
    form, examples = sample(task)
    example = next(one for one in examples if one.gold().key and judged(one))
    editor = form.editor(example, example.gold())
    value = {
        "spans": lambda: [span[:3] for span in editor["spans"]],
        "lines": lambda: editor["lines"],
        "facets": lambda: {
            facet["name"]: facet["chosen"] if facet["value"] is None else facet["value"]
            for facet in editor["facets"]
        },
    }[editor["kind"]]()
    assert form.edited(example, value).key == example.gold().key
    with pytest.raises(UserError):
        form.edited(example, "nonsense")


@EACH_TASK
@pytest.mark.parametrize("tool", [LABEL_STUDIO, ARGILLA])
def test_decisions_come_back_from_another_tools_file(task: str, tool: str, tmp_path: Path) -> None:
    import json

    form, examples = sample(task)
    chosen = [one for one in examples if judged(one) and one.gold().key][:5]
    labels = [
        Label(form.blank(one) if tool != ARGILLA else one, draft=one.gold(), voices=1) for one in chosen
    ]
    stands = {
        (one.id, "ada"): Decision(one.id, "ada", ACCEPT, one.gold(), "2026-01-31T12:00:00", 2.0)
        for one in chosen
    }
    make = argilla_records if tool == ARGILLA else label_studio_tasks
    path = tmp_path / "out.json"
    path.write_text(json.dumps(make(labels, stands, form)), encoding="utf-8")
    found = read_answers(path, tool, labels=labels, form=form)
    assert [one.prediction.key for one in found] == [one.gold().key for one in chosen]
    assert {one.action for one in found} == {ACCEPT}
    assert label_studio_config(form, chosen[0]).startswith("<View>")


def test_offsets_of_label_studio_count_as_browsers_do(tmp_path: Path) -> None:
    import json

    from tests.shared.labelling.labellings import form as span_form
    from tests.shared.labelling.labellings import spans, text

    example = text("a", "\N{ROCKET} Orla rose")
    tasks = label_studio_tasks([Label(example, draft=spans("a", (2, 6, "ORG")))], {}, span_form())
    value = tasks[0]["predictions"][0]["result"][0]["value"]
    assert (value["start"], value["end"], value["text"]) == (3, 7, "Orla")
    tasks[0]["annotations"] = [{"completed_by": 7, "result": tasks[0]["predictions"][0]["result"]}]
    path = tmp_path / "back.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    found = read_answers(path, LABEL_STUDIO, labels=[Label(example)], form=span_form())
    assert found[0].prediction == spans("a", (2, 6, "ORG")) and found[0].reviewer == "7"


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure! ```json\n{"a": [1, 2]}\n``` Anything else?', {"a": [1, 2]}),
        ("<think>{no}</think> [3]", [3]),
        ('{"a": {"b": 1}', {"b": 1}),
    ],
)
def test_json_is_found_in_what_stands_around_it(reply: str, value: object) -> None:
    assert json_of(reply) == value


@pytest.mark.parametrize(("reply", "why"), [("", "no JSON"), ('{"entities": [{"text"', "half a JSON")])
def test_a_reply_without_json_says_why(reply: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        json_of(reply)


def test_lines_without_a_word_or_said_twice_are_left_out_and_counted() -> None:
    form, examples = sample("query_generation")
    reading = form.read({"queries": ["...", "What fell?", " What  fell? "]}, examples[0])
    assert reading.prediction.queries == ("What fell?",)
    assert reading.faults == {"line said twice or without a word": 2}
    with pytest.raises(Unreadable, match="no line"):
        form.read({"queries": ["..."]}, examples[0])
