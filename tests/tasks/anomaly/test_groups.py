import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.errors import DataError
from tasks.anomaly.groups import Group, main, merged, read_alarms

ROOT = Path(__file__).resolve().parents[3]
FAN = "fan <*> of rack <*> stopped"
DOOR = "door of cage <*> left ajar"


def quiet(id: str) -> dict[str, Any]:
    return {"id": id, "score": 0.1, "p_value": 0.5, "alarm": False, "promised": 0.05, "held_out": 99}


def alarm(
    id: str,
    template: str,
    *,
    score: float = 1.0,
    p_value: float = 0.02,
    words: tuple[str, ...] = (),
    parts: tuple[tuple[str, float], ...] = (),
) -> dict[str, Any]:
    raising = [{"text": text, "start": 0, "end": len(text), "rise": rise} for text, rise in parts]
    return {
        **quiet(id),
        "score": score,
        "p_value": p_value,
        "alarm": True,
        "text": template.replace("<*>", "7"),
        "template": template,
        "template_seen": False,
        "unseen_words": list(words),
        "parts": raising,
        "nearest": [{"text": "all is well", "similarity": 0.3}],
    }


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "alarms.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def group(template: str, num_alarms: int) -> Group:
    return Group(template, num_alarms, 1.0, Counter(), Counter(), first=(1, "a"), last=(1, "a"))


def templates(groups: list[Group]) -> list[tuple[str, int]]:
    return [(group.template, group.num_alarms) for group in groups]


def test_alarms_of_one_template_are_a_group_with_its_words_parts_and_ends(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        quiet("a"),
        alarm("b", FAN, score=2.0, words=("fan", "rack"), parts=(("fan", 0.5), ("7", 0.2))),
        alarm("c", DOOR, score=9.0),
        alarm("d", FAN, score=3.0, words=("fan",), parts=(("7", 0.4), ("of", -0.1))),
        quiet("e"),
    )
    alarms = read_alarms(path, rate=None)
    assert (alarms.num_texts, alarms.num_alarms, alarms.rate, alarms.held_out) == (5, 3, 0.05, 99)
    assert list(alarms.groups) == [FAN, DOOR]
    assert alarms.groups[FAN] == Group(
        template=FAN,
        num_alarms=2,
        score=3.0,
        words=Counter(fan=2, rack=1),
        parts=Counter({"7": 2, "fan": 1}),
        first=(2, "b"),
        last=(4, "d"),
    )


def test_a_lower_rate_leaves_out_the_alarms_above_it(tmp_path: Path) -> None:
    path = write(tmp_path, alarm("a", FAN, p_value=0.02), alarm("b", DOOR, p_value=0.01))
    alarms = read_alarms(path, rate=0.01)
    assert (alarms.num_texts, alarms.num_alarms, list(alarms.groups)) == (2, 1, [DOOR])


def test_an_alarm_without_a_template_is_grouped_by_its_text(tmp_path: Path) -> None:
    path = write(tmp_path, {**alarm("a", ""), "text": "two\nlines"}, {**alarm("b", ""), "text": "two lines"})
    assert templates(list(read_alarms(path, rate=None).groups.values())) == [("two lines", 2)]


def test_templates_that_are_alike_become_one_group_named_by_most_of_its_alarms() -> None:
    groups = merged([group(FAN, 2), group(DOOR, 3), group(f"{FAN} turning", 4)], distance=0.5)
    assert templates(groups) == [(f"{FAN} turning", 6), (DOOR, 3)]


def test_a_small_distance_keeps_templates_apart() -> None:
    groups = merged([group(FAN, 2), group(f"{FAN} turning", 4)], distance=0.01)
    assert templates(groups) == [(f"{FAN} turning", 4), (FAN, 2)]


def test_groups_of_equal_size_stand_in_the_order_of_their_text() -> None:
    names = ["pump", "door", "crane", "fan"]
    expected = [("crane", 1), ("door", 1), ("fan", 1), ("pump", 1)]
    assert templates(merged([group(name, 1) for name in names], distance=0.5)) == expected


def test_no_group_and_a_single_group_stay_as_they_are() -> None:
    assert merged([], distance=0.5) == []
    assert templates(merged([group(FAN, 2)], distance=0.5)) == [(FAN, 2)]


def test_the_table_has_a_line_for_each_group_below_counts_and_drift(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [alarm(f"line-{place}", DOOR, words=("ajar",), parts=(("cage", 0.5),)) for place in range(2)]
    path = write(tmp_path, *map(quiet, "abc"), alarm("d", "[red] <*>", score=2.5, words=("[red]",)), *many)
    main([str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "6 lines read, 3 alarms in 2 groups"
    assert lines[1] == (
        "3 alarms in 6 texts, more than the 0 to 2 that chance allows (95 % range) "
        "at the promised 5.00% with 99 held-out texts"
    )
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells == [
        ["2", "1.000", DOOR, "ajar", "cage", "line-0", "line-1"],
        ["1", "2.500", "[red] <*>", "[red]", "", "d", "d"],
    ]


def test_groups_beyond_the_top_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("pump", "door", "crane", "pump")
    main([str(write(tmp_path, *(alarm(str(place), name) for place, name in enumerate(names)))), "--top=1"])
    assert "and 2 more groups of 2 alarms: --top=3 shows all" in capsys.readouterr().out


def test_a_file_without_alarms_has_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(write(tmp_path, quiet("a"), quiet("b")))])
    first, second = capsys.readouterr().out.splitlines()
    assert first == "2 lines read, 0 alarms in 0 groups"
    assert second.startswith("0 alarms in 2 texts, within the 0 to 1 that chance allows")


def test_a_rate_too_low_for_the_held_out_texts_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(write(tmp_path, quiet("a"), alarm("b", FAN))), "--rate=0.005"])
    assert "none is possible at the promised 0.50% with 99 held-out texts, that takes 199" in (
        capsys.readouterr().out
    )


def test_what_would_steer_a_terminal_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(write(tmp_path, alarm("a", "pump \x1b[2J off")))])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "pump \N{REPLACEMENT CHARACTER}[2J off" in printed


@pytest.mark.parametrize(
    ("rows", "rate", "message"),
    [
        ([], None, "alarms.jsonl: is empty; allowed: the rows that `predict` writes"),
        ([quiet("a"), {"id": "b"}], None, "alarms.jsonl:2: no row that `predict` wrote for anomalies: "),
        ([{**quiet("a"), "alarm": True}], None, "alarms.jsonl:1: no row that `predict` wrote"),
        ([{**alarm("a", FAN), "parts": ["fan"]}], None, "alarms.jsonl:1: no row that `predict` wrote"),
        (
            [quiet("a"), {**quiet("b"), "promised": 0.01}],
            None,
            "alarms.jsonl:2: promises 0.01 from 99 held-out texts, the lines above 0.05 from 99 held-out",
        ),
        (
            [quiet("a"), {**quiet("b"), "held_out": 800}],
            None,
            "alarms.jsonl:2: promises 0.05 from 800 held-out texts, the lines above 0.05 from 99 held-out",
        ),
        ([quiet("a")], 0.1, "alarms.jsonl:1: --rate=0.1 is above the promised 0.05; allowed: at most that"),
    ],
)
def test_a_file_that_predict_did_not_write_is_refused_with_the_line(
    tmp_path: Path, rows: list[dict[str, Any]], rate: float | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_alarms(write(tmp_path, *rows), rate=rate)


def test_mistakes_on_the_command_line_are_told_at_once_with_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["missing.jsonl", "--rate=1", "--top=0", "--distance=2"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: --rate=1.0; allowed: above 0, below 1",
        "error: --top=0; allowed: at least 1",
        "error: --distance=2.0; allowed: above 0, at most 1",
    ]


def test_the_command_names_a_missing_file_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tasks.anomaly.groups", str(tmp_path / "missing.jsonl")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path / 'missing.jsonl'}: cannot be read: No such file or directory\n"
