import hashlib
from collections import Counter
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.fetch import PinnedFile
from tasks.anomaly.logs import Loghub, windows
from tasks.anomaly.splits import Protocol
from tests.tasks.anomaly.adapters import adapter

LOG = (
    "LineId,Label,Node,Level,Content,EventId\r\n"
    '1,-,n1,INFO,"started, ok",E1\r\n'
    "2,-,n2,INFO,started,E1\r\n"
    "3,FANFAIL,n1,FATAL,fan 3 stopped,E2\r\n"
    "4,HEAT,n1,FATAL,too hot,E3\r\n"
    "5,-,n2,INFO,stopped,E4\r\n"
)


def log(folder: Path, content: str = LOG, **settings: Any) -> Loghub:
    """Return the adapter on a log of five lines, all of them in train: two nodes, two alerts."""
    (folder / "log.csv").write_bytes(content.encode())
    pinned = PinnedFile("log.csv", hashlib.sha256(content.encode()).hexdigest(), "")
    values: dict[str, Any] = {
        "title": "Rack, {protocol}",
        "licence": "none",
        "file": pinned,
        "fields": ["Content"],
        "node": "Node",
        "window": 1,
        "protocol": Protocol.time,
        "fold": 1,
        "known": None,
        "known_seed": 1,
        "data_dir": folder,
    }
    return Loghub(**{**values, **settings})


def all_of(data: Loghub) -> list[tuple[str, tuple[str, ...], str, str]]:
    found = [item for split in SPLITS for item in data.load(split)]
    assert all(item.document == item.id and item.anomalous == bool(item.kind) for item in found)
    return [(item.id, item.texts, item.kind, item.group) for item in found]


def test_a_line_is_its_content_with_the_alert_as_kind_and_the_template_as_group(tmp_path: Path) -> None:
    """The first three of five lines are train, the fourth is validation: an anomaly, passed over."""
    assert all_of(log(tmp_path)) == [
        ("line-1", ("started, ok",), "", "E1"),
        ("line-2", ("started",), "", "E1"),
        ("line-3", ("fan 3 stopped",), "FANFAIL", "E2"),
        ("line-5", ("stopped",), "", "E4"),
    ]


def test_more_columns_are_joined_by_a_blank(tmp_path: Path) -> None:
    data = log(tmp_path, fields=["Level", "Content"])
    assert data.load("train")[2].texts == ("FATAL fan 3 stopped",)


def test_a_window_is_of_one_node_and_has_the_kind_of_its_first_alert(tmp_path: Path) -> None:
    """n1 has lines 1, 3 and 4, n2 has 2 and 5; of the three windows two are train, the last is test."""
    assert all_of(log(tmp_path, window=2)) == [
        ("line-1", ("started, ok", "fan 3 stopped"), "FANFAIL", ""),
        ("line-2", ("started", "stopped"), "", ""),
        ("line-4", ("too hot",), "HEAT", "E3"),
    ]


def test_nodes_of_one_name_up_to_a_mark_are_one(tmp_path: Path) -> None:
    content = LOG.replace("n1", "n-1").replace("n2", "n-2")
    found = all_of(log(tmp_path, content, window=2, node_end="-"))
    assert [name for name, *_ in found] == ["line-1", "line-3", "line-5"]
    assert found[0][1] == ("started, ok", "started")


def test_windows_stand_in_the_order_of_their_first_rows() -> None:
    rows = [{"node": node, "id": str(place)} for place, node in enumerate("abaab")]
    found = [[row["id"] for row in window] for window in windows(rows, size=2, node=itemgetter("node"))]
    assert found == [["0", "2"], ["1", "4"], ["3"]]


def test_the_name_tells_the_protocol_where_the_title_asks_for_it(tmp_path: Path) -> None:
    assert log(tmp_path).name == "Rack, time"
    assert log(tmp_path, protocol=Protocol.new_templates).name == "Rack, new templates"
    assert log(tmp_path, title="Rack").name == "Rack"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"fields": ["Contents"]},
            "log.csv:1: no column 'Contents' (did you mean 'Content'?), found LineId, Label, Node, Level, "
            "Content, EventId",
        ),
        (
            {"node": "User"},
            "log.csv:1: no column 'User', found LineId, Label, Node, Level, Content, EventId",
        ),
        (
            {"content": LOG + "6,-,n1\r\n"},
            "log.csv:7: 3 cells; the header has 6: LineId, Label, Node, Level, Content, EventId",
        ),
    ],
)
def test_a_column_or_row_that_does_not_fit_is_named_with_its_line(
    tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        log(tmp_path, **settings).load("train")
    assert str(caught.value) == f"{tmp_path}/{problem}"


def test_a_window_below_one_line_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.window=0; allowed: 1 or more lines"):
        log(tmp_path, window=0).load("train")


def test_bgl_holds_out_whole_templates(public_data_dir: Path) -> None:
    held = set()
    for seed in (1, 2, 3):
        data = adapter("bgl", folder=public_data_dir, seed=seed, known=None)
        splits = {split: data.load(split) for split in SPLITS}
        assert sum(map(len, splits.values())) == 2000
        assert sum(item.anomalous for part in splits.values() for item in part) == 143
        templates = {split: {item.group for item in part} for split, part in splits.items()}
        assert [len(templates[split]) for split in SPLITS] == [48, 24, 48]
        assert len(set.union(*templates.values())) == 120
        held.add(frozenset(templates["validation"]))
    assert data.name == "BGL, new templates"
    assert len(held) == 1


def test_bgl_has_its_categories_and_no_line_end_in_a_text(public_data_dir: Path) -> None:
    data = adapter("bgl", folder=public_data_dir, protocol="time", known=None)
    parts = [item for split in SPLITS for item in data.load(split)]
    assert not [item.id for item in parts if item.text != item.text.strip()]
    assert Counter(item.kind for item in data.load("test") if item.anomalous) == {
        "APPSEV": 8,
        "APPRES": 4,
        "KERNREC": 4,
        "KERNTERM": 3,
        "APPTO": 2,
        "KERNMNTF": 2,
        "APPOUT": 1,
    }


def test_bgl_new_kinds_are_new(public_data_dir: Path) -> None:
    data = adapter("bgl", folder=public_data_dir, protocol="new_kinds", known=None)
    kinds = [{item.kind for item in data.load(split) if item.anomalous} for split in SPLITS]
    assert list(map(len, kinds)) == [5, 2, 5]
    assert len(set.union(*kinds)) == 12


def test_bgl_known_anomalies_do_not_change_validation_and_test(public_data_dir: Path) -> None:
    few, more = (adapter("bgl", folder=public_data_dir, known=number) for number in (5, 20))
    assert [sum(item.anomalous for item in data.load("train")) for data in (few, more)] == [5, 20]
    for split in SPLITS[1:]:
        assert few.load(split) == more.load(split)


def test_thunderbird_has_no_anomaly(public_data_dir: Path) -> None:
    data = adapter("thunderbird", folder=public_data_dir)
    splits = [data.load(split) for split in SPLITS]
    assert list(map(len, splits)) == [1200, 400, 400]
    assert not [item.id for part in splits for item in part if item.anomalous]
    assert data.name == "Thunderbird"
