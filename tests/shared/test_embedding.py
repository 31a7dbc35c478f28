import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from shared.bases import find_base
from shared.compose import compose_run
from shared.embedding import MAX_TOKENS, embed

MODEL = compose_run("ner", []).model
TEXTS = ["Bond yields fell.", "", "rain " * 400, "Shares of Orla Bank rose to a record on Friday.", "Rain."]


def directly(text: str) -> torch.Tensor:
    """The mean over the tokens of one text alone, of length 1."""
    folder = find_base(MODEL).folder
    first, *inner, last = AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
    tokens = [first, *inner[: MAX_TOKENS - 2], last]
    with torch.inference_mode():
        hidden = AutoModel.from_pretrained(folder).eval()(torch.tensor([tokens])).last_hidden_state
    return hidden[0].mean(dim=0) / hidden[0].mean(dim=0).norm()


def test_vectors_stand_in_the_order_of_the_texts_and_are_those_of_each_text_alone() -> None:
    found = embed(TEXTS, model=MODEL)
    assert found.shape == (5, 384)
    for text, vector in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(vector, directly(text).numpy(), atol=1e-5)


def test_vectors_are_of_length_one() -> None:
    assert np.linalg.norm(embed(TEXTS, model=MODEL), axis=1) == pytest.approx(1.0, abs=1e-6)


def test_no_text_gives_no_vector() -> None:
    assert embed([], model=MODEL).shape == (0, 384)
