import json
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.examples import FacetExample, Span

ONTOLOGY = """
facets:
  topic: {cardinality: exactly_one}
  actors: {cardinality: any_number}
  tone: {cardinality: ordinal, concepts: [bad, good]}
  score: {cardinality: number}
concepts:
  topic:
    markets: {narrower: [bonds, equities]}
    economy:
  actors: [bank, fund, ministry]
disjoint: [[economy, fund]]
"""
HEADER = "id,text,topic,actors,tone,score\n"


def table(folder: Path, content: str, *overrides: str, suffix: str = "csv") -> Any:
    """Return the adapter on a training file with this content."""
    (folder / "concepts.yaml").write_text(ONTOLOGY, encoding="utf-8")
    (folder / f"train.{suffix}").write_bytes(content.encode())
    paths = [
        f"data.train='{folder}/train.{suffix}'",
        f"data.ontology_file='{folder}/concepts.yaml'",
    ]
    return compose_run("ontology", ["data=table", *paths, *overrides]).data


def test_rows_become_examples(tmp_path: Path) -> None:
    content = HEADER + "a,Yields fell,bonds,bank|fund,good,0.5\n,Nothing here,-,-,,\n"
    assert table(tmp_path, content).load("train") == [
        FacetExample(
            "a",
            "Yields fell",
            labels={"topic": ("bonds",), "actors": ("bank", "fund"), "tone": ("good",)},
            values={"score": 0.5},
            document="a",
        ),
        FacetExample("train-1", "Nothing here", labels={"topic": (), "actors": ()}, document="train-1"),
    ]


def test_json_lines_may_list_concepts_and_leave_facets_out(tmp_path: Path) -> None:
    marks = [{"start": 0, "end": 4, "label": "e1"}, {"start": 11, "end": 15, "label": "e2"}]
    rows = [
        {"text": "Acme bought Bolt", "marks": marks, "actors": ["fund", "bank"], "score": -1, "document": 7},
        {"text": "Why?", "pair": "Because.", "topic": None, "actors": []},
    ]
    content = "\n".join(map(json.dumps, rows))
    assert table(tmp_path, content, suffix="jsonl").load("train") == [
        FacetExample(
            "train-0",
            "Acme bought Bolt",
            marks=(Span(0, 4, "e1"), Span(11, 15, "e2")),
            labels={"actors": ("bank", "fund")},
            values={"score": -1.0},
            document="7",
        ),
        FacetExample("train-1", "Why?", pair="Because.", labels={"actors": ()}, document="train-1"),
    ]


def test_columns_words_and_separators_are_what_the_settings_say(tmp_path: Path) -> None:
    content = "message,answer,key,actors,note\nWhy?,Because.,k,bank; fund,mine\nWho?,,l,none,\n"
    settings = ["text=message", "pair=answer", "id=key", "separator=';'", "none_word=none", "ignore=[note]"]
    first, second = table(tmp_path, content, *(f"data.{setting}" for setting in settings)).load("train")
    assert (first.id, first.text, first.pair, first.labels) == (
        "k",
        "Why?",
        "Because.",
        {"actors": ("bank", "fund")},
    )
    assert (second.pair, second.labels) == ("", {"actors": ()})


def test_a_broader_concept_beside_a_narrower_one_is_left_out(tmp_path: Path) -> None:
    assert table(tmp_path, "text,topic\nYields,markets|bonds\n").load("train")[0].labels == {
        "topic": ("bonds",)
    }


def test_a_byte_order_mark_crlf_blank_lines_and_quotes_are_read(tmp_path: Path) -> None:
    content = '\ufefftext,topic\r\n\r\n"Yields, he said,\r\nfell",bonds\r\n'
    (found,) = table(tmp_path, content).load("train")
    assert found.text == "Yields, he said,\r\nfell"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            HEADER + 'a,"x\ny",bonds,,,\nb,z,bond,,,\n',
            "csv:4: unknown concept 'bond' of topic (did you mean 'bonds'?); "
            "allowed: markets, bonds, equities, economy",
        ),
        (
            HEADER + "a,x,bonds|economy,,,\n",
            "csv:2: topic has bonds, economy; allowed: one concept (exactly_one)",
        ),
        (HEADER + "a,x,,bank|-,,\n", "csv:2: unknown concept '-' of actors; allowed: bank, fund, ministry"),
        (HEADER + "a,x,,,,high\n", "csv:2: score is 'high'; expected a number such as -0.25"),
        (HEADER + "a,x,,,,nan\n", "csv:2: score is 'nan'; expected a number such as -0.25"),
        (
            HEADER + "a,x,economy,fund,,\n",
            "csv:2: economy, fund brings economy and fund, which exclude each other",
        ),
        (HEADER + "a, ,bonds,,,\n", "csv:2: 'text' is empty"),
        (HEADER + "a,x,bonds,,,\n\na,y,bonds,,,\n", "csv:4: id 'a' stands on line 2 too"),
        (HEADER + "a,x,bonds\n", "csv:2: 3 cells; the header has 6: id, text, topic, actors, tone, score"),
        (
            "text,topics\nx,bonds\n",
            "csv:1: unknown column 'topics' (did you mean 'topic'?); columns: text, pair, id, document, "
            "marks, topic, actors, tone, score; name in data.ignore those that are there for others",
        ),
        ("id,topic\nx,bonds\n", "csv:1: no column 'text', found id, topic; name it as data.text=COLUMN"),
        ("text,topic,topic\nx,bonds,bonds\n", "csv:1: 2 columns named 'topic'"),
        ('text,topic\n"x,bonds\n', "csv:2: no CSV: unexpected end of data"),
        ("text,topic\nx,\n", "csv: no label in 1 rows; facets: topic, actors, tone, score"),
        (HEADER, "csv: the file holds no example; facets: topic, actors, tone, score"),
        ("", "csv: the file holds no example; facets: topic, actors, tone, score"),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_line(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path, content).load("train")
    assert str(caught.value) == f"{tmp_path}/train.{problem}"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"text": "a", "topik": "bonds"}', "unknown column 'topik' (did you mean 'topic'?)"),
        ('{"topic": "bonds"}', 'no "text" with a string'),
        (
            '{"text": "a", "actors": ["bank", "banc"]}',
            "unknown concept 'banc' of actors (did you mean 'bank'?)",
        ),
        ('{"text": "a", "score": true}', "score is True; expected a number"),
        ('{"text": "a", "score": [1]}', "score is [1]; expected a number"),
        ("Yields", "not JSON: Expecting value"),
    ],
)
def test_a_json_line_that_does_not_fit_is_named(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path, '{"text": "a", "topic": "bonds"}\n\n' + row, suffix="jsonl").load("train")
    assert str(caught.value).startswith(f"{tmp_path}/train.jsonl:3: {problem}")


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    data = table(tmp_path, HEADER)
    (tmp_path / "train.csv").write_bytes(HEADER.encode() + b"a,caf\xe9,bonds,,,\n")
    with pytest.raises(DataError, match=r"train.csv:2: not UTF-8: byte 0xe9 at column 6"):
        data.load("train")


def test_a_path_without_a_file_is_a_data_error(tmp_path: Path) -> None:
    data = table(tmp_path, HEADER)
    (tmp_path / "train.csv").unlink()
    with pytest.raises(DataError, match=r"train.csv: cannot be read: No such file"):
        data.load("train")


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_without_a_path_says_which_setting_to_give(split: str) -> None:
    with pytest.raises(ConfigError, match=f"data.{split} is empty: give the file, as data.{split}="):
        compose_run("ontology", ["data=table"]).data.load(split)


def test_an_ontology_that_is_not_given_says_which_setting_to_give() -> None:
    with pytest.raises(ConfigError, match=r"data.ontology_file is empty: give the file"):
        compose_run("ontology", ["data=table"]).data.types()
