"""Small labellings made by hand, and a server that answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared.examples import Span, SpanExample, SpanPrediction
from shared.help import CONF
from shared.labelling.contracts import Answer, Form
from shared.labelling.folder import ANSWERS, About, add_answers, claim
from shared.labelling.log import Log
from shared.typed_config import build
from shared.words import find_words

TYPES = {"ORG": "organisation", "PER": "person"}
ORLA = "Orla Bank hired Ada Lind from Orla Bank."


def form(name: str = "spans", types: Any = TYPES) -> Form:
    bound: Form = build(OmegaConf.load(CONF / "form" / f"{name}.yaml"), path="form").bind(types)  # type: ignore[arg-type]  # a mapping
    return bound


def text(name: str, words: str) -> SpanExample:
    return SpanExample(name, words, words=find_words(words), document=f"document-{name}")


def spans(name: str, *keys: tuple[int, int, str]) -> SpanPrediction:
    return SpanPrediction(name, tuple(Span(*key) for key in keys))


def make_labelling(folder: Path, *answers: Answer, texts: list[SpanExample] | None = None) -> Path:
    claim(folder, About("ner", "", "", "yours", dict(TYPES)), texts or [text("a", ORLA)])
    with Log(folder / ANSWERS) as log:
        add_answers(log, answers)
    return folder


def completion(content: str, finish: str = "stop", **usage: int) -> bytes:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage or None}).encode()


@contextmanager
def serve(
    reply: Callable[[dict[str, Any], int], tuple[int, bytes]],
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the address of a server and the bodies it was sent; `reply(body, how many before)` answers."""
    asked: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(asked)
                asked.append({**body, "authorization": self.headers.get("Authorization", "")})
            status, content = reply(body, number)
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(BrokenPipeError):  # whoever asked has stopped waiting
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
