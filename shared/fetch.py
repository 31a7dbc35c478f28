"""Public data by hash: a file that is there is checked and used, a missing one is fetched."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from shared.errors import DataError
from shared.files import file_atomic


@dataclass(frozen=True)
class PinnedFile:
    """A file of a public data set at a fixed commit; `url` is '' where only a local copy can be used."""

    local: str  # path below the data folder
    sha256: str
    url: str


def fetch(file: PinnedFile, *, data_dir: Path) -> Path:
    """Return the local path of a file whose sha256 was checked; downloads it only if it is missing.

    Raises `DataError` when the content is not the pinned one, or when the file can be had neither here nor
    there.
    """
    path = data_dir / file.local
    if not path.is_file():
        _download(file, path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != file.sha256:
        raise DataError(
            f"its sha256 is {found}, pinned is {file.sha256}: it was changed or cut; "
            "move it away to have it fetched again",
            file=path,
        )
    return path


def _download(file: PinnedFile, path: Path) -> None:
    place = "put the file there, or point data_dir (environment: RIGHTSIZE_DATA_DIR) at a folder that has it"
    if not file.url:
        raise DataError(f"missing, and it has no public address; {place}", file=path)
    import pooch

    pooch.get_logger().setLevel("WARNING")
    with file_atomic(path) as partial:
        try:
            fetched = pooch.retrieve(
                file.url, known_hash=f"sha256:{file.sha256}", path=path.parent, fname=f"{path.name}.fetched"
            )
        except (OSError, ValueError) as error:  # no network or an HTTP error; not the pinned content
            raise DataError(
                f"missing, and {file.url} could not be fetched ({error}); {place}", file=path
            ) from error
        Path(fetched).replace(partial)
