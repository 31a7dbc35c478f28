"""What several tests need: the public data, where it is there."""

import os
from pathlib import Path

import pytest

from shared.boards.board import read_board
from shared.boards.sections import Section

os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # before the hub's client is imported: no test reaches a hub

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def committed_board() -> dict[str, list[Section]]:
    """The sections of all that is published, which take some seconds to read."""
    return read_board(ROOT / "leaderboards")


@pytest.fixture(scope="session")
def public_data_dir() -> Path:
    """The folder of public data sets; tests that need it are skipped without it."""
    folder = Path(os.environ.get("RIGHTSIZE_DATA_DIR") or ROOT.parent / "shared" / "data")
    if not (folder / "finer-ord").is_dir():
        pytest.skip("no public data here: set RIGHTSIZE_DATA_DIR")
    return folder
