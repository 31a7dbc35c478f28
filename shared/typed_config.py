"""YAML nodes into frozen dataclasses: every key and every type checked, all mistakes at once."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from shared.errors import ConfigError, suggest
from shared.typed_json import type_hints


def build(node: Mapping[Any, Any], *, path: str) -> Any:
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


def typed(node: Mapping[Any, Any], schema: Any, *, path: str) -> Any:
    """Return an instance of the dataclass `schema` from a node, every key and type checked.

    Each field needs a value; raises `ConfigError` with all unknown keys, wrong types and missing values.
    """
    structured = OmegaConf.structured(schema)
    OmegaConf.set_readonly(structured, False)
    known = {field.name: field for field in fields(schema)}
    hints = type_hints(schema)
    parts: dict[str, Any] = {}  # what is not for OmegaConf to check
    mistakes = []
    for key in map(str, node):
        if key == "_target_":
            continue
        if key not in known:
            allowed = ", ".join(known)
            mistakes.append(f"{path}.{key} is unknown{suggest(key, known)}; allowed: {allowed}")
        elif is_dataclass(hints[key]):
            try:
                parts[key] = typed(node[key], hints[key], path=f"{path}.{key}")
            except ConfigError as error:
                mistakes.extend(error.mistakes)
        elif hints[key] is Any:
            parts[key] = _plain(node[key])
        else:
            try:
                structured[key] = node[key]
            except OmegaConfBaseException as error:
                said = str(error).splitlines()[0]
                mistakes.append(f"{path}.{key}={node[key]!r}: {said}; allowed: {known[key].type}")
    for key, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and key not in node:
            mistakes.append(f"{path}.{key} is missing; allowed: {field.type}")
    if mistakes:
        raise ConfigError(mistakes)
    return schema(**{**OmegaConf.to_container(structured), **parts})  # type: ignore[dict-item]  # a dataclass gives a dict


def _plain(value: Any) -> Any:
    """Return plain values of its own: what is done to them does not reach the node."""
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else copy.deepcopy(value)


def check(*rules: tuple[str, Any, bool, str]) -> None:
    """Raise `ConfigError` for each (name, value, holds, what is allowed) that does not hold."""
    mistakes = [f"{name}={value!r}; allowed: {allowed}" for name, value, holds, allowed in rules if not holds]
    if mistakes:
        raise ConfigError(mistakes)
