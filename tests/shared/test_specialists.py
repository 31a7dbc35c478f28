"""Several bundles on one base: each answers as it does alone, whoever shares its batch."""

import json
from pathlib import Path

import pytest

from shared.adapters import Origin, load_bundle, save_bundle
from shared.compose import compose_run
from shared.errors import BundleError, UserError
from shared.evaluate import predict
from shared.specialists import Specialists
from tests.shared.bundles import BATCH_TOKENS, moved, write_bundle
from tests.shared.heads.texts import RELATIONS, marked_example

TASKS = {
    "entities": ("ner", ["lora.r=4"]),
    "concepts": ("ontology", []),
    "oddities": ("anomaly", ["lora=head"]),
    "passages": ("reranking", ["head=dual_encoding", "lora.rslora=true"]),
}
FEW = 12


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    for name, (task, overrides) in TASKS.items():
        write_bundle(folder / name, task, overrides, validation=examples_of(task, all_of=task == "anomaly"))
    return {name: folder / name for name in TASKS}


def examples_of(task: str, *, all_of: bool = False) -> list:
    examples = compose_run(task, []).data.load("validation")
    return examples if all_of else examples[:FEW]


def test_each_answers_in_a_mixed_batch_as_its_own_merged_bundle_does(bundles: dict[str, Path]) -> None:
    together = Specialists.load(bundles)
    texts = {name: examples_of(task) for name, (task, _) in TASKS.items()}
    asked = [(name, texts[name][place]) for place in range(FEW) for name in TASKS]
    found = together.predict(asked, batch_tokens=BATCH_TOKENS)
    for place, name in enumerate(TASKS):
        alone = predict(load_bundle(bundles[name]), texts[name], batch_tokens=BATCH_TOKENS)
        own = found[place :: len(TASKS)]
        assert [answer.id for answer in own] == [example.id for example in texts[name]]
        assert [answer.key for answer in own] == [answer.key for answer in alone]


def test_relations_keep_the_marks_that_their_bundle_added(bundles: dict[str, Path], tmp_path: Path) -> None:
    config = compose_run("ontology", [])
    model = moved(config, types=RELATIONS.row)
    origin = Origin("ontology", config.resolved["head"], "sample", "MIT")
    save_bundle(model, tmp_path / "relations", origin=origin, lora=config.lora)
    together = Specialists.load({"entities": bundles["entities"], "relations": tmp_path / "relations"})
    marked = [
        marked_example("the rain caused a flood", "rain", "flood", id="0"),
        marked_example("the flood came with rain", "flood", "rain", id="1"),
    ]
    asked = [("relations", marked[0]), ("entities", examples_of("ner")[0]), ("relations", marked[1])]
    found = together.predict(asked, batch_tokens=BATCH_TOKENS)
    alone = predict(load_bundle(tmp_path / "relations"), marked, batch_tokens=BATCH_TOKENS)
    assert [found[0].key, found[2].key] == [answer.key for answer in alone]
    for own, expected in zip((found[0], found[2]), alone, strict=True):
        sure = expected.facets["relation"].probability
        assert own.facets["relation"].probability == pytest.approx(sure, abs=1e-4)


def test_a_further_specialist_takes_little_more_than_its_weights(bundles: dict[str, Path]) -> None:
    together = Specialists.load({"entities": bundles["entities"]})
    for name in ("one", "two"):
        together.add(name, bundles["entities"])
    factors = [table[1] for layer in together._layers.values() for table in (layer.down, layer.up)]
    weights = together.known["one"].head.module.state_dict().values()
    held = sum(part.numel() * part.element_size() for part in (*factors, *weights))
    files = sum(path.stat().st_size for path in bundles["entities"].glob("*.safetensors"))
    assert held < 1.05 * files
    shared = {id(own.head.tokenizer) for own in together.known.values()}
    assert len(shared) == 1


def test_one_that_is_removed_is_no_longer_known_and_the_others_stay(bundles: dict[str, Path]) -> None:
    together = Specialists.load({name: bundles[name] for name in ("entities", "concepts")})
    text = examples_of("ner")[0]
    before = together.predict([("entities", text)], batch_tokens=BATCH_TOKENS)
    together.remove("concepts")
    assert together.predict([("entities", text)], batch_tokens=BATCH_TOKENS) == before
    with pytest.raises(UserError, match=r"'entitles' is no specialist here \(did you mean 'entities'"):
        together.predict([("entitles", text)], batch_tokens=BATCH_TOKENS)
    assert {tuple(layer.places) for layer in together._layers.values()} == {("entities",)}
    assert {int(layer.down.any((1, 2)).sum()) for layer in together._layers.values()} == {1}
    for name in ("concepts", "further", "more"):  # beyond the room for two, and another rank than theirs
        together.add(name, bundles["concepts"])
    assert together.predict([("entities", text)], batch_tokens=BATCH_TOKENS) == before


def test_a_bundle_on_another_base_is_refused(bundles: dict[str, Path], tmp_path: Path) -> None:
    for file in bundles["entities"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((tmp_path / "bundle.json").read_text())
    (tmp_path / "bundle.json").write_text(json.dumps({**manifest, "base_sha256": "0" * 64}))
    together = Specialists.load({"concepts": bundles["concepts"]})
    with pytest.raises(BundleError, match=r"stands on a base with sha256 0000.*a process of its own"):
        together.add("entities", tmp_path)


@pytest.mark.parametrize("words", [["lora=full"], ["lora.dora=true"], ["model=gliner_minilm"]])
def test_weights_that_cannot_be_shared_are_refused(
    words: list[str], bundles: dict[str, Path], tmp_path: Path
) -> None:
    write_bundle(tmp_path / "own", "ner", words, validation=examples_of("ner"))
    together = Specialists.load({"concepts": bundles["concepts"]})
    with pytest.raises(BundleError, match="only a LoRA or a head over an encoder can share its base"):
        together.add("own", tmp_path / "own")
