"""A record goes to its file and back unchanged, and a damaged one is refused by file and key."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import Score
from shared.errors import UserError
from shared.provenance import Code, FileFacts, Hardware
from shared.record import (
    Counts,
    DataFacts,
    MetricFacts,
    Record,
    Reliability,
    Training,
    portable_config,
    read_record,
    record_id,
    write_record,
)
from tests.shared.records import make_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_record(make_record(), tmp_path / "record.json")
    return tmp_path / "record.json"


def edit(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


def test_a_record_reads_back_equal(path: Path) -> None:
    assert read_record(path) == make_record()


def test_optional_parts_read_back_as_none(tmp_path: Path) -> None:
    trivial = make_record(kind="baseline", base=None, parameters=None, training=None, code=None, counts=None)
    write_record(trivial, tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == trivial


def test_a_reliability_reads_back_and_an_older_record_has_none(path: Path, tmp_path: Path) -> None:
    found = Reliability(
        unit="spans",
        num=2,
        ece=Score(0.35, 0.1, 0.6),
        brier=Score(0.185, 0.01, 0.36),
        aurc=0.25,
        coverage_at={"1": 0.5},
        bins=[[0.6, 0, 1], [0.9, 1, 1]],
        curve=[[0.5, 0], [1, 0.5]],
    )
    write_record(make_record(reliability=found), tmp_path / "judged.json")
    assert read_record(tmp_path / "judged.json").reliability == found
    older = json.loads(path.read_text())
    del older["reliability"]
    path.write_text(json.dumps(older))
    assert read_record(path).reliability is None


def test_counts_stand_on_one_line_a_document(path: Path) -> None:
    assert '      "d1": [2, 3, 3, 0, 0, 1],\n' in path.read_text()


def test_missing_key_is_named(path: Path) -> None:
    value = json.loads(path.read_text())
    del value["data"]["digest"]
    path.write_text(json.dumps(value))
    with pytest.raises(UserError, match=r"record\.json: data\.digest is missing"):
        read_record(path)


def test_unknown_key_is_named_with_the_close_one(path: Path) -> None:
    with pytest.raises(UserError, match=r"record\.json: sed is unknown \(did you mean 'seed'\?\)"):
        read_record(edit(path, sed=1))


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("seed", "1", "int"),
        ("seed", True, "int"),
        ("data", 3, "an object"),
        ("scores", {"f1": {"value": "high", "low": None, "high": None}}, "float"),
    ],
)
def test_mistyped_value_is_named(path: Path, key: str, value: Any, allowed: str) -> None:
    with pytest.raises(UserError, match=rf"record\.json: {key}.* is .*; allowed: {allowed}"):
        read_record(edit(path, **{key: value}))


def test_unknown_kind_is_refused(path: Path) -> None:
    with pytest.raises(UserError, match=r"kind is 'mesured' \(did you mean 'measured'\?\)"):
        read_record(edit(path, kind="mesured"))


def test_bad_json_is_refused_by_file(path: Path) -> None:
    path.write_text("{")
    with pytest.raises(UserError, match=r"record\.json is not a readable record"):
        read_record(path)


def test_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json is not a readable record"):
        read_record(tmp_path / "none.json")


def test_every_part_is_frozen() -> None:
    parts = (Record, DataFacts, MetricFacts, Counts, FileFacts, Code, Hardware, Training, Score)
    assert all(vars(part)["__dataclass_params__"].frozen for part in parts)
    assert dataclasses.replace(make_record(), seed=2).seed == 2


def test_record_id_is_fit_for_a_file_name() -> None:
    assert record_id("ner/minilm_lora", seed=2, digest="0a1b2c3d") == "ner-minilm-lora-seed2-0a1b2c3d"
    assert record_id("Llama 3.1 405B (run 1)", seed=1, digest="aa") == "llama-3.1-405b-run-1-seed1-aa"


def test_portable_config_holds_no_folder_of_this_machine() -> None:
    resolved = {
        "seed": 1,
        "data_dir": "/home/me/data",
        "data": {"data_dir": "/home/me/data", "splits": ["train"]},
        "baseline": {"folder": "/home/me/data/finer-ord/replies"},
        "other": "/home/me/database",
    }
    assert portable_config(resolved, places={"data_dir": "/home/me/data", "run": ""}) == {
        "seed": 1,
        "data": {"splits": ["train"]},
        "baseline": {"folder": "<data_dir>/finer-ord/replies"},
        "other": "/home/me/database",
    }
