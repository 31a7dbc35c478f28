import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.examples import AnomalyExample
from tasks.anomaly.data import read_stream
from tasks.anomaly.splits import folded
from tests.tasks.anomaly.adapters import adapter


def lines(folder: Path, content: str, labels: str = "", suffix: str = "log", **settings: Any) -> Any:
    """Return the adapter on a file with this content, in order of time, all anomalies known."""
    (folder / f"app.{suffix}").write_bytes(content.encode())
    if labels:
        (folder / "labels.txt").write_bytes(labels.encode())
        settings["labels"] = str(folder / "labels.txt")
    values = {"file": str(folder / f"app.{suffix}"), "protocol": "time", "known": None, **settings}
    return adapter("lines", **values)


def table(folder: Path, content: str, suffix: str = "csv", **settings: Any) -> Any:
    """Return the adapter on a training file with this content, all anomalies known."""
    (folder / f"train.{suffix}").write_bytes(content.encode())
    return adapter("table", train=str(folder / f"train.{suffix}"), **{"known": None, **settings})


def normal(id: str, *texts: str, group: str = "") -> AnomalyExample:
    return AnomalyExample(id, texts, False, group=group, document=id)


def odd(id: str, *texts: str, kind: str = "") -> AnomalyExample:
    return AnomalyExample(id, texts, True, kind, document=id)


def test_plain_lines_are_normal_and_blank_ones_are_counted(tmp_path: Path) -> None:
    data = lines(tmp_path, "\ufeffone\r\ntwo\r\n\r\nthree\r\nfour\r\nfive")
    assert data.load("train") == [
        normal("line-1", "one"),
        normal("line-2", "two"),
        normal("line-4", "three"),
    ]
    assert data.load("validation") == [normal("line-5", "four")]
    assert data.load("test") == [normal("line-6", "five")]
    assert data.report().splitlines()[-1] == "blank lines left out: 1"


def test_a_labels_file_says_which_lines_are_anomalies_and_of_which_nobody_knows(tmp_path: Path) -> None:
    data = lines(tmp_path, "one\ntwo\nthree\nfour\nfive\n", labels="0\nAnomaly\n\n-\n1\n")
    assert data.load("train") == [normal("line-1", "one"), odd("line-2", "two")]
    assert data.load("test") == [odd("line-5", "five")]
    assert [path.name for path in data.files("test")] == ["app.log", "labels.txt"]
    assert data.report().splitlines()[3].split() == ["train", "2", "1", "1", "0", "0", "1"]


def test_json_lines_have_labels_kinds_groups_and_windows(tmp_path: Path) -> None:
    rows = [
        {"text": "one", "anomalous": False, "group": "E1"},
        {"texts": ["two", "three"], "anomalous": True, "kind": "late", "id": 7},
        {"text": "four", "anomalous": None},
        {"text": "five", "anomalous": False},
        {"text": "six", "anomalous": True},
    ]
    data = lines(tmp_path, "\n".join(map(json.dumps, rows)), suffix="jsonl")
    assert data.load("train") == [
        normal("line-1", "one", group="E1"),
        odd("7", "two", "three", kind="late"),
    ]
    assert [item.id for split in SPLITS[1:] for item in data.load(split)] == ["line-4", "line-5"]


@pytest.mark.parametrize(
    ("content", "labels", "problem"),
    [
        ("", "", "app.log: the file holds no text"),
        ("\n \n", "", "app.log: the file holds no text"),
        (
            "a\nb\n",
            "0\nbad\n",
            "labels.txt:2: unknown label 'bad'; data.anomaly_words: anomaly, anomalous, true, yes, 1; "
            "data.normal_words: normal, false, no, 0, -",
        ),
        (
            "a\n",
            "norml\n",
            "labels.txt:1: unknown label 'norml' (did you mean 'normal'?); data.anomaly_words: anomaly, "
            "anomalous, true, yes, 1; data.normal_words: normal, false, no, 0, -",
        ),
        ("a\nb\n", "0\n", "labels.txt: has 1 lines; {folder}/app.log has more, a label for each"),
        ("a\n", "0\n1\n", "labels.txt: has 2 lines; {folder}/app.log has 1, a label for each"),
        (
            "a\nb\nc\n",
            "1\n1\n0\n",
            "app.log: no normal text in train among 2: give texts with a label that says normal",
        ),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, content: str, labels: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        lines(tmp_path, content, labels).load("train")
    assert str(caught.value) == f"{tmp_path}/{problem}".format(folder=tmp_path)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"text": "a"}', 'no "anomalous"; allowed: true, false, or null where nobody has said'),
        (
            '{"text": "a", "anomalous": "no"}',
            "\"anomalous\" is 'no'; allowed: true, false, or null where nobody has said",
        ),
        (
            '{"text": "a", "anomalous": true, "kinds": "late"}',
            "unknown key 'kinds' (did you mean 'kind'?); keys: id, text, texts, anomalous, kind, group",
        ),
        ('{"text": " ", "anomalous": true}', "the text is empty"),
        (
            '{"texts": [], "anomalous": true}',
            'expected "text" with a string, or "texts" with a list of strings',
        ),
        ('{"texts": ["a", 1], "anomalous": true}', 'no "texts" with a string in \'{"texts": 1}\''),
        ('{"anomalous": true}', 'no "text" with a string in \'{"anomalous": true}\''),
        ('{"text": "\\ud800", "anomalous": true}', "half of a surrogate pair at character 0 of 'text'"),
        ('{"text": "a", "anomalous": true, "id": "x"}', "id 'x' stands on line 1 too"),
        ("[1]", "no JSON object with \"text\" in '[1]'"),
        ("a", "not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_json_line_that_does_not_fit_is_named(tmp_path: Path, row: str, problem: str) -> None:
    content = '{"text": "one", "anomalous": false, "id": "x"}\n' + row
    with pytest.raises(DataError) as caught:
        lines(tmp_path, content, suffix="jsonl").load("train")
    assert str(caught.value) == f"{tmp_path}/app.jsonl:2: {problem}"


def test_a_labels_file_beside_json_lines_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is for plain lines"):
        lines(tmp_path, '{"text": "one", "anomalous": false}', labels="0\n", suffix="jsonl").load("train")


@pytest.mark.parametrize("name", ["lines", "table"])
def test_files_that_are_not_given_or_not_there_are_named(tmp_path: Path, name: str) -> None:
    setting = {"lines": "file", "table": "train"}[name]
    with pytest.raises(ConfigError, match=rf"data\.{setting} is empty: give the file, as data\.{setting}="):
        adapter(name).load("train")
    missing = str(tmp_path / "none.csv")
    given: dict[str, Any] = {setting: missing}
    with pytest.raises(DataError, match=rf"^{re.escape(missing)}: cannot be read: No such file"):
        adapter(name, **given).load("train")


def test_rows_become_examples_and_a_row_without_a_label_is_not_used(tmp_path: Path) -> None:
    content = (
        'id,text,label,kind,group\r\na,"Paid, twice",1,double,E1\r\n\r\n,Paid,NORMAL,,E2\r\nc,Held,,,\r\n'
    )
    assert table(tmp_path, content).load("train") == [
        AnomalyExample("a", ("Paid, twice",), True, "double", "E1", "a"),
        normal("train-1", "Paid", group="E2"),
    ]


def test_without_a_label_column_each_row_is_normal(tmp_path: Path) -> None:
    assert table(tmp_path, "text\nPaid\nHeld\n").load("train") == [
        normal("train-0", "Paid"),
        normal("train-1", "Held"),
    ]


def test_json_rows_may_leave_out_columns_and_hold_truth_values(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": True}, {"text": "b", "label": 0}, {"text": "c"}]
    found = table(tmp_path, "\n".join(map(json.dumps, rows)), suffix="jsonl").load("train")
    assert found == [odd("train-0", "a"), normal("train-1", "b")]


def test_columns_and_words_are_what_the_settings_say(tmp_path: Path) -> None:
    content = "message,verdict,sort,key,note\nPaid,bad,double,k,mine\nHeld,good,,l,\n"
    columns = {"text": "message", "label": "verdict", "kind": "sort", "id": "key", "ignore": ["note"]}
    settings: dict[str, Any] = {**columns, "anomaly_words": ["Bad"], "normal_words": ["good"]}
    found = table(tmp_path, content, **settings).load("train")
    assert found == [odd("k", "Paid", kind="double"), normal("l", "Held")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id,text\na,x,y\n", "csv:2: 3 cells; the header has 2: id, text"),
        ("id,label\na,1\n", "csv:1: no column 'text', found id, label"),
        ("text,text\na,b\n", "csv:1: 2 columns named 'text'"),
        (
            "text,labels\na,1\n",
            "csv:2: unknown column 'labels' (did you mean 'label'?); columns: text, label, kind, group, id; "
            "name in data.ignore those that are there for others",
        ),
        (
            "text,label\na,0\nb,anomaley\n",
            "csv:3: unknown label 'anomaley' (did you mean 'anomaly'?); data.anomaly_words: anomaly, "
            "anomalous, true, yes, 1; data.normal_words: normal, false, no, 0, -",
        ),
        ('text,label\n"a\nb",0\n ,0\n', "csv:4: the text is empty"),
        ("id,text\na,x\n\na,y\n", "csv:4: id 'a' stands on line 2 too"),
        ('text\n"x\n', "csv:2: no CSV: unexpected end of data"),
        ("text\n", "csv: the file holds no text"),
        ("", "csv: the file holds no text"),
        (
            "text,label\na,1\nb,\n",
            "csv: no normal text in train among 1: give texts with a label that says normal",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_line(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path, content).load("train")
    assert str(caught.value) == f"{tmp_path}/train.{problem}"


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b"one\n\xff\n")
    with pytest.raises(DataError, match=r"app\.log:2: not UTF-8"):
        adapter("lines", file=str(tmp_path / "app.log")).load("train")


def test_a_tables_report_needs_no_test_file(tmp_path: Path) -> None:
    (tmp_path / "validation.csv").write_text("text\nHeld\n", encoding="utf-8")
    data = table(tmp_path, "text\nPaid\n", validation=str(tmp_path / "validation.csv"))
    assert data.report().startswith("data: table, licence: yours\n")
    assert "test" not in [line.split()[0] for line in data.report().splitlines()]


def test_text_to_predict_is_one_a_line() -> None:
    assert list(read_stream(["one\r\n", "\n"], "text", file="stdin")) == [
        AnomalyExample("0", ("one",), document="0"),
        AnomalyExample("1", ("",), document="1"),
    ]


def test_json_to_predict_is_a_text_or_a_window_and_may_have_an_id() -> None:
    given = ['{"text": "one"}\n', "\n", '{"texts": ["two", "three"], "id": "w", "node": 3}\n']
    assert list(read_stream(given, "jsonl", file="stdin")) == [
        AnomalyExample("0", ("one",), document="0"),
        AnomalyExample("w", ("two", "three"), document="w"),
    ]


def test_what_cannot_be_predicted_is_named() -> None:
    with pytest.raises(DataError, match=r'^stdin:2: no "text" with a string'):
        list(read_stream(['{"text": "a"}', '{"label": "b"}'], "jsonl", file="stdin"))
    with pytest.raises(
        ConfigError, match=r"predict\.format=csv is not read by this task; formats: text, jsonl"
    ):
        list(read_stream([], "csv", file="stdin"))


def test_the_sample_has_anomalies_in_every_split_and_new_kinds_in_test() -> None:
    data = adapter("sample", known=None)
    splits = {split: data.load(split) for split in SPLITS}
    kinds = {split: Counter(item.kind for item in part if item.anomalous) for split, part in splits.items()}
    assert [len(part) for part in splits.values()] == [306, 158, 170]
    assert kinds == {
        "train": {"failed job": 3, "access": 3},
        "validation": {"wrong amount": 4, "failed job": 2, "access": 2},
        "test": {"fraud": 5, "failed job": 4, "access": 4, "storage": 4, "wrong amount": 3},
    }
    assert all(item.anomalous == bool(item.kind) for part in splits.values() for item in part)


def test_no_text_and_no_id_of_the_sample_occurs_twice() -> None:
    data = adapter("sample", known=None)
    examples = [item for split in SPLITS for item in data.load(split)]
    assert len({item.id for item in examples}) == len({folded(item) for item in examples}) == len(examples)


def test_the_sample_shows_no_anomaly_unless_asked_for() -> None:
    assert not [item.id for item in adapter("sample").load("train") if item.anomalous]
    assert sum(bool(item.anomalous) for item in adapter("sample", known=4).load("train")) == 4
    assert adapter("sample").report().startswith("data: sample")
