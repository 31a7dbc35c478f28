"""Pushing to a hub that answers on loopback as the real one does."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import constants

from shared import runs
from shared.adapters import Origin, read_manifest, save_bundle
from shared.compose import compose_run
from shared.errors import BundleError, UserError
from shared.model import create_model
from shared.model_card import write_card
from shared.provenance import machine
from shared.push import push_bundle
from shared.record import write_record
from shared.run_inputs import of_run
from shared.train import Fitted
from shared.verb_config import PushConfig
from tests.shared.records import make_record

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "acme/finder"
SETTINGS = PushConfig(repo=REPOSITORY, private=True)


class Hub(ThreadingHTTPServer):
    """Keeps what arrives: requests, and the files that a commit put into the repository."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.requests: list[tuple[str, str]] = []
        self.tokens: set[str | None] = set()
        self.created: dict[str, Any] = {}
        self.refusal = 0  # a status; then there is no repository either
        self.private = True
        self.stored: dict[str, bytes] = {}  # by sha256
        self.files: dict[str, bytes] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """The hub's answers; large files go by Git LFS, as they do where hf_xet is not used."""

    server: Hub

    def do_GET(self) -> None:
        self._arrived()
        repository = {"_id": "1", "id": REPOSITORY, "private": self.server.private}
        self._send(repository, status=404 if self.server.refusal else 200)

    def do_PUT(self) -> None:
        content = self._arrived()
        assert self.path == f"/store/{hashlib.sha256(content).hexdigest()}"
        self.server.stored[self.path.removeprefix("/store/")] = content
        self._send({})

    def do_POST(self) -> None:
        content = self._arrived()
        hub = self.server
        hub.tokens.add(self.headers["Authorization"])
        if self.path == "/api/repos/create":
            hub.created = json.loads(content)
            self._send({"url": f"{hub.address}/{REPOSITORY}"}, status=hub.refusal or 200)
        elif self.path == "/api/validate-yaml":
            self._send({"errors": [], "warnings": []})
        elif self.path == f"/api/models/{REPOSITORY}/preupload/main":
            paths = [file["path"] for file in json.loads(content)["files"]]
            self._send({"files": [{"path": path, **mode(path)} for path in paths]})
        elif self.path == f"/{REPOSITORY}.git/info/lfs/objects/batch":
            objects = json.loads(content)["objects"]
            self._send({"transfer": "basic", "objects": [self._place(item) for item in objects]})
        else:
            assert self.path == f"/api/models/{REPOSITORY}/commit/main"
            self._commit([json.loads(line) for line in content.splitlines()])
            self._send({"commitUrl": f"{hub.address}/{REPOSITORY}/commit/abc", "commitOid": "abc"})

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _arrived(self) -> bytes:
        self.server.requests.append((self.command, self.path))
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _place(self, item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "actions": {"upload": {"href": f"{self.server.address}/store/{item['oid']}"}}}

    def _commit(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            value = row["value"]
            if row["key"] == "file":
                self.server.files[value["path"]] = base64.b64decode(value["content"])
            elif row["key"] == "lfsFile":
                self.server.files[value["path"]] = self.server.stored[value["oid"]]

    def _send(self, value: dict[str, Any], *, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def mode(path: str) -> dict[str, Any]:
    return {"uploadMode": "lfs" if path.endswith(".safetensors") else "regular", "shouldIgnore": False}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub to push to with a token; the client of this process knows no other."""
    with Hub() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on data that is not for commercial use, with its bundle, record and card."""
    config = compose_run("ner", [])
    folder = runs.create_run(
        tmp_path_factory.mktemp("runs"), task="ner", digest=config.digest, config=config.resolved
    )
    types = {"PER": "person", "ORG": "organization"}
    model = create_model(config.model, config.head, config.lora, types=types, seed=1)
    origin = Origin("ner", config.resolved["head"], "FiNER-ORD", "CC BY-NC 4.0")
    save_bundle(model, folder / runs.BUNDLE, origin=origin, lora=config.lora)
    runs.write_training(
        folder,
        fitted=Fitted(),
        parameters=model.count_parameters(),
        num_examples=3,
        hardware=machine(threads=1),
    )
    write_record(make_record(), folder / runs.RECORD)
    write_card(folder, metric="f1")
    return folder


def push(folder: Path, *words: str, hub: str, token: str | None) -> subprocess.CompletedProcess[str]:
    """`python -m tasks.ner push run=FOLDER WORDS`, told of the hub and the token by the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_ENDPOINT": hub, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder / "nothing")}
    return subprocess.run(
        [sys.executable, "-m", "tasks.ner", "push", f"run='{folder}'", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "PYTHONPATH": str(ROOT), **({"HF_TOKEN": token} if token else {})},
    )


def test_every_file_and_the_card_arrive_with_the_token_in_a_private_repository(
    measured: Path, hub: Hub, tmp_path: Path
) -> None:
    done = push(measured, f"push.repo={REPOSITORY}", hub=hub.address, token="hf_secret")
    assert done.returncode == 0, done.stderr
    bundle = measured / runs.BUNDLE
    assert hub.files == {path.name: path.read_bytes() for path in bundle.iterdir()}
    assert {"README.md", "bundle.json", "adapter_model.safetensors", "head.safetensors"} <= set(hub.files)
    assert hub.tokens == {"Bearer hf_secret"}
    assert (hub.created["organization"], hub.created["name"]) == ("acme", "finder")
    assert hub.created["visibility"] == "private"
    assert f"to {hub.address}/{REPOSITORY}/commit/abc" in done.stdout
    assert "acme/finder is private; licences: base Apache-2.0, data CC BY-NC 4.0: not for commercial use" in (
        done.stdout
    )
    for name, content in hub.files.items():
        (tmp_path / name).write_bytes(content)
    assert read_manifest(tmp_path)["types"] == {"PER": "person", "ORG": "organization"}


def test_without_a_token_the_error_says_where_one_comes_from(measured: Path, hub: Hub) -> None:
    done = push(measured, f"push.repo={REPOSITORY}", hub=hub.address, token=None)
    assert done.returncode == 2
    assert done.stderr == (
        "error: no token for the hub: run `hf auth login`, or set HF_TOKEN to a token that may write\n"
    )
    assert hub.requests == []


def test_a_repository_for_everybody_is_made_only_when_asked_for(measured: Path, hub: Hub) -> None:
    hub.private = False
    said = push_bundle(measured / runs.BUNDLE, PushConfig(repo=REPOSITORY, private=False))
    assert hub.created["visibility"] == "public"
    assert "acme/finder is for everybody to read" in said


def test_nothing_is_sent_to_a_repository_that_everybody_can_read_unless_asked_for(
    measured: Path, hub: Hub
) -> None:
    hub.private = False
    with pytest.raises(UserError, match=r"everybody can read acme/finder.*push\.private=false"):
        push_bundle(measured / runs.BUNDLE, SETTINGS)
    assert hub.files == hub.stored == {}


def test_a_run_without_test_scores_is_refused_before_the_hub_hears_of_it(
    measured: Path, hub: Hub, tmp_path: Path
) -> None:
    folder = tmp_path / "unmeasured"
    shutil.copytree(measured, folder)
    (folder / runs.RECORD).unlink()
    write_card(folder, metric="f1")
    with pytest.raises(UserError, match=r"README\.md has no scores of a test split: evaluate the run first"):
        push_bundle(folder / runs.BUNDLE, SETTINGS)
    assert hub.requests == []


def test_a_damaged_bundle_is_refused_before_the_hub_hears_of_it(
    measured: Path, hub: Hub, tmp_path: Path
) -> None:
    bundle = tmp_path / "damaged"
    shutil.copytree(measured / runs.BUNDLE, bundle)
    (bundle / "head.safetensors").write_bytes(b"")
    with pytest.raises(BundleError, match=r"head\.safetensors is damaged"):
        push_bundle(bundle, SETTINGS)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "does not accept the token; run `hf auth login`"),
        (403, "push.repo=acme/finder: there is no acme, or the token may not write there"),
    ],
)
def test_a_refusal_says_what_to_do(measured: Path, hub: Hub, status: int, said: str) -> None:
    hub.refusal = status
    with pytest.raises(UserError) as caught:
        push_bundle(measured / runs.BUNDLE, SETTINGS)
    assert said in str(caught.value)
    assert hub.files == {}


def test_a_hub_out_of_reach_is_one_error(measured: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"the push to http://127\.0\.0\.1:9 did not get through.*refused"):
        push_bundle(measured / runs.BUNDLE, SETTINGS)


@pytest.mark.parametrize("repo", ["", "finder", "acme/team/finder", "acme/fin--der"])
def test_a_repository_that_cannot_be_is_named(measured: Path, hub: Hub, repo: str) -> None:
    with pytest.raises(UserError, match=f"push.repo='{repo}'"):
        push_bundle(measured / runs.BUNDLE, PushConfig(repo=repo, private=True))
    assert hub.requests == []


def test_where_a_bundle_is_pushed_to_is_no_part_of_its_configuration() -> None:
    assert compose_run("ner", [f"push.repo={REPOSITORY}"]).digest == compose_run("ner", []).digest


def test_a_run_older_than_the_verb_is_read_with_the_place_of_now(tmp_path: Path) -> None:
    config = compose_run("ner", [f"push.repo={REPOSITORY}"])
    older = {name: value for name, value in config.resolved.items() if name != "push"}
    folder = runs.create_run(tmp_path, task="ner", digest=config.digest, config=older)
    assert of_run(config, folder, []).push == SETTINGS
