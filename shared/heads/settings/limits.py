"""Limits that the settings of several heads have in common."""

from __future__ import annotations

from typing import Any

from shared.errors import ConfigError


def check_window(window_tokens: int, overlap_tokens: int) -> None:
    """Raise `ConfigError` unless windows overlap by less than their length."""
    if not 0 <= overlap_tokens < window_tokens:
        allowed = f"0 up to head.window_tokens={window_tokens} exclusive"
        raise ConfigError([f"head.overlap_tokens={overlap_tokens}; allowed: {allowed}"])


def check_positive(settings: Any, *names: str) -> None:
    """Raise `ConfigError` unless all these settings are above 0."""
    wrong = [name for name in names if getattr(settings, name) < 1]
    if wrong:
        raise ConfigError(
            [f"head.{name}={getattr(settings, name)}; allowed: a whole number above 0" for name in wrong]
        )
