"""What several tests need: the public data, where it is there."""

import gc
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from shared import compose
from shared.boards.board import read_board
from shared.boards.sections import Section
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.shared.short_base import ENCODER_PACKAGE, PACKAGE, write_short_base, write_short_encoder

os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # before the hub's client is imported: no test reaches a hub

gc.set_threshold(200_000, 50, 100)  # a part of the suite took 4 % less time with fewer collections

ROOT = Path(__file__).resolve().parent.parent
BOARD = "board.pickle"
SLOWEST = (  # files that take 40 seconds and more begin first, so that no worker has one left at the end
    "tests/test_leaderboards.py",
    "tests/shared/test_export.py",
    "tests/test_contract.py",
    "tests/shared/test_cli.py",
    "tests/shared/boards/test_browser.py",
    "tests/tasks/ner/test_training.py",
    "tests/shared/test_llama.py",
    "tests/shared/test_invariance.py",
    "tests/test_readme.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the slowest files begin; Makefile tells xdist to keep this order."""
    places = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(scope="session", autouse=True)
def compositions_are_kept() -> Iterator[None]:
    """Hydra takes a fifth of a second, and tests ask for the same overrides again: each is composed once."""
    kept = lru_cache(None)(compose._compose)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(compose, "_compose", lambda task, overrides: kept(task, tuple(overrides)))
        yield


@pytest.fixture(scope="session")
def committed_board(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, list[Section]]:
    """The sections of all that is published: half a minute to read, so that one worker reads for all."""

    def write(path: Path) -> None:
        path.write_bytes(pickle.dumps(read_board(ROOT / "leaderboards")))

    folder = once(tmp_path_factory, worker_id, name=BOARD, write=write)
    found: dict[str, list[Section]] = pickle.loads((folder / BOARD).read_bytes())
    return found


@pytest.fixture(scope="session")
def public_data_dir() -> Path:
    """The folder of public data sets; tests that need it are skipped without it."""
    folder = Path(os.environ.get("RIGHTSIZE_DATA_DIR") or ROOT.parent / "shared" / "data")
    if not (folder / "finer-ord").is_dir():
        pytest.skip("no public data here: set RIGHTSIZE_DATA_DIR")
    return folder


@pytest.fixture(scope="session")
def short_base_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    return once(tmp_path_factory, worker_id, name=PACKAGE, write=write_short_base)


@pytest.fixture(scope="session")
def short_encoder_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    return once(tmp_path_factory, worker_id, name=ENCODER_PACKAGE, write=write_short_encoder)


def once(factory: pytest.TempPathFactory, worker: str, *, name: str, write: Callable[[Path], None]) -> Path:
    """The folder that holds, under this name, what one worker writes for all."""
    shared = factory.getbasetemp() if worker == "master" else factory.getbasetemp().parent
    folder = shared / f"with-{name}"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            partial = Path(tempfile.mkdtemp(dir=shared))
            write(partial / name)
            partial.rename(folder)
    return folder


@pytest.fixture(scope="module")
def short_base(short_base_folder: Path) -> Iterator[None]:
    """The first blocks of SmolLM2, importable here and in processes that are started from here."""
    with importable(short_base_folder):
        yield


@pytest.fixture(scope="module")
def short_encoder(short_encoder_folder: Path) -> Iterator[None]:
    """The first blocks of MiniLM, importable here and in processes that are started from here."""
    with importable(short_encoder_folder):
        yield


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()
