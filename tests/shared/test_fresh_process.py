import os

import pytest
import torch

from shared import model
from shared.cli import guarded
from shared.fresh_process import in_fresh_process


def test_beside_a_gpu_nothing_is_forked_from_what_has_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the libraries asks CUDA for its devices; what is forked after that cannot use them."""
    assert in_fresh_process(os.getppid, torch=True) != os.getpid()  # on a CPU it is a fork of the server
    monkeypatch.setattr(model, "best_device", lambda: torch.device("cuda"))
    assert in_fresh_process(os.getppid, torch=True) == os.getpid()


@pytest.mark.parametrize(("told", "seen"), [("", "cpu"), ("cuda", "cuda")])
def test_jax_leaves_the_gpu_alone_unless_it_is_told(
    monkeypatch: pytest.MonkeyPatch, told: str, seen: str
) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", told)
    if not told:
        monkeypatch.delenv("JAX_PLATFORMS")
    found: list[str] = []
    guarded(lambda: found.append(os.environ["JAX_PLATFORMS"]))
    assert found == [seen]
