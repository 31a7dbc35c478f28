"""Plain values, as JSON and YAML give them, into frozen dataclasses: every key and every type checked."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from shared.errors import UserError, suggest


def read_as(kind: Any, value: Any, *, file: Path, key: str = "") -> Any:
    """Return the value as `kind`: a frozen dataclass, an optional, a dict, a list or a plain type.

    Raises `UserError` with the file and the key (dots inwards) that is missing, unknown or mistyped.
    """
    options = get_args(kind) if get_origin(kind) in (types.UnionType, Union) else (kind,)
    if value is None and type(None) in options:
        return None
    kind = options[0]
    if is_dataclass(kind):
        return _read_dataclass(kind, value, file=file, key=key)
    origin = get_origin(kind) or kind
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    if origin is not Any and (not isinstance(value, origin) or (origin is int and isinstance(value, bool))):
        allowed = getattr(kind, "__name__", kind)
        raise UserError(f"{file}: {key or 'the file'} is {value!r:.80}; allowed: {allowed}")
    if origin is dict:
        inner = get_args(kind)[1]
        return {name: read_as(inner, item, file=file, key=f"{key}.{name}") for name, item in value.items()}
    if origin is list:
        if get_args(kind)[0] is float and all(type(item) in (int, float) for item in value):
            return value  # most of what a record holds: nothing to look into
        return [read_as(get_args(kind)[0], item, file=file, key=key) for item in value]
    return value


type_hints = cache(get_type_hints)  # which compiles each of them


def _read_dataclass(kind: Any, value: Any, *, file: Path, key: str) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{file}: {key or 'the file'} is {value!r:.80}; allowed: an object")
    known = {item.name: item for item in fields(kind)}
    within = f"{key}." if key else ""
    for name in value:
        if name not in known:
            allowed = f"{suggest(name, known)}; allowed: {', '.join(known)}"
            raise UserError(f"{file}: {within}{name} is unknown{allowed}")
    for name, item in known.items():
        if name not in value and item.default is MISSING and item.default_factory is MISSING:
            raise UserError(f"{file}: {within}{name} is missing")
    hints = type_hints(kind)
    return kind(
        **{name: read_as(hints[name], item, file=file, key=within + name) for name, item in value.items()}
    )
