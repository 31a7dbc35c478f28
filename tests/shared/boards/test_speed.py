from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from shared.boards.speed import (
    SpeedRecord,
    SpeedTable,
    read_speeds,
    row_of,
    shown,
    table_text,
    write_speed,
)
from shared.boards.speed_page import speed_markdown, speed_plots
from shared.errors import UserError
from shared.provenance import Code, Hardware

TABLE = SpeedTable(
    "answers", "Two texts.", ["system", "documents/s"], [row_of("ours", 1234.5), row_of("n", "n/a")]
)
RECORD = SpeedRecord(
    bench="inference",
    command="make bench",
    tables=[TABLE],
    hardware=Hardware("one", 2, 2, 24.0, ""),
    busy_before=0.031,
    code=Code("0123456789abcdef", clean=True),
    versions={"torch": "2.13.0", "numpy": "2.4.6"},
    created="2026-11-25",
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, "1,234"), (87.64, "87.6"), (2.5, "2.50"), (0.876, "0.88"), (0.0, "0.00"), (-2.91, "-2.91")],
)
def test_numbers_have_three_significant_digits(value: float, expected: str) -> None:
    assert shown(value) == expected


def test_a_record_is_read_back_as_it_was_written_and_rendered(tmp_path: Path) -> None:
    path = write_speed(RECORD, tmp_path)
    assert path == tmp_path / "speed" / "inference-one.json"
    assert read_speeds(tmp_path) == [RECORD]
    page = speed_markdown(read_speeds(tmp_path))
    assert "- one, 2 threads, 24 GiB, no accelerator; 3 % of it was taken by others before\n" in page
    assert "- 2026-11-25, commit 0123456789; torch 2.13.0\n" in page
    assert "| ours     |         1,234 |" in page and "| n        |           n/a |" in page
    assert table_text(TABLE).startswith("answers\nTwo texts.\n")


def test_each_machine_has_its_own_record_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    other = replace(RECORD, hardware=Hardware("Two(R) Chip", 2, 2, 24.0, ""))
    beside = replace(RECORD, hardware=Hardware("one", 2, 2, 24.0, "GPU 80GB"))
    newer = replace(RECORD, created="2026-11-26")
    paths = [write_speed(record, tmp_path).name for record in (RECORD, other, beside, newer)]
    assert paths == ["inference-one.json", "inference-two-chip.json", "inference-gpu-80gb.json", paths[0]]
    assert read_speeds(tmp_path) == [beside, newer, other]
    page = speed_markdown(read_speeds(tmp_path))
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## inference, GPU 80GB",
        "## inference, one",
        "## inference, Two(R) Chip",
    ]


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    path = write_speed(RECORD, tmp_path)
    path.write_text(path.read_text().replace('"bench"', '"bank"'))
    with pytest.raises(UserError, match=r"inference-one\.json.*bank"):
        read_speeds(tmp_path)


def test_a_table_of_sizes_is_drawn_and_others_are_not(tmp_path: Path) -> None:
    grows = SpeedTable("by size", "Two.", ["texts", "seconds"], [["100", "1.00"], ["1,000", "4.00"]])
    record = replace(RECORD, bench="growth", tables=[TABLE, grows])
    plots = speed_plots([record, RECORD])
    assert list(plots) == ["speed/growth-one-texts.svg"]
    assert "![by size](speed/growth-one-texts.svg)" in speed_markdown([record])
    image = ElementTree.fromstring(plots["speed/growth-one-texts.svg"])
    assert image.tag == "{http://www.w3.org/2000/svg}svg"
    description = image.find("{*}desc")
    assert (
        description is not None and description.text == "100 texts: 1.00 seconds; 1,000 texts: 4.00 seconds"
    )
    assert len(image.findall(".//{*}circle")) == 2
