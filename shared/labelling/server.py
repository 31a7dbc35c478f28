"""A teacher behind an OpenAI-compatible server: vLLM, TGI, Ollama, llama.cpp, or a paid one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

from shared.errors import ConfigError, UserError
from shared.labelling.asking import JSON, SCHEMA, Asking
from shared.labelling.contracts import Answer, Work
from shared.labelling.prompting import Messages


class Enforce(Enum):
    """How the server is told the reply's form."""

    schema = SCHEMA  # response_format with the JSON schema
    json = JSON  # response_format: any JSON object
    none = "none"  # by the prompt alone


@dataclass(frozen=True)
class Server:
    """A model of a server, asked about one text a request."""

    name: str  # by which its answers are known; '' for the model's
    base_url: str
    model: str
    key_variable: str  # the environment variable with the key; '' for none
    input_dollars: float | None  # per million tokens; None looks the model up in conf/prices
    output_dollars: float | None
    samples: int  # answers to each text
    temperature: float
    max_tokens: int  # of a reply
    enforce: Enforce
    concurrency: int
    attempts: int  # of a request that fails
    timeout_seconds: float
    backoff_seconds: float  # before the second attempt; doubled each time, with jitter

    def __post_init__(self) -> None:
        """Raise `ConfigError` for values out of their range."""
        positive = ("samples", "max_tokens", "concurrency", "attempts", "timeout_seconds")
        mistakes = [
            f"teacher.{name}={getattr(self, name)}; allowed: above 0"
            for name in positive
            if getattr(self, name) <= 0
        ]
        if not self.base_url.startswith(("http://", "https://")):
            mistakes.append(f"teacher.base_url={self.base_url!r}; allowed: such as http://127.0.0.1:8080/v1")
        if not self.model:
            mistakes.append("teacher.model is empty: name the model as the server does")
        if mistakes:
            raise ConfigError(mistakes)

    def plan(self, work: Work) -> str:
        """Return texts, requests, tokens and dollars at most; replies that are stored cost nothing."""
        with self._asking(work) as asking:
            waiting = [request for request in asking.requests() if not asking.ledger.find(request.key)]
            spent = asking.ledger.spent()
            read, most = sum(asking.bound(request)[0] for request in waiting), self.max_tokens * len(waiting)
            about = sum(_counted(request.body["messages"]) for request in waiting)
            cost = asking.dollars(about, 0), asking.dollars(about, most)
            return (
                f"{self.by(0)}: {len(work.examples):,} texts, {len(waiting):,} requests to send; "
                f"about {about:,} tokens to read (never more than {read:,}), at most {most:,} to write\n"
                f"estimate: ${cost[0]:.4f} to ${cost[1]:.4f}; "
                f"${spent.dollars:.4f} are spent of ${work.dollars:g}"
            )

    def ask(self, work: Work) -> Iterator[Sequence[Answer]]:
        """Yield an answer as each reply comes.

        Raises `UserError` at the end where texts were not answered: the money was used up, or the server
        failed.
        """
        with self._asking(work) as asking, ThreadPoolExecutor(self.concurrency) as pool:
            try:
                yield from asking.answers(pool)
            finally:
                asking.stop.set()

    def by(self, sample: int) -> str:
        """Return the name of the teacher's sample."""
        name = self.name or self.model
        return name if self.samples == 1 else f"{name}, sample {sample + 1}"

    def _asking(self, work: Work) -> Asking:
        return Asking(self, work, *_prices(self))


def _prices(server: Server) -> tuple[float, float]:
    """Return the dollars per million tokens, read and written."""
    if server.input_dollars is not None and server.output_dollars is not None:
        return server.input_dollars, server.output_dollars
    from shared.boards.layout import CONF
    from shared.boards.prices import find_price, read_prices

    try:
        price, _ = find_price(server.model, read_prices(CONF))
    except UserError as error:
        raise ConfigError(
            [
                "teacher.input_dollars and output_dollars are needed, per million tokens "
                f"(0 for one's own): {error}"
            ]
        ) from error
    return price.input, price.output


def _counted(messages: Messages) -> int:
    """Return about how many tokens the messages are, by GPT-4o's tokenizer."""
    import quicktok  # type: ignore[import-untyped]  # has no types

    encoding = quicktok.get_encoding("o200k_base")
    return sum(encoding.count(message["content"]) + 4 for message in messages)
