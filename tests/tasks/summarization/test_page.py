from dataclasses import replace
from html.parser import HTMLParser

import pytest
from omegaconf import OmegaConf

from shared.contracts import Score
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.record import DataFacts, Record
from shared.typed_config import typed
from tasks.summarization.faults import Rules
from tasks.summarization.page import page, spread
from tasks.summarization.style import HouseStyle
from tests.shared.records import make_record
from tests.tasks.summarization.adapters import ROOT, adapter

STYLE: HouseStyle = typed(OmegaConf.load(ROOT / "conf/style/brief.yaml"), HouseStyle, path="style")  # type: ignore[arg-type]  # a mapping
RULES = Rules(STYLE)
APPLES = SummaryExample(
    "apples",
    ("Revenue was $41,200,000 <b>net</b> in the second quarter, up 12 percent.", "Thank you all."),
    ("Revenue rose 12% to $41.2 million in Q2.",),
)
SCORES = {"rougeLsum": Score(0.5, 0.4, 0.6), "style_pass": Score(0.9), "style_case": Score(0.75)}
RECORD = make_record(
    task="summarization",
    data=DataFacts("calls", "a licence", "test", "d" * 64, num_examples=1, num_documents=1),
    scores=SCORES,
)
VOID = {"meta", "br"}


class Page(HTMLParser):
    """What a reader gets: the text by element and class, and the tags in order, properly nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        name = dict(attrs).get("class") or tag
        for other in {name, tag}:
            self.texts.setdefault(other, []).append("")
        if tag not in VOID:
            self.open.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().split()[0] == tag

    def handle_data(self, data: str) -> None:
        for name in {name for entry in self.open for name in entry.split()}:
            self.texts[name][-1] += data

    def all(self, name: str) -> list[str]:
        return [" ".join(text.split()) for text in self.texts.get(name, [])]


def shown(*bullets: Bullet, record: Record = RECORD, **changes: object) -> Page:
    prediction = SummaryPrediction("apples", bullets)
    return Page(page([(replace(APPLES, **changes), prediction)], run="now", record=record, rules=RULES))  # type: ignore[arg-type]  # fields


def test_a_page_has_one_title_and_headings_and_landmarks_in_order() -> None:
    found = shown(Bullet("Revenue rose 12% in Q2.", (0,)))
    assert not found.open
    assert [tag for tag in found.tags if tag in {"h1", "h2", "h3", "h4", "h5"}] == [
        *("h1", "h2", "h2", "h2"),
        *("h3", "h4", "h4"),
    ]
    assert [tag for tag in found.tags if tag in {"header", "nav", "main"}] == ["header", "nav", "main"]
    assert found.all("h1") == ["tiny + LoRA on calls, test"]


def test_a_page_loads_nothing_and_links_to_itself_alone() -> None:
    found = shown(Bullet("Revenue rose 12% in Q2.", (0,)))
    assert not {"script", "link", "img", "iframe"} & set(found.tags)
    assert "src" not in dict(found.attributes)
    links = [value or "" for name, value in found.attributes if name == "href"]
    anchors = {f"#{value}" for name, value in found.attributes if name == "id"}
    assert set(links) == {"#main", "#scores", "#style", "#document-1"}
    assert set(links) <= anchors


def test_the_notice_names_the_licence() -> None:
    assert "text of calls (a licence) and must not be published" in shown().all("notice")[0]


def test_bullets_stand_with_marks_sources_and_gold() -> None:
    found = shown(
        Bullet("Revenue rose 12% in Q2.", (0,), mark="rewritten"),
        Bullet("", (1,), quoted=True, mark="replaced"),
    )
    assert found.all("said") == ["Revenue rose 12% in Q2.", "All."]  # `Thank you` is no opening
    assert found.all("mark")[5:] == ["rewritten", "replaced", "quoted"]  # behind those of the legend
    assert found.all("sources") == [
        "sentence 1: Revenue was $41,200,000 <b>net</b> in the second quarter, up 12 percent.",
        "sentence 2: Thank you all.",
    ]
    assert "b" not in found.tags
    assert APPLES.bullets[0] in found.all("li")


def test_each_broken_rule_is_marked_beside_its_bullet_and_figures_made_up_are_underlined() -> None:
    found = shown(Bullet("revenue rose 13% to $41.2 million in Q2.", (0,)), Bullet("Profit fell in Q2."))
    assert found.all("said")[0] == "revenue rose 13% (not in the document) to $41.2 million in Q2."
    assert found.all("lacking")[1:] == ["13% (not in the document)"]  # behind that of the legend
    assert found.all("faults") == [
        "✗ case: 'revenue rose 13% to $41.2 million in Q2.' ✗ figures: not in the document: 13%"
    ]


def test_rules_that_the_summary_breaks_as_a_whole_stand_above_its_bullets() -> None:
    found = shown(Bullet("Revenue rose 12% in Q2.", (0,)))
    assert found.all("faults") == ["✗ bullets: 1 bullets, at least 2"]


def test_a_bullet_without_sources_gets_those_most_like_it() -> None:
    assert shown(Bullet("Revenue rose 12% in Q2.")).all("number") == ["sentence 1:"]
    assert "No sentence of the document is like it." in shown(Bullet("Quiet.")).all("soft")


def test_likeness_is_shown_where_there_is_gold() -> None:
    gold = Bullet(APPLES.bullets[0])
    assert "2 sentences, ROUGE-1 1.000, ROUGE-2 1.000, ROUGE-Lsum 1.000" in shown(gold).all("soft")
    assert "There is none." in shown(gold, bullets=()).all("soft")


def test_what_the_writer_read_stands_in_order_of_the_document() -> None:
    prediction = SummaryPrediction("apples", (Bullet("Quiet."),), read=(1, 0))
    found = Page(page([(APPLES, prediction)], run="now", record=RECORD, rules=RULES))
    assert found.all("summary") == ["What the writer read: 2 sentences"]
    assert found.all("number") == ["sentence 1:", "sentence 2:"]


def test_an_abstention_says_why_and_breaks_no_rule() -> None:
    silent = SummaryPrediction("apples", abstained="no bullet <passed>")
    found = Page(page([(APPLES, silent)], run="now", record=RECORD, rules=RULES))
    assert "No summary: no bullet <passed>" in found.all("p")
    assert found.all("faults") == []
    assert "case0 of 075.0 %" in found.all("tr")


def test_scores_rules_and_counts_are_tables() -> None:
    found = shown(Bullet("revenue rose 12% in Q2.", (0,), mark="rewritten"))
    rows = found.all("tr")
    assert "rougeLsum0.50000.4000 to 0.6000" in rows
    assert "style_pass0.9000" in rows
    assert "case0 of 175.0 %" in rows
    assert "figures1 of 1not counted" in rows
    assert "rewritten11" in rows


def test_the_style_is_told_in_words() -> None:
    text = " ".join(shown().all("p"))
    assert "Write 2 to 4 bullets, one a line, of 3 to 24 words." in text
    assert "No bullet begins with: and, but, so," in text


@pytest.mark.parametrize(
    ("size", "count", "kept"),
    [(0, 3, []), (2, 3, [0, 1]), (3, 3, [0, 1, 2]), (10, 3, [0, 3, 6]), (7, 1, [0])],
)
def test_documents_are_spread_evenly(size: int, count: int, kept: list[int]) -> None:
    assert spread(range(size), count) == kept


def test_a_split_is_shown_in_order_of_id_with_its_gold_summaries() -> None:
    examples = adapter("sample").load("validation")
    pairs = [(example, example.gold()) for example in reversed(examples)]
    found = Page(page(pairs, run="now", record=RECORD, rules=RULES))
    assert found.all("h3") == sorted(example.id for example in examples)
    assert len(found.all("said")) == sum(len(example.bullets) for example in examples)
    assert found.all("lacking") == ["underlined"]
