import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.errors import ConfigError
from shared.examples import UNRELATED
from shared.typed_config import build
from tests.tasks.anomaly.adapters import ROOT


def node(name: str, **settings: Any) -> dict[str, Any]:
    """Return the node of `<name>.yaml` with these settings."""
    yaml = OmegaConf.load(ROOT / "conf" / "anomaly" / "data" / f"{name}.yaml")
    beside = {"seed": 1, "data_dir": "none", "source": None, "unrelated": None}
    root: Any = OmegaConf.to_container(OmegaConf.create({**beside, "data": yaml}), resolve=True)
    found: dict[str, Any] = {**root["data"], **settings}
    return found


def exposed(folder: Path, *texts: str, most: int = 10, **source: Any) -> Any:
    """Return the sample exposed to lines with these texts, the first 60 % of which are a train split."""
    rows = [{"text": text, "anomalous": text.startswith("odd")} for text in texts]
    path = folder / "other.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    other = node("lines", file=str(path), protocol="time", licence="theirs", known=None)
    settings = {"source": node("sample", **source), "unrelated": other, "most": most, "seed": 1}
    return build(node("exposed", **settings), path="data")


def test_normal_texts_of_elsewhere_train_as_unrelated_and_nothing_else_changes(tmp_path: Path) -> None:
    """Of ten lines six are its train split: one is odd, one stands twice."""
    texts = ["a b", "odd", "A  b", "c", "d", "e", "f", "g", "h", "i"]
    data = exposed(tmp_path, *texts, known=3)
    plain = build(node("sample", known=3), path="data")
    train = data.load("train")
    added = train[len(plain.load("train")) :]
    assert train[: -len(added)] == plain.load("train")
    assert sorted(example.text for example in added) == ["a b", "c", "d", "e"]
    assert {(example.kind, example.anomalous, example.unrelated) for example in added} == {
        (UNRELATED, True, True)
    }
    assert len({example.id for example in train}) == len(train)
    for split in ("validation", "test"):
        assert data.load(split) == plain.load(split)
        assert data.files(split) == plain.files(split)
    assert data.name == plain.name and data.licence == f"{plain.licence}; theirs"
    assert data.files("train") == [*plain.files("train"), tmp_path / "other.jsonl"]
    assert data.report().endswith("\nunrelated texts to train on: 4 of lines")


def test_texts_that_the_source_has_too_are_not_unrelated_and_a_seed_draws_the_others(tmp_path: Path) -> None:
    own = build(node("sample"), path="data").load("train")[0].text
    texts = [own, *map(str, range(40))]
    drawn = [example.text for example in exposed(tmp_path, *texts, most=5).load("train") if example.unrelated]
    again = [example.text for example in exposed(tmp_path, *texts, most=5).load("train") if example.unrelated]
    assert len(set(drawn)) == 5 and own not in drawn and drawn == again
    every = exposed(tmp_path, *texts, most=500).load("train")
    assert sum(example.unrelated for example in every) == round(0.6 * len(texts)) - 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "data.source is empty; name what has the texts to learn, as data@source=bgl"),
        (
            {"source": node("sample")},
            "data.unrelated is empty; name what has the texts to move away from, as data@unrelated=bgl",
        ),
        (
            {"source": node("sample"), "unrelated": {"data": node("lines"), "task": {}}},
            "data.unrelated names no data set alone; allowed: what sets nothing else, which thunderbird does",
        ),
        (
            {"source": node("sample"), "unrelated": node("sample"), "most": 0},
            "data.most=0; allowed: 1 or more unrelated texts",
        ),
        (
            {"source": node("sample"), "unrelated": node("sample")},
            "data.unrelated is data.source itself; allowed: other texts",
        ),
    ],
)
def test_what_is_missing_or_the_same_is_named(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        build(node("exposed", **settings), path="data")
    assert problem in error.value.mistakes


def test_data_of_another_task_has_no_normal_texts(tmp_path: Path) -> None:
    ner = OmegaConf.load(ROOT / "conf" / "ner" / "data" / "sample.yaml")
    other: dict[str, Any] = OmegaConf.to_container(ner)  # type: ignore[assignment]
    data = build(node("exposed", source=node("sample"), unrelated=other), path="data")
    with pytest.raises(ConfigError, match="has no normal texts; allowed: data of anomaly spotting"):
        data.load("train")
