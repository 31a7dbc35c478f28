"""Where a number comes from: the code that ran, the machine, the libraries, the files."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_LIBRARIES = (
    "accelerate",
    "gliner",
    "nervaluate",
    "numpy",
    "onnxruntime",
    "openvino",
    "openvino-genai",
    "peft",
    "rdflib",
    "rouge-score",
    "safetensors",
    "scikit-learn",
    "scipy",
    "seqeval",
    "tokenizers",
    "torch",
    "transformers",
    "xllamacpp",
)
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Code:
    """The commit that ran, and whether the sources were as committed."""

    commit: str
    clean: bool


@dataclass(frozen=True)
class Hardware:
    """The machine; `cores` are those the process may use, `accelerator` is '' for none."""

    cpu: str
    cores: int
    threads: int
    memory_gib: float
    accelerator: str


@dataclass(frozen=True)
class FileFacts:
    """A file beside the record."""

    name: str
    sha256: str


def digest_files(paths: Iterable[Path]) -> str:
    """Return the sha256 over the files' own sha256 digests, in the order given; names do not count."""
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def file_facts(path: Path) -> FileFacts:
    """Return the file's name and sha256."""
    return FileFacts(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def today() -> str:
    """Return the UTC date, as 2026-01-31."""
    return datetime.now(UTC).date().isoformat()


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on, where installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_state(root: Path = _ROOT) -> Code | None:
    """Return the commit at `root` and whether the tree is as committed; None when `root` is no git checkout.

    Published tables do not count as changes, so that a run measured while a row is being published is clean.
    """
    top = _git("rev-parse", "--show-toplevel", root=root)
    commit = _git("rev-parse", "--verify", "HEAD", root=root)
    changes = _git("status", "--porcelain", "--", ".", ":(exclude)leaderboards", root=root)
    if top is None or commit is None or changes is None or Path(top).resolve() != root.resolve():
        return None
    return Code(commit=commit, clean=not changes)


def machine(*, threads: int, accelerator: str = "") -> Hardware:
    """Return this machine as a record describes it; `threads` and `accelerator` are what the run used."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Hardware(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        threads=threads,
        memory_gib=round(memory / 2**30, 1),
        accelerator=accelerator,
    )


def trained_like(trained: Hardware | None, here: Hardware) -> bool:
    """Return whether a training ran on a machine like this one; None was noted by no machine but this."""
    return trained is None or (trained.cpu, trained.accelerator) == (here.cpu, here.accelerator)


def _git(*arguments: str, root: Path) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    return found[1].strip() if found else platform.machine()
