"""The adapter that a YAML of conf/<task>/data stands for, without the rest of a run."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared.typed_config import build

ROOT = Path(__file__).resolve().parents[3]


def adapter(
    name: str, *, task: str = "reranking", public: Path = ROOT, stage: Any = None, **settings: Any
) -> Any:
    """Return the adapter of `<name>.yaml` with these settings; `public` has the public data."""
    node = OmegaConf.load(ROOT / "conf" / task / "data" / f"{name}.yaml")
    given = {"data_dir": str(public), "first_stage": stage, "data": OmegaConf.merge(node, settings)}
    root = OmegaConf.create(given)
    OmegaConf.resolve(root)
    return build(root.data, path="data")
