"""The adapter that a YAML of conf/summarization/data stands for, without the rest of a run."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared.typed_config import build

ROOT = Path(__file__).resolve().parents[3]


def adapter(name: str, *, folder: Path = ROOT, **settings: Any) -> Any:
    """Return the adapter of `<name>.yaml` with these settings; `folder` has the public data."""
    node = OmegaConf.load(ROOT / "conf" / "summarization" / "data" / f"{name}.yaml")
    root = OmegaConf.create({"data_dir": str(folder), "data": node})
    return build(OmegaConf.merge(root, {"data": settings}).data, path="data")
