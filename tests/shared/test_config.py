from dataclasses import dataclass
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from shared.compose import compose_run
from shared.config import LoraConfig, Method, build, config_digest, typed
from shared.errors import ConfigError


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


def test_build_names_a_target_that_cannot_be_imported() -> None:
    with pytest.raises(ConfigError, match=r"no\.such\.Thing"):
        build(OmegaConf.create({"_target_": "no.such.Thing"}), path="data")


def test_a_value_out_of_range_names_what_is_allowed() -> None:
    node = OmegaConf.create(
        {
            "method": "lora",
            "r": 0,
            "alpha": 1,
            "dropout": 0.0,
            "modules": None,
            "dora": False,
            "rslora": False,
        }
    )
    with pytest.raises(ConfigError, match=r"lora\.r=0; allowed: a whole number above 0"):
        typed(node, LoraConfig, path="lora")


def test_two_typos_of_different_kinds_are_both_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        compose_run("ner", ["data=finer_odr", "lora.rr=3", "train.epochs=many"])
    text = str(caught.value)
    assert "did you mean 'finer_ord'?" in text
    assert "lora.rr is unknown" in text
    assert "train.epochs='many'" in text


def test_every_value_of_a_sweep_is_checked() -> None:
    with pytest.raises(ConfigError, match="model=minilmm"):
        compose_run("ner", ["model=minilm,minilmm"])


def test_a_model_chooses_the_head_it_needs() -> None:
    config = compose_run("ner", ["model=gliner_minilm", "lora=full"])
    assert type(config.head).__name__ == "SpanExtraction"
    assert config.lora.method is Method.full


@pytest.mark.parametrize("override", ["lora.dora=true", "lora.rslora=true"])
def test_lora_variants_are_one_override(override: str) -> None:
    compose_run("ner", [override])


def test_the_digest_does_not_depend_on_folders() -> None:
    here = {"seed": 1, "data_dir": "/a", "data": {"name": "x", "data_dir": "/a"}}
    there = {"seed": 1, "data_dir": "/b", "data": {"name": "x", "data_dir": "/b"}}
    assert config_digest(here) == config_digest(there) != config_digest({**here, "seed": 2})


def test_the_digest_leaves_out_the_run_worked_on_but_not_a_baselines_run() -> None:
    one, other = ({"run": name, "baseline": {"run": 1}} for name in ("latest", "yesterday"))
    assert config_digest(one) == config_digest(other) != config_digest({**one, "baseline": {"run": 2}})
