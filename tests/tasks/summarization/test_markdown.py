import pytest

from shared.examples import Bullet, SummaryExample, SummaryPrediction
from tasks.summarization.markdown import markdown

EXAMPLE = SummaryExample("call_1", ("Hello <b>all</b>.", "Revenue was $4\n million.", "Up 5% * on 2019."))


def told(*bullets: Bullet) -> str:
    return markdown(EXAMPLE, SummaryPrediction("call_1", bullets))


def test_each_bullet_is_followed_by_its_sources_with_their_numbers() -> None:
    assert told(Bullet("Revenue rose 5% to $4 million.", (1, 2)), Bullet("All is well.")) == (
        "## call\\_1\n"
        "\n"
        "- Revenue rose 5% to $4 million.\n"
        "  > 2: Revenue was $4 million.\n"
        "  >\n"
        "  > 3: Up 5% \\* on 2019.\n"
        "- All is well.\n"
        "\n"
    )


def test_marks_and_faults_stand_in_italics() -> None:
    kept = Bullet("profit fell.", mark="rewritten", faults=("bullet 1, case: 'profit fell.'",))
    assert "- profit fell. *rewritten; bullet 1, case: 'profit fell.'*\n" in told(kept)
    replaced = Bullet("Hello all.", (0,), quoted=True, mark="replaced")
    assert told(replaced).endswith("- Hello all. *replaced; quoted*\n  > 1: Hello \\<b\\>all\\</b\\>.\n\n")


def test_a_quoted_bullet_without_text_is_its_sentence() -> None:
    assert "- Revenue was $4 million. *quoted*\n  > 2: Revenue was $4 million.\n" in told(
        Bullet("", (1,), quoted=True)
    )


def test_bullets_held_back_stand_below_with_the_reason() -> None:
    sure, unsure = Bullet("Up 5%.", confidence=0.9), Bullet("Revenue $4 million.", confidence=0.2)
    held = SummaryPrediction("call_1", (sure, unsure)).held_back("bullets", 0.5, "not sure enough")
    assert markdown(EXAMPLE, held) == (
        "## call\\_1\n\n- Up 5%.\n\n*Held back: not sure enough*\n\n- Revenue $4 million.\n\n"
    )


def test_an_abstention_says_why() -> None:
    silent = SummaryPrediction("call_1", abstained="the document is empty")
    assert markdown(EXAMPLE, silent) == "## call\\_1\n\n*No summary: the document is empty*\n\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1. Sales rose", "- 1\\. Sales rose"),
        ("1.5 million sold", "- 1.5 million sold"),
        ("- sales rose", "- \\- sales rose"),
        ("-5% in may", "- -5% in may"),
        ("--- sales", "- \\--- sales"),
        ("# a_b [c](d) `e` ~f~ \\g", "- \\# a\\_b \\[c\\](d) \\`e\\` \\~f\\~ \\\\g"),
        ("AT&T and R&amp;D", "- AT&T and R\\&amp;D"),
    ],
)
def test_what_markdown_would_read_is_escaped(text: str, written: str) -> None:
    assert told(Bullet(text)).splitlines()[2] == written
