import pytest
from omegaconf import OmegaConf

from shared.compose import compose_run
from shared.config import config_digest, read_config
from shared.errors import ConfigError
from shared.training_config import LoraConfig, Method
from shared.typed_config import typed


def test_a_value_out_of_range_names_what_is_allowed() -> None:
    node = OmegaConf.create(
        {
            "method": "lora",
            "r": 0,
            "alpha": 1,
            "dropout": 0.0,
            "modules": None,
            "layers": 0,
            "dora": False,
            "rslora": False,
        }
    )
    with pytest.raises(ConfigError, match=r"lora\.r=0; allowed: a whole number above 0"):
        typed(node, LoraConfig, path="lora")


def test_a_negative_number_of_examples_or_steps_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        compose_run("ner", ["train.examples=-1", "train.min_steps=-2"])
    assert caught.value.mistakes == [
        "train.min_steps=-2; allowed: 0 or more",
        "train.examples=-1; allowed: 0 or more",
    ]


def test_the_configuration_of_a_run_from_before_there_were_few_examples_is_read() -> None:
    stored = OmegaConf.create(compose_run("ner", []).resolved)
    del stored.train["examples"], stored.train["min_steps"]
    config = read_config(stored)
    assert (config.train.examples, config.train.min_steps) == (0, 0)


def test_two_typos_of_different_kinds_are_both_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        compose_run("ner", ["data=finer_odr", "lora.rr=3", "train.epochs=many"])
    text = str(caught.value)
    assert "did you mean 'finer_ord'?" in text
    assert "lora.rr is unknown" in text
    assert "train.epochs='many'" in text


def test_every_value_of_a_sweep_is_checked() -> None:
    with pytest.raises(ConfigError, match="model=minilmm"):
        compose_run("ner", ["model=minilm,minilmm"], sweep=True)
    with pytest.raises(ConfigError, match=r"lora\.r='8x'"):
        compose_run("ner", ["lora.r=4,8x"], sweep=True)


@pytest.mark.parametrize("override", ["lora.r=4,8", "title=SmolLM2, checked"])
def test_several_values_are_never_cut_to_the_first(override: str) -> None:
    with pytest.raises(ConfigError, match="several values: -m runs each of them"):
        compose_run("ner", ["train.epochs=2", override])
    assert compose_run("ner", ['title="SmolLM2, checked"']).title == "SmolLM2, checked"


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


def test_a_group_that_the_task_chooses_cannot_be_taken_away() -> None:
    with pytest.raises(
        ConfigError, match="first_stage=null: no such option; first_stage is one of bm25, fusion"
    ):
        compose_run("reranking", ["first_stage=null"])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("~lora", "lora is left out, and nothing works without it"),
        ("~first_stage", "Interpolation key 'first_stage' not found"),
        ("lora=null", "lora is one of full, head, r16"),
    ],
)
def test_a_group_that_everything_needs_cannot_be_left_out(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compose_run("reranking", [override])
