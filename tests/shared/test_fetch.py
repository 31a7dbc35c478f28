"""Downloads come from a server of this process on 127.0.0.1; no test reaches further."""

import hashlib
import re
import socket
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from shared.errors import DataError
from shared.fetch import PinnedFile, fetch

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # sha256 of b"hello"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and notes what was asked for."""

    def __init__(self, *arguments: Any, asked: list[str], **more: Any) -> None:
        self.asked = asked
        super().__init__(*arguments, **more)

    def log_message(self, format: str, *arguments: Any) -> None:
        self.asked.append(self.path)


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """The address of a folder that holds a.txt (hello) and cut.txt (hell), and the requests it got."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"hello")
    (folder / "cut.txt").write_bytes(b"hell")
    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder), asked=asked)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_with_the_right_hash_is_used_without_its_address(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hello")
    file = PinnedFile(local="a.txt", sha256=HELLO, url="http://unreachable.invalid/a.txt")
    assert fetch(file, data_dir=tmp_path) == tmp_path / "a.txt"


def test_a_file_with_another_hash_names_both_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hell")
    found = hashlib.sha256(b"hell").hexdigest()
    with pytest.raises(DataError) as caught:
        fetch(PinnedFile("a.txt", HELLO, "http://unreachable.invalid/a.txt"), data_dir=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/a.txt: its sha256 is {found}, pinned is {HELLO}")
    assert (tmp_path / "a.txt").read_bytes() == b"hell"


def test_a_missing_file_without_an_address_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(f"{tmp_path}/x/a.txt: missing")) as caught:
        fetch(PinnedFile("x/a.txt", HELLO, ""), data_dir=tmp_path)
    assert "put the file there, or point data_dir" in str(caught.value)
    assert "RIGHTSIZE_DATA_DIR" in str(caught.value)


def test_a_missing_file_is_downloaded_once(tmp_path: Path, upstream: tuple[str, list[str]]) -> None:
    url, asked = upstream
    data_dir = tmp_path / "data"
    file = PinnedFile("deep/b.txt", HELLO, f"{url}/a.txt")
    for _ in range(2):
        assert fetch(file, data_dir=data_dir).read_bytes() == b"hello"
    assert asked == ["/a.txt"]
    assert files_below(data_dir) == ["deep/b.txt"]


@pytest.mark.parametrize("name", ["cut.txt", "none.txt"], ids=["other content", "not found"])
def test_a_failed_download_is_a_data_error_and_leaves_no_file(
    tmp_path: Path, upstream: tuple[str, list[str]], name: str
) -> None:
    url, _ = upstream
    data_dir = tmp_path / "data"
    with pytest.raises(DataError, match=re.escape(f"{url}/{name} could not be fetched")) as caught:
        fetch(PinnedFile("a.txt", HELLO, f"{url}/{name}"), data_dir=data_dir)
    assert "RIGHTSIZE_DATA_DIR" in str(caught.value)
    assert files_below(data_dir) == []


def test_a_server_that_does_not_answer_is_a_data_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:  # bound, but it does not listen: connections are refused
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a.txt"
        with pytest.raises(DataError, match=re.escape(f"missing, and {url} could not be fetched")):
            fetch(PinnedFile("a.txt", HELLO, url), data_dir=tmp_path / "data")
    assert files_below(tmp_path) == []
