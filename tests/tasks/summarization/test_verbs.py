import io
import json
import re
from pathlib import Path

import pytest
import yaml

from shared import commands
from shared.compose import compose_run
from shared.errors import ConfigError, DataError, UserError
from tasks.summarization import verbs

GOOD = "Revenue rose 12% to $41.2 million in Q2.\nOrders of Marlow fell 3%.\n"
BAD = "Revenue rose 12 percent to $41.2 million in Q2.\norders fell 3%.\n"


def check(folder: Path, text: str, format: str = "text") -> None:
    path = folder / "in.txt"
    path.write_text(text, encoding="utf-8")
    config = compose_run("summarization", [f"predict.input={path}", f"predict.format={format}"])
    verbs.check(config, overrides=[])


def test_the_style_of_the_training_summaries_is_printed_as_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    verbs.style(compose_run("summarization", []), overrides=[])
    text = capsys.readouterr().out
    assert text.startswith("# House style sample, for a person to edit.")
    assert not text.endswith("\n\n")
    found = yaml.safe_load(text)
    assert (found["name"], found["case"], found["percent"]) == ("sample", "sentence", "sign")


def test_texts_that_keep_the_style_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(tmp_path, f"\n{GOOD}\n\n{GOOD}")
    assert capsys.readouterr().out == "2 of 2 summaries keep the style brief\n"


def test_each_broken_rule_is_printed_with_its_line_and_ends_in_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        check(tmp_path, f"{GOOD}\n{BAD}")
    assert stop.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/in.txt:4: bullet 2, case: 'orders fell 3%.'",
        f"{tmp_path}/in.txt:4: bullet 1, percent: 'percent'",
        "1 of 2 summaries keep the style brief",
    ]


def test_figures_and_names_are_looked_up_in_a_document_that_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = "Revenue was $41,200,000 in the second quarter, up 12%. Orders fell."
    rows = [
        {"id": "apples", "summary": GOOD, "document": document},
        {"summary": GOOD.splitlines(), "document": [*document.split(". "), "Marlow lost 3% of its orders."]},
        {"summary": GOOD},
    ]
    with pytest.raises(SystemExit):
        check(tmp_path, "\n".join(map(json.dumps, rows)), "jsonl")
    assert capsys.readouterr().out.splitlines() == [
        "apples: bullet 2, figures: not in the document: 3%",
        "apples: bullet 2, names: not in the document: Marlow",
        "2 of 3 summaries keep the style brief",
    ]


def test_standard_input_is_checked_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    verbs.check(compose_run("summarization", []), overrides=[])
    assert capsys.readouterr().out == "1 of 1 summaries keep the style brief\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"summary": "Up 5%."}\n{"summary": 5}', ':2: no "summary" with a string'),
        ('{"summary": []}', ':1: "summary" is empty'),
        ('{"summary": "Up 5%.", "document": " "}', ':1: "document" is empty'),
        ('{"sumary": "Up 5%."}', ":1: unknown key 'sumary' (did you mean 'summary'?)"),
        ("Up 5%.", ":1: not JSON"),
        ("\n", ": no summary in it"),
    ],
)
def test_bad_rows_are_named_by_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"in.txt{message}")):
        check(tmp_path, text, "jsonl")


def test_a_format_without_summaries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"predict.format=conll holds no summaries; use: text, jsonl"):
        check(tmp_path, GOOD, "conll")


def test_an_evaluated_run_gets_a_page_in_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = [f"runs_dir={tmp_path}"]
    commands.evaluate(compose_run("summarization", [*here, "baseline=lead_3"]), overrides=[])
    verbs.report(compose_run("summarization", here), overrides=here)
    (path,) = tmp_path.glob("summarization/*/report.html")
    assert f"page: {path}; it holds text of sample (that of this project)" in capsys.readouterr().out
    html = path.read_text(encoding="utf-8")
    assert html.count("<article") == 16
    assert "first three sentences on sample, test" in html
    given = [*here, "split=validation"]
    with pytest.raises(UserError, match=r"record\.json is of test, not of validation"):
        verbs.report(compose_run("summarization", given), overrides=given)
