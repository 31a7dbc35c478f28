"""What a row costs: machine time or tokens, priced by dated files, each amount with its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.boards.prices import PriceList, dollars, find_price
from shared.config import HardwareConfig
from shared.files import read_yaml
from shared.licence import NOT_COMMERCIAL, restriction
from shared.provenance import Hardware, trained_like
from shared.typed_json import read_as

_HOUR = 3600


@dataclass(frozen=True)
class Tariff:
    """What machine time and tokens cost: priced machines, price lists, and which row is which model."""

    machines: list[HardwareConfig]
    lists: list[PriceList]
    priced_as: Mapping[str, str]  # row -> the model of the price lists that gave its answers


def read_machines(conf: Path) -> list[HardwareConfig]:
    """Return the machines of conf/hardware that say whose records they price, the smallest first."""
    machines = [
        read_as(HardwareConfig, read_yaml(path), file=path) for path in (conf / "hardware").glob("*.yaml")
    ]
    return sorted((machine for machine in machines if machine.cpu), key=lambda machine: machine.cores)


def row_cost(row: Mapping[str, Any], measured: Mapping[str, Any] | None, *, tariff: Tariff) -> Any:
    """Return what 1,000 documents, a million tokens and the training of a row cost; None if unpriced."""
    if model := tariff.priced_as.get(row["name"]) or row["coverage"].get("priced_as"):
        return _token_cost(row["coverage"], model, tariff.lists)
    machine = _machine_of(row["hardware"], tariff.machines) or _stated(row)
    if machine is None or machine.dollars_per_hour is None or measured is None:
        return None
    trained_on: HardwareConfig | None = machine
    if elsewhere := _trained_elsewhere(row):
        trained_on = _machine_of(elsewhere, tariff.machines)
    return {**_machine_cost(measured, machine), **_training_cost(row["training"], trained_on)}


def _trained_elsewhere(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the machine that the row was trained on where it is another than answered, None elsewhere."""
    found: Mapping[str, Any] | None = (row["training"] or {}).get("hardware")
    return None if trained_like(Hardware(**found) if found else None, Hardware(**row["hardware"])) else found


def row_licence(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the licences of base and data, and whether weights made from both may be used commercially."""
    base, data = (row["base"] or {}).get("licence"), row["data"]["licence"]
    note = "" if row["kind"] == "replayed" else restriction(base, data)  # whose data no weights here learned
    return {"base": base, "data": data, "commercial": note != NOT_COMMERCIAL, "note": note}


def _machine_of(hardware: Mapping[str, Any], machines: Sequence[HardwareConfig]) -> HardwareConfig | None:
    fitting = [m for m in machines if m.cpu == hardware["cpu"] and m.cores >= hardware["cores"]]
    return fitting[0] if fitting and not hardware["accelerator"] else None


def _stated(row: Mapping[str, Any]) -> HardwareConfig | None:
    """Return the machine that `evaluate` was told the price of; None where it was told none."""
    facts, stated = row["cost"], row["hardware"]
    if facts["dollars_per_hour"] is None:
        return None
    return HardwareConfig(stated["cpu"], 0, None, facts["dollars_per_hour"], facts["source"])


def _machine_cost(measured: Mapping[str, Any], machine: HardwareConfig) -> dict[str, Any]:
    speed, price = measured["documents_per_second"]["median"], machine.dollars_per_hour or 0.0
    tokens = measured["tokens_per_second"]["median"] / speed
    per_1000 = 1000 / speed / _HOUR * price
    return {
        "basis": "machine",
        "dollars_per_1000": per_1000,
        "dollars_per_million_tokens": per_1000 / (1000 * tokens) * 1e6,
        "tokens_per_document": tokens,
        "documents_per_second": speed,
        "dollars_per_hour": price,
        "priced_as": machine.name,
        "price_date": machine.date,
        "how": f"1,000 documents / {speed:,.1f} a second / 3,600 x ${price:.2f} an hour, never idle",
    }


def _training_cost(training: Mapping[str, Any] | None, machine: HardwareConfig | None) -> dict[str, Any]:
    if training is None or machine is None:
        return {"training_dollars": None, "training_watt_hours": None}
    hours = training["wall_seconds"] / _HOUR
    watts = machine.watts
    return {
        "training_dollars": hours * (machine.dollars_per_hour or 0.0),
        "training_watt_hours": None if watts is None else hours * watts,
    }


def _token_cost(coverage: Mapping[str, Any], model: str, lists: Sequence[PriceList]) -> dict[str, Any] | None:
    read, written = coverage.get("input_tokens"), coverage.get("output_tokens")
    if read is None or written is None:
        return None
    price, prices = find_price(model, lists)
    per_1000 = dollars(price, 1000 * read, 1000 * written)
    return {
        "basis": "api",
        "dollars_per_1000": per_1000,
        "dollars_per_million_tokens": per_1000 / (1000 * (read + written)) * 1e6,
        "tokens_per_document": read + written,
        "input_tokens": read,
        "output_tokens": written,
        "input_price": price.input,
        "output_price": price.output,
        "priced_as": f"{price.model} at {price.provider}",
        "price_date": prices.date,
        "how": (
            f"1,000 x ({read:,.1f} tokens read x ${price.input:g} + {written:,.1f} written x "
            f"${price.output:g}) / 1,000,000"
        ),
    }
