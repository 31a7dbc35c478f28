"""Overrides in, composed configuration out, every misspelt override named at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from shared.config import RunConfig, read_config
from shared.errors import ConfigError, suggest
from shared.help import groups

CONF = Path(__file__).resolve().parent.parent / "conf"
NAME = "config"


def task_overrides(task: str) -> list[str]:
    """Return the overrides that choose the task and add its own config folder to the search path."""
    return [f"task={task}", f"hydra.searchpath=['file://{CONF / task}']"]


def compose_run(task: str, overrides: Sequence[str], *, sweep: bool = False) -> RunConfig:
    """Return the typed configuration; raises one `ConfigError` with every mistake in overrides and values.

    With `sweep` an override may have several values (`lora.r=4,8`): each is checked, the first is composed.
    """
    mistakes: list[str] = []
    given = list(_parsed(overrides, sweep=sweep, mistakes=mistakes))
    if not mistakes and not any(map(_is_special, given)):
        try:
            return read_config(_compose(task, overrides))
        except ConfigError:
            pass  # there are mistakes: all of them are looked for
    options = groups(task, conf=CONF)
    chosen: list[str] = []
    values: list[tuple[list[str], Override]] = []
    for parsed in given:
        texts = _single(parsed)
        if parsed.get_key_element() not in options:
            values.append((texts, parsed))
        elif found := [mistake for text in texts if (mistake := _option_mistake(text, options))]:
            mistakes.extend(found)
        else:
            chosen.append(texts[0])
    node = _compose(task, chosen)
    mistakes.extend(mistake for _, parsed in values if (mistake := _key_mistake(parsed, node)))
    known = [texts for texts, parsed in values if not _key_mistake(parsed, node)]
    first = [*chosen, *(texts[0] for texts in known)]
    try:
        config = read_config(_compose(task, first))
    except ConfigError as error:
        raise ConfigError([*mistakes, *error.mistakes]) from error
    for text in (text for texts in known for text in texts[1:]):
        try:
            read_config(_compose(task, [*first, text]))
        except ConfigError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return config


def _parsed(overrides: Sequence[str], *, sweep: bool, mistakes: list[str]) -> Iterator[Override]:
    """Yield what can be read, and add to the mistakes what cannot, or has several values without a sweep."""
    for override in overrides:
        try:
            parsed = OverridesParser.create().parse_override(override)
        except HydraException as error:
            mistakes.append(
                f"{override!r} is no override: {str(error).splitlines()[0]}; write it as key=value"
            )
            continue
        if sweep or not parsed.is_sweep_override():
            yield parsed
        else:
            mistakes.append(
                f"{override!r} has several values: -m runs each of them; a text with a comma is quoted "
                f'within the word, {parsed.get_key_element()}="..."'
            )


def _is_special(parsed: Override) -> bool:
    """Return whether an override does other than to choose an option or to give a value to what is there."""
    unchosen = parsed.value() is None and "." not in parsed.get_key_element()
    return parsed.type is not OverrideType.CHANGE or parsed.is_sweep_override() or unchosen


def _single(parsed: Override) -> list[str]:
    """Return the override once for each value it sweeps over."""
    swept = parsed.is_sweep_override()
    values = parsed.sweep_string_iterator() if swept else [parsed.get_value_element_as_str()]
    return [f"{parsed.get_key_element()}={value}" for value in values]


def _compose(task: str, overrides: Sequence[str]) -> DictConfig:
    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            return compose(NAME, overrides=[*task_overrides(task), *overrides])
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError([str(error)]) from error


def _option_mistake(text: str, options: dict[str, list[str]]) -> str:
    group, _, option = text.partition("=")
    if option in options[group]:
        return ""
    close = suggest(option, options[group])
    return f"{text}: no such option{close}; {group} is one of {', '.join(options[group])}"


def _key_mistake(parsed: Override, node: DictConfig) -> str:
    key = parsed.key_or_group
    parent, _, last = key.rpartition(".")
    try:
        above = OmegaConf.select(node, parent) if parent else node
    except OmegaConfBaseException:
        above = None
    if isinstance(above, DictConfig) and last in above:
        return ""
    if parsed.is_add() and isinstance(above, DictConfig):
        return ""
    known = _keys(node)
    near = [name for name in known if name.rpartition(".")[0] == parent] or sorted(
        {name.partition(".")[0] for name in known}
    )
    return f"{key} is unknown{suggest(key, known)}; allowed: {', '.join(near)}"


def _keys(node: DictConfig, prefix: str = "") -> list[str]:
    found = []
    for key in map(str, node):
        child = node._get_node(key)
        found.append(f"{prefix}{key}")
        if isinstance(child, DictConfig) and not child._is_none():
            found.extend(_keys(child, f"{prefix}{key}."))
    return found
