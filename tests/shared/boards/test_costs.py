from typing import Any

import pytest

from shared.boards.costs import Tariff, row_cost
from shared.config import HardwareConfig

CPU = {"cpu": "Acme", "cores": 2, "threads": 2, "memory_gib": 24.0, "accelerator": ""}
GPU = {**CPU, "cores": 16, "accelerator": "Acme GPU"}
TARIFF = Tariff([HardwareConfig("two cores", 0, 30.0, 0.1, "a list", cpu="Acme", cores=2)], [], {})
MEASURED = {"documents_per_second": {"median": 10.0}, "tokens_per_second": {"median": 100.0}}


def row(trained_on: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "name": "a row",
        "coverage": {},
        "hardware": CPU,
        "cost": {"dollars_per_hour": None, "source": ""},
        "training": {"wall_seconds": 1800.0, "hardware": trained_on},
    }


@pytest.mark.parametrize("trained_on", [None, CPU])
def test_a_training_costs_the_hours_of_its_machine(trained_on: dict[str, Any] | None) -> None:
    found = row_cost(row(trained_on), MEASURED, tariff=TARIFF)
    assert (found["training_dollars"], found["training_watt_hours"]) == (0.05, 15.0)


def test_hours_of_a_gpu_are_not_priced_as_those_of_the_cores_that_answer() -> None:
    found = row_cost(row(GPU), MEASURED, tariff=TARIFF)
    assert (found["training_dollars"], found["training_watt_hours"]) == (None, None)
    assert found["dollars_per_1000"] == pytest.approx(1000 / 10 / 3600 * 0.1)
