import logging
from pathlib import Path

import numpy as np
import pytest

from shared.templates import Templates

LINES = [
    "pump 3 started in hall north after 12 ms",
    "pump 4 started in hall south after 7.5 ms",
    "valve at 0x1f closed",
    "valve at 0xA0B2 closed",
]
ACTIONS = ["opened", "closed", "was checked", "lost its signal", "was moved to store"]
THINGS = ["valve", "pump", "drum", "belt"]


def generated_lines(number: int, *, seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    return [
        f"{generator.choice(THINGS)} {generator.choice(['alpha', 'beta', 'gamma', '17', 'node-3'])} "
        f"{generator.choice(ACTIONS)} at {generator.integers(24)}:{generator.integers(60):02d} "
        f"{'by ' + generator.choice(['Ada', 'Bo', 'Cy']) if generator.integers(2) else ''}"
        for _ in range(number)
    ]


def test_what_changes_is_open_and_what_stays_is_kept() -> None:
    assert Templates.mined(LINES).known == [
        "pump <*> started in hall <*> after <*> ms",
        "valve at <*> closed",
    ]


def test_a_new_text_of_a_known_template_is_told_from_one_of_another() -> None:
    templates = Templates.mined(LINES)
    assert templates.of("pump 9 started in hall east after 1 ms") == (
        "pump <*> started in hall <*> after <*> ms",
        True,
    )
    assert templates.of("pump 9 stopped in  hall 2") == ("pump <*> stopped in hall <*>", False)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("at 12:30:01 from 10.0.0.7:80", "at <*> from <*>"),
        ("rack R24-M1 core.118", "rack R<*>-M<*> core.<*>"),
        ("read 0x00fe and DEADBEEF1 and c0ffee", "read <*> and <*> and <*>"),
        ("the facade fell a decade ago", "the facade fell a decade ago"),
        ("1,000.5 of -7", "<*> of -<*>"),
    ],
)
def test_numbers_and_hexadecimal_values_are_masked_and_words_are_not(text: str, masked: str) -> None:
    assert Templates([]).of(text) == (masked, False)


def test_of_several_templates_that_fit_the_one_with_the_fewest_open_words_is_taken() -> None:
    templates = Templates(["<*> <*> open", "gate <*> open", "<*> left open"])
    assert templates.of("gate left open") == ("gate <*> open", True)
    assert templates.of("door left open") == ("<*> left open", True)
    assert templates.of("door is open") == ("<*> <*> open", True)


def test_every_mined_text_has_a_known_template() -> None:
    lines = generated_lines(400, seed=1)
    templates = Templates.mined(lines)
    assert 1 < len(templates.known) < 60
    for line in lines:
        template, seen = templates.of(line)
        assert seen and template in templates.known


def test_restored_templates_answer_as_those_mined() -> None:
    mined = Templates.mined(generated_lines(400, seed=1))
    restored = Templates(mined.known)
    new = generated_lines(400, seed=2) + [f"{line} again" for line in generated_lines(100, seed=3)]
    answers = [mined.of(line) for line in new]
    assert [restored.of(line) for line in new] == answers
    assert {seen for _, seen in answers} == {True, False}


def test_the_same_texts_give_the_same_templates() -> None:
    lines = generated_lines(400, seed=1)
    assert Templates.mined(lines) == Templates.mined(lines)


def test_texts_that_are_nearly_all_numbers_make_one_template() -> None:
    assert Templates.mined(f"{number} {number + 1} 7 ok" for number in range(50)).known == ["<*> <*> <*> ok"]


def test_an_empty_text_has_an_empty_template() -> None:
    assert Templates.mined(["", " \n"]).of("") == ("", True)
    assert Templates.mined([]).of("") == ("", False)


def test_mining_reads_no_settings_and_says_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "drain3.ini").write_text("[DRAIN]\nsim_th = 0.99\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.DEBUG):
        found = Templates.mined(LINES)
    assert len(found.known) == 2
    assert capsys.readouterr() == ("", "") and not caplog.records
    assert [path.name for path in tmp_path.iterdir()] == ["drain3.ini"]
