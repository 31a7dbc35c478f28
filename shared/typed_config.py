"""YAML nodes into frozen dataclasses: every key and every type checked, all mistakes at once."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from shared.errors import ConfigError, suggest


def build(node: DictConfig, *, path: str) -> Any:
    """Return the dataclass that `_target_` names, made from the node's other keys.

    Unlike `hydra.utils.instantiate`, a wrong key or type is a `ConfigError` that names it.
    """
    target = node.get("_target_")
    if not target:
        raise ConfigError(
            [f"{path}._target_ is missing: name the dataclass to build, as package.module.Class"]
        )
    module_name, _, class_name = str(target).rpartition(".")
    try:
        schema = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError([f"{path}._target_={target!r} cannot be imported: {error}"]) from error
    if not is_dataclass(schema):
        raise ConfigError([f"{path}._target_={target!r} is not a dataclass"])
    return typed(node, schema, path=path)


def typed(node: DictConfig, schema: Any, *, path: str) -> Any:
    """Return an instance of the dataclass `schema` from a node, every key and type checked.

    Each field needs a value; raises `ConfigError` with all unknown keys, wrong types and missing values.
    """
    structured = OmegaConf.structured(schema)
    OmegaConf.set_readonly(structured, False)
    known = {field.name: field for field in fields(schema)}
    hints = get_type_hints(schema)
    nested: dict[str, Any] = {}
    given: dict[str, Any] = {}
    mistakes = []
    for key in map(str, node):
        if key == "_target_":
            continue
        if is_dataclass(hints.get(key)):
            try:
                nested[key] = typed(node[key], hints[key], path=f"{path}.{key}")
            except ConfigError as error:
                mistakes.extend(error.mistakes)
        elif key not in known:
            allowed = ", ".join(known)
            mistakes.append(f"{path}.{key} is unknown{suggest(key, known)}; allowed: {allowed}")
        else:
            given[key] = node[key]
    try:
        values = OmegaConf.to_container(OmegaConf.merge(structured, given))
    except OmegaConfBaseException:
        mistakes.extend(_wrong_types(given, structured, known, path=path))
    for key, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and key not in node:
            mistakes.append(f"{path}.{key} is missing; allowed: {field.type}")
    if mistakes:
        raise ConfigError(mistakes)
    return schema(**{**values, **nested})  # type: ignore[dict-item]  # a dataclass gives a dict


def _wrong_types(
    given: Mapping[str, Any], structured: Any, known: Mapping[str, Any], *, path: str
) -> Iterator[str]:
    """Yield a mistake for each value that its field does not take."""
    for key, value in given.items():
        try:
            OmegaConf.merge(structured, {key: value})
        except OmegaConfBaseException as error:
            yield f"{path}.{key}={value!r}: {str(error).splitlines()[0]}; allowed: {known[key].type}"


def check(*rules: tuple[str, Any, bool, str]) -> None:
    """Raise `ConfigError` for each (name, value, holds, what is allowed) that does not hold."""
    mistakes = [f"{name}={value!r}; allowed: {allowed}" for name, value, holds, allowed in rules if not holds]
    if mistakes:
        raise ConfigError(mistakes)
