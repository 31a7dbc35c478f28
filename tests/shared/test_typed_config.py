from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.errors import ConfigError
from shared.typed_config import build


@dataclass(frozen=True)
class Corner:
    x: int
    label: str = "none"


@dataclass(frozen=True)
class Box:
    corner: Corner
    folder: Path


def test_build_gives_the_target_dataclass_with_nested_parts() -> None:
    node = OmegaConf.create(
        {"_target_": f"{__name__}.Box", "corner": {"x": 3, "label": "a"}, "folder": "/tmp"}
    )
    assert build(node, path="box") == Box(Corner(3, "a"), Path("/tmp"))


def test_build_reports_every_wrong_key_type_and_missing_value_at_once() -> None:
    node = OmegaConf.create({"_target_": f"{__name__}.Box", "corner": {"x": "three", "labell": "a"}})
    with pytest.raises(ConfigError) as caught:
        build(node, path="box")
    text = str(caught.value)
    assert "box.corner.x='three'" in text
    assert "box.corner.labell is unknown (did you mean 'label'?)" in text
    assert "box.folder is missing" in text


@dataclass(frozen=True)
class Shelf:
    boxes: Any


def test_what_is_built_of_plain_values_shares_none_of_them() -> None:
    node = {"_target_": f"{__name__}.Shelf", "boxes": {"first": [1, 2]}}
    built = build(node, path="shelf")
    built.boxes["first"].append(3)
    assert node["boxes"] == {"first": [1, 2]}


def test_build_names_a_target_that_cannot_be_imported() -> None:
    with pytest.raises(ConfigError, match=r"no\.such\.Thing"):
        build(OmegaConf.create({"_target_": "no.such.Thing"}), path="data")
