import itertools
import re
import shutil
from pathlib import Path

import pytest

from shared.boards.layout import CONF
from shared.boards.readme import (
    Bindings,
    Fragment,
    RowName,
    bound_rows,
    number_problems,
    read_bindings,
    read_prose,
    readme_problems,
)
from shared.boards.rows import Row
from shared.boards.sections import Section

Bound = tuple[Bindings, dict[RowName, Row]]

README = CONF.parent / "README.md"
SOURCE = Path("conf/readme.yaml")

TAGGER = RowName("ner", "News", "tagger")
ROWS = {
    TAGGER: {
        "score": {"value": 0.7816, "low": 0.7436, "high": 0.8244},
        "versus": {"value": -0.0572},
        "scores": {"answered": 0.9477},
        "parameters": {"total": 23_238_591},
        "training": {"wall_seconds": 1807.0},
    },
}
TEXT = """\
# Results

With 23 M parameters the tagger
scores **0.782**
[0.744, 0.824].
"""
SCORES = "the tagger scores **{score.value|score}** [{score.low|score}, {score.high|score}]"


@pytest.fixture(scope="module")
def committed(committed_board: dict[str, list[Section]]) -> Bound:
    """The committed bindings, and the rows that they name."""
    bindings = read_bindings(CONF / "readme.yaml")
    return bindings, bound_rows(itertools.chain.from_iterable(committed_board.values()))


def find_problems(
    folder: Path, text: str, *fragments: str, row: RowName = TAGGER, plain: tuple[str, ...] = ()
) -> list[str]:
    readme = folder / "README.md"
    readme.write_text(text, encoding="utf-8")
    bindings = Bindings([Fragment(row, fragment) for fragment in fragments], list(plain))
    problems = number_problems(read_prose(readme), bindings, ROWS, source=SOURCE)
    return [problem.replace(f"{folder}/", "") for problem in problems]


def test_every_number_of_the_committed_readme_is_what_its_record_gives(committed: Bound) -> None:
    assert list(number_problems(read_prose(README), *committed, source=SOURCE)) == []


def test_a_flipped_digit_in_a_copy_of_the_readme_is_found_at_its_line(
    committed: Bound, tmp_path: Path
) -> None:
    lines = README.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(
        number for number, line in enumerate(lines) if "over" in line and "MiniLM with LoRA, 23 M" in line
    )
    interval = re.search(r"\[0\.\d{3}, 0\.\d{2}", lines[number])
    assert interval is not None
    flipped = str((int(lines[number][interval.end()]) + 1) % 10)
    lines[number] = lines[number][: interval.end()] + flipped + lines[number][interval.end() + 1 :]
    copy = tmp_path / "README.md"
    copy.write_text("".join(lines), encoding="utf-8")
    (problem,) = number_problems(read_prose(copy), *committed, source=SOURCE)
    assert problem.startswith(f"{copy}:{number + 1}: found ")
    assert f"{interval[0]}{flipped}]" in problem
    assert "ner, FiNER-ORD, MiniLM + LoRA gives" in problem


def test_a_readme_is_read_with_the_bindings_beside_it(
    tmp_path: Path, committed_board: dict[str, list[Section]]
) -> None:
    conf, readme = tmp_path / "conf", tmp_path / "README.md"
    shutil.copytree(CONF, conf, ignore=shutil.ignore_patterns("experiment"))
    (conf / "readme.yaml").write_text(
        "fragments:\n"
        "  - row: {task: query_generation, data: TAT-QA, name: SmolLM2 + LoRA on twenty invented examples}\n"
        "    text: the round trip is {score.value|score}\n"
        "plain: []\n",
        encoding="utf-8",
    )
    readme.write_text("The round trip is made:\nthe round trip is 0.660.\n", encoding="utf-8")
    sections = committed_board["query_generation"]
    assert list(readme_problems(readme, sections, conf=conf)) == []
    readme.write_text("The round trip is made:\nthe round trip is 0.661.\n", encoding="utf-8")
    (problem,) = readme_problems(readme, sections, conf=conf)
    assert problem.startswith(f"{readme}:2: found 'the round trip is 0.661', but query_generation, TAT-QA, ")


def test_line_breaks_do_not_count(tmp_path: Path) -> None:
    assert find_problems(tmp_path, TEXT, SCORES) == []
    assert find_problems(tmp_path, TEXT.replace("\n", " "), SCORES.replace(" ", "\n")) == []


def test_the_line_named_is_that_of_the_digit_not_of_the_fragment(tmp_path: Path) -> None:
    assert find_problems(tmp_path, TEXT.replace("0.744", "0.745"), SCORES) == [
        "README.md:5: found 'the tagger scores **0.782** [0.745, 0.824]', "
        "but ner, News, tagger gives 'the tagger scores **0.782** [0.744, 0.824]'"
    ]


def test_signs_parameters_minutes_and_points_are_bound_as_a_readme_writes_them(tmp_path: Path) -> None:
    text = "It has -0.057, 23 M parameters, 30 minutes, 94.8 and 94.8 %, or 95 texts of a hundred."
    fragments = (
        "It has {versus.value|signed}, {parameters.total|millions} M parameters",
        "{training.wall_seconds|whole_minutes} minutes",
        "{scores.answered|points} and {scores.answered|percent}, or {scores.answered|of_a_hundred} texts",
    )
    assert find_problems(tmp_path, text, *fragments) == []


@pytest.mark.parametrize(
    "claim", ["0.913 alone", "costs $12 a day", "wins 7 % of the time", "takes 2,800.5 s"]
)
def test_a_number_that_nobody_bound_is_found(tmp_path: Path, claim: str) -> None:
    (problem,) = find_problems(tmp_path, f"{TEXT}\nIt\n{claim}.\n", SCORES)
    number = next(word for word in claim.split() if any(map(str.isdigit, word))).removeprefix("$")
    assert problem.startswith(f"README.md:8: {number} in ")


def test_a_number_that_a_fragment_only_mentions_is_not_bound(tmp_path: Path) -> None:
    (problem,) = find_problems(tmp_path, TEXT, "**0.782** [{score.low|score}, {score.high|score}]")
    assert problem.startswith("README.md:4: 0.782 in ")


def test_numbers_in_code_and_plain_texts_need_no_row(tmp_path: Path) -> None:
    text = "Python 3.11:\n\n    python -m tasks.ner train head.share=0.5\n\n```yaml\nshare: 0.25\n```\n"
    assert find_problems(tmp_path, text, plain=("Python 3.11",)) == []


def test_a_plain_text_that_has_changed_is_named_with_its_line(tmp_path: Path) -> None:
    assert find_problems(tmp_path, "It needs\nPython 3.12.\n", plain=("needs Python 3.11",)) == [
        "README.md:2: found 'needs Python 3.12', but conf/readme.yaml has as plain 'needs Python 3.11'"
    ]


def test_a_digit_more_is_not_taken_for_the_same_number(tmp_path: Path) -> None:
    assert find_problems(tmp_path, "It scores 0.7823.\n", "scores {score.value|score}") == [
        "README.md:1: found 'scores 0.7823', but ner, News, tagger gives 'scores 0.782'"
    ]


def test_a_fragment_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert find_problems(tmp_path, "A has 0.782,\nB has 0.782.\n", "has {score.value|score}")[0] == (
        "conf/readme.yaml: 'has 0.782' stands at README.md:1, README.md:2: bind a longer piece of one"
    )


def test_a_fragment_like_nothing_in_the_readme_is_named(tmp_path: Path) -> None:
    assert find_problems(tmp_path, "No numbers.\n", SCORES) == [
        "conf/readme.yaml: nothing like 'the tagger scores **0.782** [0.744, 0.824]' stands in README.md: "
        "bind what stands there"
    ]


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("{score.valeu|score}", "the row has no 'score.valeu' (did you mean 'score.value'?)"),
        ("{score.value|scores}", "show: 'scores' is unknown (did you mean 'score'?); allowed: text, score, "),
        (
            "{score|score}",
            "'score' is {'value': 0.7816, 'low': 0.7436, 'high': 0.8244}, which 'score' cannot show",
        ),
    ],
)
def test_a_path_or_a_show_that_does_not_exist_is_named(tmp_path: Path, fragment: str, message: str) -> None:
    (problem,) = find_problems(tmp_path, "No numbers.\n", fragment)
    assert problem.startswith(f"conf/readme.yaml: {fragment!r}: {message}")


def test_a_row_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (problem,) = find_problems(
        tmp_path, "No numbers.\n", "{score.value|score}", row=RowName("ner", "News", "taggr")
    )
    assert problem == (
        "conf/readme.yaml: '{score.value|score}': there is no row ner, News, taggr "
        "(did you mean 'ner, News, tagger'?)"
    )
