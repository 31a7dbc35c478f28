import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.examples import SummaryExample
from shared.typed_config import typed
from tasks.summarization.data import read_stream
from tasks.summarization.figures import find_figures, unsupported
from tasks.summarization.style import HouseStyle
from tasks.summarization.style_rules import check_style
from tests.tasks.summarization.adapters import ROOT, adapter


def jsonl(folder: Path, *rows: dict[str, Any] | str) -> Any:
    """Return the adapter on a training file with these lines."""
    content = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / "train.jsonl").write_text(content, encoding="utf-8")
    return adapter("jsonl", train=str(folder / "train.jsonl"))


def test_a_document_is_a_text_or_sentences_and_a_summary_is_lines_or_bullets(tmp_path: Path) -> None:
    data = jsonl(
        tmp_path,
        {"document": "Sales rose. Costs fell.\nA third.", "summary": "Sales up.\n\n Costs  down.\n"},
        "",
        {"document": ["One. Two.", " ", "three\nfour"], "summary": ["x\ty"], "id": 7},
    )
    assert data.types() == {"summary": "summary"}
    assert data.load("train") == [
        SummaryExample(
            "train-1", ("Sales rose.", "Costs fell.", "A third."), ("Sales up.", "Costs down."), "train-1"
        ),
        SummaryExample("7", ("One. Two.", "three four"), ("x y",), "7"),
    ]


GOOD = {"document": "Sales rose.", "summary": "Up."}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[1]", "no JSON object with \"text\" in '[1]'"),
        (
            {**GOOD, "summry": ""},
            "unknown key 'summry' (did you mean 'summary'?); keys: id, document, summary",
        ),
        ({"summary": "Up."}, 'no "document" with a string in \'{"summary": "Up."}\''),
        ({**GOOD, "document": " \n"}, '"document" is empty; allowed: a text or a list of strings with words'),
        ({**GOOD, "document": []}, '"document" is empty; allowed: a text or a list of strings with words'),
        ({**GOOD, "summary": [""]}, '"summary" is empty; allowed: a text or a list of strings with words'),
        ({**GOOD, "document": ["a", 2]}, 'no "document" with a string in \'{"document": 2}\''),
        ({**GOOD, "summary": "\ud800"}, "half of a surrogate pair at character 0 of 'summary'"),
        ({**GOOD, "id": "train-1"}, "id 'train-1' stands on line 1 too"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, row: dict[str, Any] | str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        jsonl(tmp_path, GOOD, row).load("train")
    assert str(caught.value) == f"{tmp_path}/train.jsonl:2: {problem}"


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    data = jsonl(tmp_path, GOOD)
    (tmp_path / "train.jsonl").write_bytes(json.dumps(GOOD).encode() + b"\n\xe9\n")
    with pytest.raises(DataError, match=r"train.jsonl:2: not UTF-8: byte 0xe9 at column 1"):
        data.load("train")


def test_a_file_without_a_document_and_a_split_without_a_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train.jsonl: the file holds no document"):
        jsonl(tmp_path, "", " ").load("train")
    with pytest.raises(ConfigError, match=r"data\.test is empty: give the file"):
        jsonl(tmp_path, GOOD).load("test")


def test_text_to_predict_is_a_document_a_line_and_may_be_empty() -> None:
    assert list(read_stream(["One. Two.\r\n", "\n"], "text", file="stdin")) == [
        SummaryExample("0", ("One.", "Two."), document="0"),
        SummaryExample("1", (), document="1"),
    ]


def test_json_to_predict_is_a_document_or_a_text_and_may_have_an_id() -> None:
    given = ['{"document": ["One.", "Two."]}\n', "\n", '{"text": "", "id": "w", "summary": "x"}\n']
    assert list(read_stream(given, "jsonl", file="stdin")) == [
        SummaryExample("0", ("One.", "Two."), document="0"),
        SummaryExample("w", (), document="w"),
    ]


@pytest.mark.parametrize("row", ['{"texts": ["a"]}', '{"text": "a", "document": "b"}'])
def test_what_cannot_be_predicted_is_named(row: str) -> None:
    with pytest.raises(DataError, match=r'^stdin:2: expected one of "document" and "text"'):
        list(read_stream(['{"text": "a"}', row], "jsonl", file="stdin"))


def test_another_format_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"predict\.format=csv is not read by this task"):
        list(read_stream([], "csv", file="stdin"))


def test_the_sample_has_documents_of_many_sentences_and_two_to_four_bullets() -> None:
    splits = {split: adapter("sample").load(split) for split in SPLITS}
    assert [len(part) for part in splits.values()] == [60, 12, 16]
    examples = [item for part in splits.values() for item in part]
    assert all(12 <= len(item.sentences) <= 25 and 2 <= len(item.bullets) <= 4 for item in examples)
    assert len({item.id for item in examples}) == len({item.text for item in examples}) == len(examples)


def test_every_figure_of_the_samples_bullets_stands_in_the_document() -> None:
    for item in (item for split in SPLITS for item in adapter("sample").load(split)):
        source = [figure for sentence in item.sentences for figure in find_figures(sentence)]
        assert not [bullet for bullet in item.bullets if unsupported(bullet, source)], item.id
        assert all(find_figures(bullet) for bullet in item.bullets), item.id


def test_the_samples_summaries_are_in_the_house_style_brief() -> None:
    node = OmegaConf.create({"style": OmegaConf.load(ROOT / "conf" / "style" / "brief.yaml")})
    style = typed(node.style, HouseStyle, path="style")
    examples = [item for split in SPLITS for item in adapter("sample").load(split)]
    assert not {item.id: faults for item in examples if (faults := check_style(item.bullets, style=style))}
