"""Files and folders appear whole or not at all, also on a disk that is really full."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import UserError
from shared.files import file_atomic, folder_atomic, write_json_atomic, write_text_atomic

# A file may not grow past 4096 bytes in this process: the write fails in the kernel, as on a full disk.
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from shared.errors import UserError
from shared.files import folder_atomic, write_text_atomic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
folder = Path(sys.argv[1])
def save_bundle():
    with folder_atomic(folder / "adapter") as partial:
        (partial / "small.json").write_text("{}")
        (partial / "weights").write_bytes(b"0" * 10_000)
for write in (lambda: write_text_atomic(folder / "record.json", "x" * 10_000), save_bundle):
    try:
        write()
    except UserError as error:
        print(error)
"""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    (tmp_path / "record.json").write_text("old")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "weights").write_text("old")
    return tmp_path


def test_full_disk_is_a_user_error_and_leaves_what_was_there(saved: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(saved)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    messages = done.stdout.splitlines()
    assert [message.split(":")[0] for message in messages] == [
        f"cannot write {saved}/record.json",
        f"cannot write {saved}/adapter",
    ]
    assert sorted(path.relative_to(saved).as_posix() for path in saved.rglob("*")) == [
        "adapter",
        "adapter/weights",
        "record.json",
    ]
    assert (saved / "record.json").read_text() == "old"
    assert (saved / "adapter" / "weights").read_text() == "old"


def test_text_is_written_byte_for_byte_into_a_new_folder(tmp_path: Path) -> None:
    write_text_atomic(tmp_path / "new" / "a.txt", "é\r\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\xc3\xa9\r\n"


def test_json_is_indented_and_ends_with_a_newline(tmp_path: Path) -> None:
    write_json_atomic(tmp_path / "a.json", {"a": "é"})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": "é"\n}\n'


def test_folder_replaces_the_old_one_whole(saved: Path) -> None:
    with folder_atomic(saved / "adapter") as partial:
        (partial / "head").mkdir()
        (partial / "head" / "weights").write_text("new")
    assert sorted(path.name for path in saved.rglob("*")) == ["adapter", "head", "record.json", "weights"]


def test_an_error_in_the_block_leaves_the_old_file(saved: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_atomic(saved / "record.json") as partial:
        partial.write_text("half")
        _ = 1 / 0
    assert [path.name for path in saved.glob("record*")] == ["record.json"]
    assert (saved / "record.json").read_text() == "old"


def test_a_librarys_own_write_error_is_a_user_error_when_named(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="no space"),
        folder_atomic(tmp_path / "adapter", failures=(RuntimeError,)),
    ):
        raise RuntimeError("no space left")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_the_file_should_be_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "record.json").mkdir()
    with pytest.raises(UserError, match="cannot write"):
        write_text_atomic(tmp_path / "record.json", "x")
