from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from shared.errors import DataError
from shared.table_files import Fault, check_known, csv_rows, json_rows


def no_check(header: Sequence[str], fault: Fault) -> None:
    """Any header will do."""


def written(folder: Path, content: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_a_row_has_the_line_it_begins_on(tmp_path: Path) -> None:
    path = written(tmp_path, 'text,kind\r\n"two\r\nlines",a\r\n\r\none,b\r\n')
    assert list(csv_rows(path, check=no_check)) == [
        (2, {"text": "two\r\nlines", "kind": "a"}),
        (5, {"text": "one", "kind": "b"}),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("text,kind\none\n", r"rows\.csv:2: 1 cells; the header has 2: text, kind"),
        ("text,text\n", r"rows\.csv:1: 2 columns named 'text'"),
        ('text\n"one\n', r"rows\.csv:2: no CSV"),
    ],
)
def test_what_is_no_table_is_named_with_its_line(content: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=problem):
        list(csv_rows(written(tmp_path, content), check=no_check))


def test_json_lines_are_objects_and_blank_lines_are_left_out(tmp_path: Path) -> None:
    assert list(json_rows(written(tmp_path, '{"a": 1}\n\n{"a": 2}\n'))) == [(1, {"a": 1}), (3, {"a": 2})]
    with pytest.raises(DataError, match=r"rows\.csv:2: no JSON object"):
        list(json_rows(written(tmp_path, '{"a": 1}\n[1]\n')))


def test_an_unknown_name_is_answered_with_the_one_probably_meant() -> None:
    fault = partial(DataError, file="a.csv", line=1)
    check_known(["text"], ["text", "kind"], fault)
    with pytest.raises(
        DataError, match=r"unknown column 'txet' \(did you mean 'text'\?\); columns: text, kind"
    ):
        check_known(["txet"], ["text", "kind"], fault)
