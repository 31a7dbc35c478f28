"""Every request to a server, its reply and what it cost, in a file that outlives a killed process.

A request is entered before it is sent, with the most that it can cost, and that counts until the reply says
what it did cost. So the sum of the file is never less than what was spent, and what does not fit into the
budget is not sent. A reply is found again by the content of its request: nothing that was answered is asked,
or paid, twice.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from shared.errors import DataError, UserError

_TABLE = """
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    text_id TEXT NOT NULL,
    teacher TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    reply TEXT,
    problem TEXT NOT NULL DEFAULT '',
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    dollars REAL NOT NULL,
    counted TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    seconds REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS keys ON requests (key);
"""
ASKED, REPLIED, FAILED = "asked", "replied", "failed"
BOUND, REPORTED, FREE = "bound", "reported", "free"  # how tokens were counted


class OverBudget(UserError):
    """A request that might cost more than is left."""


@dataclass(frozen=True)
class Budget:
    """What all requests of a labelling may come to; tokens are read and written, 0 for no limit."""

    dollars: float
    tokens: int


@dataclass(frozen=True)
class Reply:
    """What a server said, with its finish reason, and what that took."""

    text: str
    finish: str
    input_tokens: int
    output_tokens: int
    dollars: float


@dataclass(frozen=True)
class Spent:
    """What all requests come to, those without a reply at the most that they can have cost."""

    requests: int
    replies: int
    tokens: int
    dollars: float


def request_key(body: Mapping[str, Any], *, sample: int) -> str:
    """Return what names a request: everything that its reply depends on."""
    text = json.dumps([body, sample], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """The file of requests; threads may share it, and processes."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self.path, self.budget = path, budget
        self.lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=FULL")
            self.connection.executescript(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise DataError(f"cannot be used as a ledger: {error}", file=path) from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def find(self, key: str) -> Reply | None:
        """Return the stored reply to a request."""
        rows = self._run(
            "SELECT reply, input_tokens, output_tokens, dollars FROM requests"
            " WHERE key = ? AND state = ? LIMIT 1",
            (key, REPLIED),
        )
        if not rows:
            return None
        reply, read, written, dollars = rows[0]
        said = json.loads(reply)
        return Reply(said["text"], said["finish"], read, written, dollars)

    def enter(
        self,
        key: str,
        *,
        text_id: str,
        teacher: str,
        body: Mapping[str, Any],
        tokens: tuple[int, int],
        dollars: float,
    ) -> int:
        """Enter a request with the most it can take, and return its number; raises `OverBudget`."""
        with self.lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                spent = self._spent()
                self._check(spent, tokens=sum(tokens), dollars=dollars)
                cursor = self.connection.execute(
                    "INSERT INTO requests (key, text_id, teacher, state, body, input_tokens, output_tokens,"
                    " dollars, counted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        key,
                        text_id,
                        teacher,
                        ASKED,
                        json.dumps(body, ensure_ascii=False),
                        *tokens,
                        dollars,
                        BOUND,
                    ),
                )
                self.connection.execute("COMMIT")
            except (UserError, sqlite3.Error):
                self.connection.execute("ROLLBACK")
                raise
            return int(cursor.lastrowid or 0)

    def settle(self, number: int, reply: Reply, *, reported: bool, seconds: float) -> None:
        """Keep the reply; what it took replaces the most it could take, where the server has reported it."""
        said = json.dumps({"text": reply.text, "finish": reply.finish}, ensure_ascii=False)
        self._run(
            "UPDATE requests SET state = ?, reply = ?, input_tokens = ?, output_tokens = ?,"
            " dollars = ?, counted = ?, seconds = ? WHERE number = ?",
            (
                REPLIED,
                said,
                reply.input_tokens,
                reply.output_tokens,
                reply.dollars,
                REPORTED if reported else BOUND,
                seconds,
                number,
            ),
        )

    def fail(self, number: int, problem: str, *, free: bool, seconds: float) -> None:
        """Keep why there is no reply; `free` says that it cannot have cost anything."""
        self._run(
            "UPDATE requests SET state = ?, problem = ?, seconds = ? WHERE number = ?",
            (FAILED, problem, seconds, number),
        )
        if free:
            self._run(
                "UPDATE requests SET input_tokens = 0, output_tokens = 0, dollars = 0, counted = ?"
                " WHERE number = ?",
                (FREE, number),
            )

    def spent(self) -> Spent:
        """Return what all requests come to."""
        with self.lock:
            return self._spent()

    def problems(self) -> dict[str, int]:
        """Return how often requests failed, by why; a killed process leaves some without a word."""
        rows = self._run(
            "SELECT CASE state WHEN 'asked' THEN 'no reply was waited for' ELSE problem END, COUNT(*)"
            " FROM requests WHERE state <> 'replied' GROUP BY 1",
            (),
        )
        return dict(rows)

    def _spent(self) -> Spent:
        row = self.connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(state = 'replied'), 0),"
            " COALESCE(SUM(input_tokens + output_tokens), 0), COALESCE(SUM(dollars), 0) FROM requests"
        ).fetchone()
        return Spent(*row)

    def _check(self, spent: Spent, *, tokens: int, dollars: float) -> None:
        if spent.dollars + dollars > self.budget.dollars + 1e-12:
            raise OverBudget(
                f"labelling.dollars={self.budget.dollars:g}: ${spent.dollars:.6f} are spent, and the next "
                f"request may cost up to ${dollars:.6f}; it was not sent"
            )
        if self.budget.tokens and spent.tokens + tokens > self.budget.tokens:
            raise OverBudget(
                f"labelling.tokens={self.budget.tokens:,}: {spent.tokens:,} are used, and the next request "
                f"may take up to {tokens:,}; it was not sent"
            )

    def _run(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self.lock:
            try:
                return self.connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise DataError(f"the ledger cannot be written: {error}", file=self.path) from error
