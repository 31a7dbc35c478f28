"""A configuration and a folder for leaderboards made by hand."""

import shutil
from pathlib import Path

import pytest

from shared.boards.layout import CONF
from tests.shared.publishing import CITED, LAYOUT


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for name, text in (("leaderboard", LAYOUT), ("cited", CITED)):
        (tmp_path / "conf" / name).mkdir(parents=True)
        (tmp_path / "conf" / name / "ner.yaml").write_text(text)
    for name in ("leaderboards.yaml", "claims.yaml"):
        (tmp_path / "conf" / name).write_text("[]")
    shutil.copytree(CONF / "decision", tmp_path / "conf" / "decision")
    return tmp_path / "conf"


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    return tmp_path / "leaderboards"
