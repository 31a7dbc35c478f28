"""Requests to a server: entered before they are sent, sent again where it is busy, read whatever it says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from shared.errors import UserError
from shared.labelling.contracts import Answer, Work
from shared.labelling.folder import REPLIES
from shared.labelling.ledger import Budget, Ledger, Reply, request_key
from shared.labelling.prompting import Prompter
from shared.labelling.replies import read_answer

if TYPE_CHECKING:
    from shared.labelling.server import Server

FRAME = 16  # tokens around a message, more than any chat format has
BUSY = (408, 409, 425, 429)  # and all from 500 on: the server may answer later
GIVEN_UP = 5  # texts in a row without a reply, after which the server is taken to be gone
SCHEMA, JSON = "schema", "json"  # how the server is told the reply's form


class Unanswered(UserError):
    """A text whose request failed as often as it may."""


class Busy(Exception):
    """A request that failed and may be sent again; `free` says that it cannot have cost anything."""

    def __init__(self, problem: str, *, free: bool, wait: float | None = None) -> None:
        super().__init__(problem)
        self.free, self.wait = free, wait


@dataclass(frozen=True)
class Request:
    """A text with what is sent of it."""

    example: Any
    sample: int
    body: dict[str, Any]

    @property
    def key(self) -> str:
        """What names it."""
        return request_key(self.body, sample=self.sample)


@dataclass
class Asking:
    """The state of one asking: the ledger, the connection, how long everybody waits for a busy server."""

    server: Server
    work: Work
    input_dollars: float
    output_dollars: float
    stop: threading.Event = field(default_factory=threading.Event)
    excess: int = 0  # tokens read beyond the bound, the most of any reply: a server may add a text of its own
    resume_at: float = 0.0

    def __enter__(self) -> Asking:
        self.ledger = Ledger(self.work.folder / REPLIES, Budget(self.work.dollars, self.work.tokens))
        headers = {"Authorization": f"Bearer {self.work.key}"} if self.work.key else {}
        self.client = httpx.Client(headers=headers, timeout=self.server.timeout_seconds, trust_env=False)
        self.prompter = Prompter(self.work.form, self.work.pool)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.ledger.__exit__(None, None, None)

    def requests(self) -> Iterator[Request]:
        """Yield what this teacher has not answered yet."""
        for sample in range(self.server.samples):
            for example in self.work.left(self.server.by(sample)):
                yield Request(example, sample, self._body(example, sample))

    def answers(self, pool: ThreadPoolExecutor) -> Iterator[Sequence[Answer]]:
        """Yield the answers as they come; what no reply came for is said at the end."""
        waiting, running = self.requests(), set[Future[Answer]]()
        problem: UserError | None = None
        num_failed = in_a_row = 0
        while True:
            while len(running) < self.server.concurrency and not self.stop.is_set():
                if (request := next(waiting, None)) is None:
                    break
                running.add(pool.submit(self.answer, request))
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            running -= done
            for future in done:
                try:
                    answer = future.result()
                except UserError as error:
                    problem = problem or error
                    num_failed, in_a_row = num_failed + 1, in_a_row + 1
                    if in_a_row >= GIVEN_UP or not isinstance(error, Unanswered):
                        self.stop.set()
                else:
                    in_a_row = 0
                    yield [answer]
        if problem:
            left = num_failed + sum(1 for _ in waiting)
            raise UserError(f"{left:,} texts are not answered: {problem}") from problem

    def answer(self, request: Request) -> Answer:
        """Return the answer to a text, from the ledger or from the server."""
        reply = self.ledger.find(request.key) or self._asked(request)
        paid = Answer(
            request.example.id,
            self.server.by(request.sample),
            None,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            dollars=reply.dollars,
        )
        return read_answer(reply.text, reply.finish, request.example, self.work.form, paid)

    def bound(self, request: Request) -> tuple[int, int]:
        """Return the most tokens that the request can take, read and written: no token is under a byte."""
        texts = [message["content"] for message in request.body["messages"]]
        form = json.dumps(request.body.get("response_format", ""), ensure_ascii=False)
        read = sum(len(text.encode()) + FRAME for text in texts) + len(form.encode())
        return read + self.excess, self.server.max_tokens

    def dollars(self, read: float, written: float) -> float:
        """Return what so many tokens cost."""
        return (read * self.input_dollars + written * self.output_dollars) / 1e6

    def _body(self, example: Any, sample: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.server.model,
            "messages": self.prompter.messages(example),
            "temperature": self.server.temperature,
            "max_tokens": self.server.max_tokens,
            "seed": sample,
        }
        if self.server.enforce.value == SCHEMA:
            schema = {"name": "answer", "strict": True, "schema": self.work.form.schema(example)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self.server.enforce.value == JSON:
            body["response_format"] = {"type": "json_object"}
        return body

    def _asked(self, request: Request) -> Reply:
        retrying = Retrying(
            stop=stop_after_attempt(self.server.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(Busy),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._send, request)
        except Busy as error:
            raise Unanswered(
                f"{self.server.base_url}: {error}; what it answered is kept, the same command goes on"
            ) from error

    def _send(self, request: Request) -> Reply:
        self._sleep(max(0.0, self.resume_at - time.monotonic()))
        if self.stop.is_set():
            raise UserError("stopped")
        read, written = self.bound(request)
        number = self.ledger.enter(
            request.key,
            text_id=request.example.id,
            teacher=self.server.by(request.sample),
            body=request.body,
            tokens=(read, written),
            dollars=self.dollars(read, written),
        )
        started = time.perf_counter()
        try:
            reply, reported = self._read(self._post(request.body), bound=(read, written))
        except Busy as error:
            self.ledger.fail(number, str(error), free=error.free, seconds=time.perf_counter() - started)
            if error.wait is not None:
                self.resume_at = max(self.resume_at, time.monotonic() + error.wait)
            raise
        except UserError as error:
            self.ledger.fail(number, str(error), free=True, seconds=time.perf_counter() - started)
            raise
        self.ledger.settle(number, reply, reported=reported, seconds=time.perf_counter() - started)
        return reply

    def _post(self, body: Mapping[str, Any]) -> httpx.Response:
        url = f"{self.server.base_url.rstrip('/')}/chat/completions"
        try:
            response = self.client.post(url, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Busy(f"no connection: {error}", free=True) from error
        except httpx.TimeoutException as error:
            raise Busy(f"no reply in {self.server.timeout_seconds:g} s", free=False) from error
        except httpx.HTTPError as error:
            raise Busy(f"connection lost: {error}", free=False) from error
        if response.status_code in BUSY or response.status_code >= 500:
            wait = _seconds(response.headers.get("Retry-After", ""))
            raise Busy(f"status {response.status_code}", free=True, wait=wait)
        if response.status_code >= 400:
            hint = "; try teacher.enforce=json or none" if "response_format" in response.text else ""
            raise UserError(f"{url}: status {response.status_code}: {response.text[:300]}{hint}")
        return response

    def _read(self, response: httpx.Response, *, bound: tuple[int, int]) -> tuple[Reply, bool]:
        """Return the reply, and whether the server says how many tokens it took."""
        try:
            value = response.json()
            choice = value["choices"][0]
            text, finish = str(choice["message"]["content"] or ""), str(choice.get("finish_reason") or "")
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Busy(f"no chat completion: {response.text[:80]!r}", free=False) from error
        usage = value.get("usage") if isinstance(value.get("usage"), Mapping) else {}
        read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if type(read) is not int or type(written) is not int:
            return Reply(text, finish, *bound, self.dollars(*bound)), False
        self.excess = max(self.excess, self.excess + read - bound[0])
        return Reply(text, finish, read, written, self.dollars(read, written)), True

    def _wait(self, state: RetryCallState) -> float:
        return wait_exponential_jitter(
            initial=self.server.backoff_seconds, max=60, jitter=self.server.backoff_seconds
        )(state)

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)


def _seconds(header: str) -> float | None:
    try:
        return min(max(float(header), 0.0), 60.0)
    except ValueError:
        return None
