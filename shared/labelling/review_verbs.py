"""The verbs by which people decide: `review` on a page, `audit` before it, `exchange` with other tools."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from shared import runs
from shared.config import RunConfig
from shared.errors import ConfigError, UserError
from shared.files import write_json_atomic, write_text_atomic
from shared.labelling.argilla import argilla_records
from shared.labelling.contracts import Form
from shared.labelling.desk import Desk, agreement_text
from shared.labelling.drafts import Label, read_labels
from shared.labelling.exchange import ARGILLA, read_answers
from shared.labelling.folder import (
    DECISIONS,
    Decision,
    add_decisions,
    labelling_folder,
    read_about,
    read_decisions,
    standing,
)
from shared.labelling.label_studio import label_studio_config, label_studio_tasks
from shared.labelling.log import Log, read_log
from shared.labelling.queue import in_order

LOOPBACK = "127.0.0.1"
SUSPECTS = "suspects.jsonl"


def review(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Serve the page on which people decide, to this machine alone, until Ctrl-C."""
    folder, form, labels = _opened(config)
    with Log(folder / DECISIONS) as log:
        desk = Desk(
            labels=in_order(_suspected(folder, labels), config.review.order, seed=config.seed),
            decisions=read_decisions(folder),
            form=form,
            log=log,
            copies=config.review.copies,
            shared=config.review.shared,
        )
        _serve(desk, port=config.review.port, title=f"{config.task.name}, {folder.name}")
    runs.say(agreement_text(read_decisions(folder), form))


def audit(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Estimate how many labels are wrong and list them, and the words that are labelled in two ways."""
    from shared.labelling.audit import audit_text, estimate_errors, two_ways
    from shared.run_inputs import use_threads

    folder, _, labels = _opened(config)
    use_threads(config.hardware.threads)
    estimates = estimate_errors(labels, model=config.model)
    runs.say(audit_text(estimates, two_ways(labels)))
    suspects = [asdict(suspect) for one in estimates for suspect in one.suspects]
    runs.write_rows(folder / SUSPECTS, suspects)
    runs.say(f"probably wrong: {len(suspects):,}, in {folder / SUSPECTS}")


def exchange(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Write the labelling for another tool, or read what people decided there."""
    asked = config.exchange
    folder, form, labels = _opened(config)
    if bool(asked.write) == bool(asked.read):
        raise ConfigError(["give one of exchange.write and exchange.read: the file to write, or to read"])
    if asked.read:
        _take(folder, form, labels, Path(asked.read).expanduser(), asked.format)
        return
    target, stands = Path(asked.write).expanduser(), standing(read_decisions(folder))
    if asked.format == ARGILLA:
        write_json_atomic(target, argilla_records(labels, stands, form))
    else:
        write_json_atomic(target, label_studio_tasks(labels, stands, form))
        interface = target.with_suffix(".xml")
        write_text_atomic(interface, label_studio_config(form, labels[0].example))
        runs.say(f"labelling interface: {interface}")
    runs.say(f"{len(labels):,} texts: {target}")


def _suspected(folder: Path, labels: Sequence[Label]) -> list[Label]:
    """Return the labels, in doubt also by each of their words or facets that `audit` found to be wrong."""
    counts = Counter(row["unit"]["text"] for _, row in read_log(folder / SUSPECTS))
    return [replace(label, doubt=label.doubt + counts[label.example.id]) for label in labels]


def _opened(config: RunConfig) -> tuple[Path, Form, list[Label]]:
    folder = labelling_folder(config.labelling.folder)
    about = read_about(folder)
    if about.task != config.task.name:
        raise UserError(f"{folder} is a labelling of the task {about.task}, not of {config.task.name}")
    form = config.form.bind(about.types)
    return folder, form, read_labels(folder, form, lead=config.labelling.lead)


def _take(folder: Path, form: Form, labels: Sequence[Label], path: Path, format: str) -> None:
    """Add the decisions of the file that do not stand here already."""
    found = read_answers(path, format, labels=labels, form=form)
    stands = standing(read_decisions(folder))
    new = [
        decision for decision in found if not _same(decision, stands.get((decision.id, decision.reviewer)))
    ]
    with Log(folder / DECISIONS) as log:
        add_decisions(log, new)
    runs.say(f"{len(new):,} decisions of {path}, {len(found) - len(new):,} stood already")
    runs.say(agreement_text(read_decisions(folder), form))


def _same(left: Decision, right: Decision | None) -> bool:
    if right is None or left.prediction is None or right.prediction is None:
        return right is not None and left.prediction is right.prediction
    return bool(left.prediction.key == right.prediction.key)


def _serve(desk: Desk, *, port: int, title: str) -> None:
    try:
        import uvicorn

        from shared.labelling.review_page import make_app
    except ImportError as error:
        raise UserError(f"review needs {error.name}: pip install 'rightsize[review]'") from error
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # by which asyncio knows to send without delay
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen()
    except OSError as error:
        raise UserError(f"review.port={port} cannot be used: {error.strerror}; 0 takes a free one") from error
    token = secrets.token_urlsafe(24)
    runs.say(f"open http://{LOOPBACK}:{listening.getsockname()[1]}/?token={token} (Ctrl-C ends)")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(make_app(desk, token=token, title=title), log_level="warning"))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
