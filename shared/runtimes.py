"""The libraries that answer in place of torch: each is imported where an engine asks for it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

from shared.errors import UserError

REPORTER = "openvino_telemetry"  # where it cannot be imported, OpenVINO has a stub in its place


def runtime(package: str) -> Any:
    """Return the package, imported; raises `UserError` where it is not installed."""
    if importlib.util.find_spec(package) is None:
        raise UserError(f"this engine needs {package}: pip install 'rightsize[engines]'")
    sys.modules.setdefault(REPORTER, None)  # type: ignore[arg-type]  # it would note and report each import
    return importlib.import_module(package)
