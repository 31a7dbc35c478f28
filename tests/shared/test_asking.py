from pathlib import Path

import pytest

from shared.asking import ask_each
from shared.errors import BundleError


def test_a_bundle_of_another_task_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text('{"task": "ontology", "files": {}}', encoding="utf-8")
    with pytest.raises(BundleError, match="made for the task 'ontology', not 'ner'"):
        ask_each(tmp_path, [], [{"PER": "person"}], task="ner", batch_tokens=1)
