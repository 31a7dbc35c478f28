"""A labelling's folder, its queue, its division, training on it: by hand, and by the command line."""

import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from shared.batches import epoch_batches
from shared.compose import compose_run
from shared.errors import ConfigError, DataError, UserError
from shared.labelling.audit import two_ways
from shared.labelling.confident_learning import likely_classes, noise_matrix
from shared.labelling.contracts import Answer
from shared.labelling.desk import Desk, is_shared
from shared.labelling.division import divide
from shared.labelling.drafts import Label, Status, read_labels
from shared.labelling.folder import (
    ACCEPT,
    ANSWERS,
    CORRECT,
    DECISIONS,
    REJECT,
    UNDO,
    About,
    Decision,
    add_decisions,
    claim,
    read_answers,
    read_decisions,
    settled,
    standing,
)
from shared.labelling.log import Log
from shared.labelling.queue import by_doubt, most_informative
from shared.labelling.teachers import BaselineTeacher
from shared.labelling.verbs import teacher_of
from tests.command_line import command_line
from tests.shared.labelling.labellings import ORLA, form, make_labelling, spans, text
from tests.shared.short_base import SHORT_ENCODER

ROOT = Path(__file__).resolve().parents[3]
DRAFT = spans("a", (0, 9, "ORG"))


def decision(name: str, reviewer: str, action: str, at: int = 0) -> Decision:
    answer = None if action in (REJECT, UNDO) else spans(name, (0, 9, "ORG"))
    return Decision(name, reviewer, action, answer, f"2026-01-31T12:00:{at:02}")


def test_answers_come_back_and_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    folder = make_labelling(tmp_path, Answer("a", "one", DRAFT, faults={"not in the text": 1}, dollars=0.5))
    with (folder / ANSWERS).open("ab") as file:
        file.write(b'{"id": "a", "by": "tw')
    whole = [Answer("a", "one", DRAFT, faults={"not in the text": 1}, dollars=0.5)]
    assert read_answers(folder) == whole
    make_labelling(folder, Answer("a", "two", None, why="no JSON"))
    assert read_answers(folder) == [*whole, Answer("a", "two", None, why="no JSON")]


def test_a_damaged_line_is_named_with_its_place(tmp_path: Path) -> None:
    folder = make_labelling(tmp_path, Answer("a", "one", DRAFT))
    (folder / DECISIONS).write_text('{"id": "a", "action": "burn"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"decisions.jsonl:1: .*burn"):
        read_decisions(folder)


def test_two_processes_cannot_write_one_log(tmp_path: Path) -> None:
    with Log(tmp_path / "log"), pytest.raises(UserError, match="another process writes to it"):
        Log(tmp_path / "log")


def test_a_folder_keeps_its_texts_and_refuses_other_labels_and_other_texts(tmp_path: Path) -> None:
    folder = make_labelling(tmp_path)
    make_labelling(folder, texts=[text("b", "Ada.")])
    assert [label.example.id for label in read_labels(folder, form())] == ["a", "b"]
    with pytest.raises(UserError, match="id 'a' is another text"):
        make_labelling(folder, texts=[text("a", "Other.")])
    with pytest.raises(UserError, match="types is"):
        claim(folder, About("ner", "", "", "yours", {"LOC": "location"}), [])


def test_an_undo_takes_back_the_decision_before_it() -> None:
    first, second = decision("a", "ada", ACCEPT), decision("a", "ada", CORRECT, 1)
    other = decision("a", "bo", REJECT, 2)
    undo = decision("a", "ada", UNDO, 3)
    assert standing([first, second, undo]) == {("a", "ada"): first}
    assert standing([first, undo]) == {}
    assert settled([first, other])["a"] == other
    assert settled([first, other, second])["a"] == second


def test_what_stands_of_a_text(tmp_path: Path) -> None:
    texts = [text(name, ORLA) for name in "abcd"]
    folder = make_labelling(
        tmp_path,
        Answer("a", "one", DRAFT),
        Answer("b", "one", None, why="no JSON"),
        Answer("c", "one", spans("c")),
        Answer("d", "one", spans("d")),
        texts=texts,
    )
    with Log(folder / DECISIONS) as log:
        add_decisions(log, [decision("c", "ada", CORRECT), decision("d", "ada", REJECT)])
    labels = read_labels(folder, form())
    assert [label.status for label in labels] == [
        Status.drafted,
        Status.blank,
        Status.reviewed,
        Status.rejected,
    ]
    assert labels[2].prediction == spans("c", (0, 9, "ORG")) and labels[3].prediction is None
    with pytest.raises(UserError, match="has not answered"):
        read_labels(folder, form(), lead="two")


def test_blank_texts_come_first_then_the_doubtful_and_neighbours_differ() -> None:
    def drafted(number: int, words: str, doubt: float) -> Label:
        return Label(text(str(number), words), spans(str(number)), doubt=doubt)

    labels = [drafted(0, "a", 0.1), drafted(1, "b", 0.9), Label(text("2", "c"), doubt=1.0)]
    assert [label.example.id for label in by_doubt(labels)] == ["2", "1", "0"]
    alike = [
        drafted(k, "bank profit rose again" if k < 40 else "rain fell in the north", 0.5) for k in range(80)
    ]
    order = [int(label.example.id) < 40 for label in most_informative(alike, seed=1)]
    assert sum(order) == 40
    assert any(left != right for left, right in itertools.pairwise(order[:8]))


def test_documents_are_divided_into_folds_of_about_as_many_texts() -> None:
    sizes = {f"d{number}": 1 + number % 7 for number in range(60)}
    parts = [divide(sizes, folds=5, fold=fold, validation_share=0.1) for fold in range(1, 6)]
    tests = [{document for document, part in own.items() if part == "test"} for own in parts]
    assert set.union(*tests) == set(sizes) and sum(map(len, tests)) == 60
    texts = [sum(sizes[document] for document in own) for own in tests]
    assert max(texts) - min(texts) <= 7
    for own in parts:
        validation = sum(sizes[document] for document, part in own.items() if part == "validation")
        rest = sum(sizes[document] for document, part in own.items() if part != "test")
        assert 0.1 * rest <= validation <= 0.1 * rest + 7
    assert set(divide(sizes, folds=0, fold=0, validation_share=0.1).values()) == {"train", "validation"}


def test_a_weight_says_how_often_an_epoch_reads_a_row() -> None:
    counts: Counter[int] = Counter()
    for epoch in range(400):
        batches = epoch_batches([3, 3, 3], budget=6, seed=1, epoch=epoch, weights=[2.0, 0.25, 0.0])
        counts.update(index for batch in batches for index in batch)
    assert counts[0] == 800 and 70 <= counts[1] <= 130 and counts[2] == 0


def test_a_label_is_doubted_where_another_class_is_as_sure_as_its_own_members() -> None:
    given = np.array([0, 0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    # thresholds: class 0 (0.9 + 0.8 + 0.2) / 3 = 0.633, class 1 (0.7 + 0.6) / 2 = 0.65
    assert likely_classes(given, probabilities).tolist() == [0, 0, 1, 1, 1]
    matrix = noise_matrix(given, np.array([0, 0, 1, 1, 1]), num_classes=2)
    assert matrix.tolist() == [[0.4, 0.2], [0.0, 0.4]]


def test_words_labelled_in_two_ways_are_listed_also_where_they_have_no_label() -> None:
    labels = [
        Label(text("a", "Orla rose."), spans("a", (0, 4, "ORG"))),
        Label(text("b", "Orla fell."), spans("b", (0, 4, "PER"))),
        Label(text("c", "Ada met Orla."), spans("c", (0, 3, "PER"))),
    ]
    assert two_ways(labels) == [("Orla", Counter({"ORG": 1, "PER": 1, "no entity": 1}))]


def test_a_text_is_shown_to_one_reviewer_unless_several_are_to_see_it(tmp_path: Path) -> None:
    labels = [Label(text(name, ORLA), spans(name)) for name in "abcdefgh"]
    with Log(tmp_path / DECISIONS) as log:
        desk = Desk(labels, [], form(), log, copies=2, shared=0.5)
        both = [label.example.id for label in labels if is_shared(label.example.id, 0.5)]
        assert 0 < len(both) < 8
        assert desk.next("ada") == "a" and desk.next("bo") == "b"
        seen: dict[str, list[str]] = {"ada": [], "bo": []}
        for reviewer, own in seen.items():
            desk.leases.clear()
            while name := desk.next(reviewer):
                desk.decide(name, reviewer, value=[[0, 9, "ORG"]], rejected=False, seconds=1.0)
                own.append(name)
        assert seen == {"ada": list("abcdefgh"), "bo": both}
        assert desk.undo("bo") == both[-1] and desk.next("bo") == both[-1]
        with pytest.raises(UserError, match="a name of 1 to 64"):
            desk.decide("a", " ", value=[], rejected=False, seconds=0)


def run(*words: str, code: int = 0) -> str:
    done = command_line(*words)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.mark.usefixtures("short_encoder")
def test_from_a_teacher_to_a_student_on_the_command_line(tmp_path: Path) -> None:
    """A dictionary drafts the sample, gold reviews a share, a student is trained, folds are scored."""
    folder, reviewed = tmp_path / "labels", tmp_path / "reviewed"
    place = [f"labelling.folder='{folder}'", f"runs_dir='{tmp_path}/runs'"]
    said = run("tasks.ner", "label", "baseline=dictionary", "labelling.split=test", *place)
    assert "70 answers" in said
    none = run(
        "tasks.ner",
        "label",
        "data=jsonl",
        "data.labels={ORG: x}",
        "teacher=local",
        "teacher.model=m",
        *place,
        f"labelling.input='{ROOT}/README.md'",
        code=2,
    )
    assert "is another labelling: " in none
    assert "0 texts" in run("tasks.ner", "label", "baseline=dictionary", "labelling.split=test", *place)
    asked = [f"rehearse.into='{reviewed}'", "rehearse.share=0.4", "rehearse.order=chance"]
    assert "28 of 70 texts decided by gold" in run("tasks.ner", "rehearse", *place, *asked)
    assert "is there already" in run("tasks.ner", "rehearse", *place, *asked, code=2)
    out = tmp_path / "out.json"
    run("tasks.ner", "exchange", f"labelling.folder='{reviewed}'", f"exchange.write='{out}'")
    assert sum(bool(task["annotations"]) for task in json.loads(out.read_text(encoding="utf-8"))) == 28
    again = run("tasks.ner", "exchange", f"labelling.folder='{folder}'", f"exchange.read='{out}'")
    assert "28 decisions" in again
    student = [
        *("data=labelled", "data@source=sample", f"data.folder='{reviewed}'", "data.name=folds"),
        *(
            "data.human=0",
            "train.epochs=1",
            "train.max_steps=2",
            *SHORT_ENCODER,
            f"runs_dir='{tmp_path}/runs'",
        ),
    ]
    assert "of the test split" in run("tasks.ner", "train", *student, code=2)
    said = run("tasks.ner", "crossvalidate", *student, "data.folds=2", "data.drafted=0.5")
    assert "2 folds of test, folds" in said and "trained already" not in said
    record = json.loads(max((tmp_path / "runs" / "ner").glob("*/record.json")).read_text(encoding="utf-8"))
    assert record["data"]["num_examples"] == 70 and record["coverage"]["reviewed_share"] == 0.4
    assert record["training"]["notes"] == {"trainings": 2}
    assert "trained already" in run(
        "tasks.ner", "crossvalidate", *student, "data.folds=2", "data.drafted=0.5"
    )


def test_a_labelling_trains_with_peoples_labels_beside_and_says_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    compose = [f"data.folder='{folder}'", "data=labelled", "data@source=sample", "data.drafted=0.25"]
    texts = tmp_path / "texts.txt"
    texts.write_text("Orla Bank fell.\nNothing here.\n", encoding="utf-8")
    run(
        "tasks.ner",
        "label",
        "baseline=dictionary",
        f"labelling.folder='{folder}'",
        f"labelling.input='{texts}'",
    )
    data = compose_run("ner", compose).data
    training = data.load("train")
    own = [example for example in training if example.id in ("labelled:0", "labelled:1")]
    assert len(own) == 2 and len(training) > 100
    assert {data.weight(example) for example in own} == {0.25} and data.weight(training[-1]) == 1.0
    assert "2 drafted (weight 0.25)" in data.report()
    assert data.load("validation") and data.load("test")
    with pytest.raises(ConfigError, match=r"data.source is empty"):
        compose_run("ner", [f"data.folder='{folder}'", "data=labelled"]).data.load("test")


def test_stored_replies_are_read_with_what_they_cost_and_a_reply_to_no_text_is_an_error(
    tmp_path: Path,
) -> None:
    texts, replies = tmp_path / "texts.txt", tmp_path / "replies.jsonl"
    texts.write_text("Orla Bank fell.\nNothing here.\n", encoding="utf-8")
    said = {"entities": [{"text": "Orla Bank", "label": "company"}]}
    rows = [{"id": "0", "reply": json.dumps(said), "dollars": 0.25}, {"id": "1", "reply": "No."}]
    replies.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    words = [
        *("tasks.ner", "label", f"labelling.folder='{tmp_path}/labels'", f"labelling.input='{texts}'"),
        *("teacher=stored", f"teacher.file='{replies}'"),
    ]
    assert "1 not read (no JSON)" in run(*words)
    first, second = read_answers(tmp_path / "labels")
    assert first.prediction == spans("0", (0, 9, "company")) and first.dollars == 0.25
    assert second.prediction is None
    replies.write_text('{"id": "7", "reply": "{}"}\n', encoding="utf-8")
    assert f"{replies}:1: a reply to '7'" in run(*words, code=2)


def test_audit_finds_the_one_label_that_is_unlike_all_others(tmp_path: Path) -> None:
    """The untuned base and folds of documents: a person's name that is labelled as a company is suspected."""
    names = ["Ada Lind", "Bo Ek", "Kim Roos", "Eva Holm", "Jon Berg", "Liv Dahl"] * 4
    texts = [
        text(str(k), f"On Monday {name} hired the lawyers of Orla Bank.") for k, name in enumerate(names)
    ]
    answers = []
    for k, example in enumerate(texts):
        bank = example.text.index("Orla")
        person = (10, 10 + len(names[k]), "ORG" if k == 7 else "PER")
        answers.append(Answer(str(k), "one", spans(str(k), person, (bank, bank + 9, "ORG"))))
    folder = make_labelling(tmp_path / "labels", *answers, texts=texts)
    said = run("tasks.ner", "audit", f"labelling.folder='{folder}'", "hardware.threads=1")
    suspects = [json.loads(line) for line in (folder / "suspects.jsonl").read_text("utf-8").splitlines()]
    assert {(row["unit"]["text"], row["likely"]) for row in suspects} == {("7", "PER")}
    assert "Bo Ek: PER 3, ORG 1" in said


def test_a_source_with_other_labels_or_a_labelling_that_changed_is_refused(tmp_path: Path) -> None:
    folder = make_labelling(tmp_path / "labels", Answer("a", "one", DRAFT))
    words = ["data=labelled", f"data.folder='{folder}'"]
    with pytest.raises(ConfigError, match="sample has other labels"):
        compose_run("ner", [*words, "data@source=sample"]).data.load("train")
    with pytest.raises(ConfigError, match="labels came to it since"):
        compose_run("ner", [*words, "data.state=abc"]).data.load("train")


def test_the_licence_is_that_of_the_texts_and_of_the_labels_beside_them(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("Orla Bank fell.\n", encoding="utf-8")
    folder = tmp_path / "labels"
    run(
        "tasks.ner",
        "label",
        "baseline=dictionary",
        f"labelling.folder='{folder}'",
        f"labelling.input='{texts}'",
    )
    words = ["data=labelled", f"data.folder='{folder}'", "data@source=sample"]
    assert compose_run("ner", words).data.licence == "yours; that of this project"
    assert compose_run("ner", [*words, "data.human=0"]).data.licence == "yours"


@pytest.mark.parametrize(
    ("name", "by", "dollars"),
    [("gpt_4o", "GPT-4o, run 1", (2.5, 10.0)), ("dictionary", "dictionary of train", (0.0, 0.0))],
)
def test_a_baseline_costs_what_the_tables_say_its_model_costs(
    name: str, by: str, dollars: tuple[float, float]
) -> None:
    teacher = teacher_of(compose_run("ner", [f"baseline={name}"]))
    assert isinstance(teacher, BaselineTeacher)
    assert (teacher.by, teacher.dollars_per_million) == (by, dollars)
