"""Linear layers by oneDNN: the values and gradients of torch's own, and nothing else about them changes."""

import copy
from itertools import product as pairs

import pytest
import torch
from torch import nn

from shared.modules import products
from shared.modules.products import LEAST_WORK, FastLinear, has_fast_products, has_onednn, use_fast_products
from shared.provenance import Hardware

needs_onednn = pytest.mark.skipif(not has_onednn(), reason="no processor with AVX-512 here")
FORMS = list(pairs([(64, 384, 16), (64, 16, 384), (40, 48, 512), (4, 30, 384, 96)], [True, False]))


def both(inputs: int, outputs: int, *, bias: bool) -> tuple[nn.Linear, nn.Linear]:
    """A layer of torch's own and its twin by oneDNN, which shares no tensor with it."""
    torch.manual_seed(1)
    plain = nn.Linear(inputs, outputs, bias=bias)
    fast = copy.deepcopy(plain)
    fast.__class__ = FastLinear
    return plain, fast


@needs_onednn
@pytest.mark.parametrize(("form", "bias"), FORMS, ids=str)
def test_outputs_and_gradients_are_those_of_torch(form: tuple[int, ...], bias: bool) -> None:
    *rows, inputs, outputs = form
    rows = [*rows[:-1], rows[-1] * -(-LEAST_WORK // (inputs * outputs))]  # enough work for oneDNN
    found = []
    for layer in both(inputs, outputs, bias=bias):
        torch.manual_seed(2)
        given = torch.randn(*rows, inputs, requires_grad=True)
        (layer(given) * torch.randn(*rows, outputs)).sum().backward()
        with torch.no_grad():
            gradients = [given.grad, *(value.grad for value in layer.parameters())]
            found.append([layer(given), *gradients])
    for own, other in zip(*found, strict=True):
        scale = float(own.abs().max())
        assert torch.allclose(own, other, atol=2e-6 * scale * sum(rows) ** 0.5)


@needs_onednn
def test_in_bfloat16_torch_multiplies_itself() -> None:
    _, layer = both(384, 384, bias=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(torch.randn(8, 16, 384))
    assert found.dtype is torch.bfloat16


@needs_onednn
def test_frozen_weights_get_no_gradient() -> None:
    _, layer = both(384, 384, bias=True)
    layer.requires_grad_(False)
    given = torch.randn(8, 16, 384, requires_grad=True)
    layer(given).sum().backward()
    assert given.grad is not None and layer.weight.grad is None is layer.bias.grad


@needs_onednn
@pytest.mark.parametrize(("cpu", "layer"), [("AMD EPYC", FastLinear), ("Intel(R) Xeon(R)", nn.Linear)])
def test_mkl_multiplies_on_its_makers_processors(
    cpu: str, layer: type[nn.Linear], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "machine", lambda threads: Hardware(cpu, 2, threads, 8.0, ""))
    has_fast_products.cache_clear()
    module = nn.Sequential(nn.Linear(4, 8))
    use_fast_products(module)
    has_fast_products.cache_clear()
    assert type(module[0]) is layer


def test_a_layer_keeps_its_names_and_can_be_copied() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8))
    names = list(module.state_dict())
    module[0].__class__ = FastLinear
    twin = copy.deepcopy(module)
    with torch.no_grad():
        twin[0].weight.zero_()
    assert list(twin.state_dict()) == names
    assert type(module[0]) is FastLinear and module[0].weight.abs().sum() > 0


def test_other_numbers_and_no_rows_go_torchs_own_way() -> None:
    _, layer = both(512, 2048, bias=True)
    assert layer(torch.zeros(0, 512)).shape == (0, 2048)
    assert layer.double()(torch.zeros(3, 512).double()).dtype is torch.float64
