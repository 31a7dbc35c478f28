"""The page as text: well formed, the same each time, loading nothing, with every number's evidence."""

import itertools
import json
import re
from html.parser import HTMLParser

import pytest

from shared.boards.decision import decide
from shared.boards.page import page
from shared.boards.question import read_question
from tests.shared.boards.boards_by_hand import CLAIM, CONTENTS, ROWS, SECTIONS, make_row, make_section

VOID = {"meta", "link", "input", "br", "path", "circle", "rect"}


class Parsed(HTMLParser):
    """The elements in order, properly nested, each with its attributes and its own text.

    A cell may end where the next one, or its row, begins or ends.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[list[str]] = []
        self.paths: list[int] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th"):
            self.end_cell()
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append([])
        if tag not in VOID:
            self.open.append(tag)
            self.paths.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append([])

    def end_cell(self) -> None:
        if self.open[-1] == "td":
            self.open.pop()
            self.paths.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self.end_cell()
        assert self.open.pop() == tag
        self.paths.pop()

    def handle_data(self, data: str) -> None:
        for place in self.paths:
            self.texts[place].append(data)

    def all(self, tag: str) -> list[str]:
        return [
            "".join(text) for (name, _), text in zip(self.elements, self.texts, strict=True) if name == tag
        ]

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


HTML = page(SECTIONS, CONTENTS)


@pytest.fixture(scope="module")
def parsed() -> Parsed:
    return Parsed(HTML)


def test_the_same_boards_give_the_same_bytes() -> None:
    assert page(SECTIONS, CONTENTS) == HTML


def test_ids_are_unique_and_what_refers_to_one_finds_it(parsed: Parsed) -> None:
    ids = parsed.values("id")
    assert len(set(ids)) == len(ids)
    named = [name for value in parsed.values("aria-labelledby") for name in value.split()]
    referred = [*named, *parsed.values("for"), *parsed.values("aria-describedby")]
    referred += [address[1:] for address in parsed.values("href") if address.startswith("#")]
    assert set(referred) <= set(ids)


def test_headings_go_down_one_level_at_a_time(parsed: Parsed) -> None:
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_page_loads_nothing(parsed: Parsed) -> None:
    assert parsed.values("src") == []
    assert [attributes["href"] for tag, attributes in parsed.elements if tag == "link"] == ["data:,"]
    assert "@import" not in HTML and not re.search(r"url\((?!#)", HTML)


def test_every_row_of_a_table_has_a_cell_for_each_column() -> None:
    tables = re.findall(r"<table.*?</table>", HTML, flags=re.DOTALL)
    assert len(tables) == 7  # two data sets, the task's scores of one, four figures
    for table in tables:
        head, body = table.split("<tbody>")
        columns = head.rpartition("<tr>")[2].count("<th ")
        assert {row.count("<td") + row.count("<th ") for row in body.split("<tr")[1:]} == {columns}


def test_columns_that_no_row_fills_are_left_out(parsed: Parsed) -> None:
    assert "never measured" not in parsed.all("th")


def test_names_are_shown_as_they_are_written(parsed: Parsed) -> None:
    assert any(text.startswith("small + LoRA, <all> & more") for text in parsed.all("th"))


def test_a_row_links_to_its_configuration_and_its_records(parsed: Parsed) -> None:
    addresses = parsed.values("href")
    assert "../conf/experiment/ner/tiny.yaml" in addresses
    assert "records/ner/dictionary-1.json" in addresses
    assert "https://example.org/paper" in addresses
    assert "#ner-finer-ord-made-1" in addresses  # of more than three records
    assert {f"records/ner/tiny-seed{seed}.json" for seed in (1, 2, 3, 4)} <= set(addresses)


def test_notes_are_set_with_their_emphasis_and_code(parsed: Parsed) -> None:
    assert "no test" in parsed.all("em")
    assert "1=" in parsed.all("code")


def test_claims_stand_with_verdict_arithmetic_and_caveat(parsed: Parsed) -> None:
    claims = parsed.all("dd")
    assert CLAIM.verdict in parsed.all("strong")
    assert {"80 times", "Per hour.", "an article", "8 / 0.20 = 40, not 80 (large / small)"} <= set(claims)


def script_data(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found
    data: dict[str, object] = json.loads(found[1])
    return data


def test_the_calculator_is_given_what_a_decision_rests_on_and_no_more() -> None:
    data = script_data(HTML)
    assert list(data) == ["boards", "offers", "fields"]
    assert list(data["boards"]) == ["ner-finer-ord"]  # type: ignore[call-overload]  # a mapping
    rows = data["boards"]["ner-finer-ord"]  # type: ignore[index]  # a mapping
    assert "scores" not in rows[0] and "ids" not in rows[0]
    question = read_question(["quality=0.75", "abstention_cost=0.5", "wrong_answer_cost=2", "latency_ms=30"])
    assert decide(question, rows, CONTENTS.offers) == decide(question, ROWS, CONTENTS.offers)


def test_a_name_cannot_end_the_script_that_holds_it() -> None:
    hostile = make_row("</script><script>alert(1)</script>", "baseline", 0.1)
    html = page([make_section("FiNER-ORD", [*ROWS, hostile])], CONTENTS)
    assert "alert(1)</script>" not in html
    assert html.count("<script") == HTML.count("<script")


def test_a_page_without_priced_rows_has_no_calculator() -> None:
    html = page(SECTIONS[1:], CONTENTS)
    assert 'id="question"' not in html and "#decide" not in html
    assert html.count("<script>") == 1
