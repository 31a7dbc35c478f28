import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.bases import find_base
from shared.compose import compose_run
from shared.encoder import embed_texts
from shared.errors import BundleError, ConfigError
from shared.fast_tokenizer import FastTokenizer
from shared.model import create_model
from shared.passage_embedding import TextEncoder, embed_queries, embed_windows, load_text_encoder
from shared.passages import Passage


@dataclass(frozen=True)
class Limits:
    query_tokens: int = 4
    window_tokens: int = 4
    overlap_tokens: int = 1


CONFIG = compose_run("reranking", ["head=dual_encoding"])


def of(*texts: str) -> list[Passage]:
    return [Passage(str(number), text) for number, text in enumerate(texts)]


@pytest.fixture(scope="module")
def base() -> TextEncoder:
    return load_text_encoder(CONFIG.model, bundle="")


def directly(encoder: TextEncoder, *texts: str) -> np.ndarray:
    return embed_texts(encoder.encoder, encoder.tokenizer, texts, max_tokens=64).numpy()


def test_a_long_text_has_overlapping_windows_and_an_empty_one_has_one(base: TextEncoder) -> None:
    texts = ["one two three four five six seven eight", "", "rain"]
    vectors, places = embed_windows(base, of(*texts), limits=Limits())
    assert places.tolist() == [0, 0, 0, 1, 2]
    expected = directly(base, "one two three four", "four five six seven", "seven eight", "", "rain")
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_embeddings_are_of_length_one(base: TextEncoder) -> None:
    vectors, _ = embed_windows(base, of("rain " * 30, "sun"), limits=Limits())
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_a_query_is_cut_after_its_first_tokens(base: TextEncoder) -> None:
    found = embed_queries(base, ["one two three four five six", "rain"], limits=Limits())
    np.testing.assert_allclose(found, directly(base, "one two three four", "rain"), atol=1e-5)


def test_no_text_gives_no_vector(base: TextEncoder) -> None:
    vectors, places = embed_windows(base, [], limits=Limits())
    assert (vectors.shape, places.shape) == ((0, 384), (0,))
    assert embed_queries(base, [], limits=Limits()).shape == (0, 384)


def test_the_digest_of_a_base_is_that_of_its_weights(base: TextEncoder) -> None:
    assert base.digest == find_base(CONFIG.model).sha256


def test_a_bundle_embeds_as_the_model_that_was_trained(base: TextEncoder, tmp_path: Path) -> None:
    model = create_model(CONFIG.model, CONFIG.head, CONFIG.lora, types={"relevant": "relevant"}, seed=3)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02)
    origin = adapters.Origin("reranking", CONFIG.resolved["head"], "sample", "ours")
    adapters.save_bundle(model, tmp_path / "adapter", origin=origin, lora=CONFIG.lora)
    trained = load_text_encoder(CONFIG.model, bundle=str(tmp_path / "adapter"))
    found = embed_queries(trained, ["rain"], limits=Limits())
    read = FastTokenizer.of(model.tokenizer)
    expected = embed_texts(model.eval().backbone, read, ["rain"], max_tokens=64).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - directly(base, "rain")).max() > 0.01
    assert trained.digest != base.digest


def test_a_bundle_must_be_there_and_of_a_dual_encoder(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"first_stage\.bundle=.*none: there is no such folder; give the adapter"
    ):
        load_text_encoder(CONFIG.model, bundle=str(tmp_path / "none"))
    with pytest.raises(BundleError, match="is no bundle"):
        load_text_encoder(CONFIG.model, bundle=str(tmp_path))
    head = {"_target_": "shared.heads.settings.PairScoring"}
    (tmp_path / "bundle.json").write_text(json.dumps({"files": {}, "head": head}))
    with pytest.raises(
        ConfigError, match=r"with head .*PairScoring; allowed: shared\.heads\.settings\.DualEncoding"
    ):
        load_text_encoder(CONFIG.model, bundle=str(tmp_path))
