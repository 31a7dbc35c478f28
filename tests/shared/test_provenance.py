import hashlib
import subprocess
from pathlib import Path

from shared.provenance import Code, code_state, digest_files, library_versions, machine


def test_digest_of_files_is_over_their_digests_in_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    a, b = (hashlib.sha256(letter).hexdigest() for letter in (b"a", b"b"))
    assert digest_files([tmp_path / "a", tmp_path / "b"]) == hashlib.sha256((a + b).encode()).hexdigest()
    assert digest_files([tmp_path / "b", tmp_path / "a"]) != digest_files([tmp_path / "a", tmp_path / "b"])


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_code_state_is_none_outside_a_checkout_and_before_the_first_commit(tmp_path: Path) -> None:
    assert code_state(tmp_path) is None
    git(tmp_path, "init")
    assert code_state(tmp_path) is None


def test_code_state_sees_changes_but_not_published_tables(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    (tmp_path / "leaderboards").mkdir()
    (tmp_path / "leaderboards" / "ner.md").write_text("new")
    state = code_state(tmp_path)
    assert state is not None and state.clean and len(state.commit) == 40
    (tmp_path / "code.py").write_text("changed")
    assert code_state(tmp_path) == Code(commit=state.commit, clean=False)
    assert code_state(tmp_path / "leaderboards") is None


def test_machine_and_versions_are_filled_in() -> None:
    found = machine(threads=2)
    assert found.cpu and found.cores >= 1 and found.memory_gib > 0 and found.threads == 2
    assert library_versions()["python"].startswith("3.")
