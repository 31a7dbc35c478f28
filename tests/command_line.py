"""Command lines as a shell runs them, each in a new process that has torch imported already."""

import os
import runpy
import subprocess
import sys
import traceback
from multiprocessing import forkserver
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.fresh_process import IMPORTED, in_fresh_process

ROOT = Path(__file__).resolve().parent.parent


def command_line(
    *words: str, cwd: Path = ROOT, given: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m WORDS` in the folder, with `given` as standard input."""
    environment = dict(os.environ) if environment is None else environment
    with TemporaryDirectory() as name:
        paths = [Path(name) / stream for stream in ("stdin", "stdout", "stderr")]
        paths[0].write_text(given, encoding="utf-8")
        forkserver.set_forkserver_preload(IMPORTED)
        forkserver.ensure_running()
        server = _server()._forkserver_address
        code = in_fresh_process(_run, words, cwd, environment, paths, server, torch=True)
        said, errors = (path.read_text(encoding="utf-8") for path in paths[1:])
    return subprocess.CompletedProcess(words, code, said, errors)


def _server() -> Any:
    """What this process knows of its fork server: a module's own attribute, which tells its address."""
    return forkserver._forkserver  # type: ignore[attr-defined]


def _run(
    words: tuple[str, ...], cwd: Path, environment: dict[str, str], paths: list[Path], server: str
) -> int:
    """Return the exit code that the program would end with; what it forks comes from the server too."""
    _server()._forkserver_address, _server().ensure_running = server, lambda: None
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for number, (path, mode) in enumerate(zip(paths, "rww", strict=True)):
        with path.open(mode) as stream:
            os.dup2(stream.fileno(), number)
    with (
        open(0, encoding="utf-8") as sys.stdin,
        open(1, "w", encoding="utf-8") as sys.stdout,
        open(2, "w", encoding="utf-8", buffering=1) as sys.stderr,
    ):
        sys.argv = list(words)
        try:
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if isinstance(end.code, str):
                sys.stderr.write(end.code + "\n")
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
            return 1
    return 0
