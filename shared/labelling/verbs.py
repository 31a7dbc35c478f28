"""The verbs of a labelling: `label`, `rehearse`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared import runs
from shared.config import RunConfig
from shared.contracts import Baseline
from shared.errors import ConfigError, DataError
from shared.files import read_lines
from shared.labelling.contracts import Answer, Form, Teacher, Work
from shared.labelling.drafts import Label, Status, read_labels
from shared.labelling.folder import (
    ACCEPT,
    ANSWERS,
    REPLIES,
    About,
    add_answers,
    claim,
    labelling_folder,
    read_about,
    read_answers,
)
from shared.labelling.ledger import Budget, Ledger
from shared.labelling.log import Log
from shared.labelling.queue import in_order
from shared.labelling.rehearsal import rehearse as rehearse_review
from shared.labelling.teachers import BaselineTeacher


def label(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Let a teacher answer the texts of a file, or of a split of the data, and keep the answers in a folder.

    Called again it goes on; texts that the teacher has answered are not asked again.
    """
    asked = config.labelling
    folder, teacher = labelling_folder(asked.folder), teacher_of(config)
    form = config.form.bind(config.data.types())
    examples = [form.blank(example) for example in _texts(config)]
    about = About(
        task=config.task.name,
        data="" if asked.input else config.data.name,
        split="" if asked.input else asked.split,
        licence="yours" if asked.input else config.data.licence,
        types=dict(config.data.types()),
    )
    claim(folder, about, examples)
    work = replace(_work(config, folder, examples, form), key="" if asked.estimate else _key(teacher))
    runs.say(teacher.plan(work))
    if asked.estimate:
        return
    with Log(folder / ANSWERS) as log:
        for answers in runs.counted(teacher.ask(work), what="answers"):
            add_answers(log, answers)
    runs.say(summary(folder, form, lead=asked.lead))


def rehearse(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Copy a labelling with a share of its texts decided by gold, the most doubtful first or by chance."""
    asked = config.rehearse
    folder, into = labelling_folder(config.labelling.folder), Path(asked.into).expanduser()
    if not asked.into:
        raise ConfigError(["rehearse.into is empty: name the folder to make"])
    about = read_about(folder)
    labels = read_labels(folder, config.form.bind(about.types), lead=config.labelling.lead)
    gold = {example.id: example for example in config.data.load(about.split or "train")}
    ordered = in_order(labels, asked.order, seed=config.seed)
    number = rehearse_review(folder, into, ordered=ordered, gold=gold, share=asked.share)
    runs.say(f"{into}: {number:,} of {len(labels):,} texts decided by gold, first by {asked.order}")


def summary(folder: Path, form: Form, *, lead: str) -> str:
    """Return texts by what stands of them, and each teacher's answers, faults and costs."""
    labels, answers = read_labels(folder, form, lead=lead), read_answers(folder)
    counts = Counter(label.status for label in labels)
    states = ", ".join(f"{counts[status]:,} {status.value}" for status in Status if counts[status])
    lines = [f"{folder}: {len(labels):,} texts: {states}"]
    for by in dict.fromkeys(answer.by for answer in answers):
        lines.append(_teacher_line(by, [answer for answer in answers if answer.by == by]))
    if (folder / REPLIES).is_file():
        lines.append(_money_line(folder, labels))
    return "\n".join(lines)


def _teacher_line(by: str, answers: Sequence[Answer]) -> str:
    unread = Counter(answer.why for answer in answers if answer.prediction is None)
    faults = Counter({fault: 0 for answer in answers for fault in answer.faults})
    for answer in answers:
        faults.update(answer.faults)
    read, written = sum(a.input_tokens for a in answers), sum(a.output_tokens for a in answers)
    parts = [f"{by}: {len(answers):,} answers"]
    parts += [f"{count:,} not read ({why})" for why, count in unread.most_common()]
    parts += [f"{count:,} {fault}" for fault, count in faults.most_common()]
    if read:
        parts.append(
            f"{read:,.0f} tokens read, {written:,.0f} written, ${sum(a.dollars for a in answers):.4f}"
        )
    return "  " + "; ".join(parts)


def _money_line(folder: Path, labels: Sequence[Label]) -> str:
    """Return what all requests came to, in all, for a text and for a draft that a reviewer accepted."""
    with Ledger(folder / REPLIES, Budget(0.0, 0)) as ledger:
        spent, problems = ledger.spent(), ledger.problems()
    accepted = sum(own.decision is not None and own.decision.action == ACCEPT for own in labels)
    parts = [f"{spent.requests:,} requests, {spent.tokens:,} tokens, ${spent.dollars:.4f}"]
    parts.append(f"${spent.dollars / max(len(labels), 1):.6f} a text")
    if accepted:
        parts.append(f"${spent.dollars / accepted:.6f} a draft that was accepted")
    parts += [f"{count:,} requests failed ({why})" for why, count in sorted(problems.items())]
    return "  " + "; ".join(parts)


def _texts(config: RunConfig) -> list[Any]:
    asked = config.labelling
    if not asked.input:
        return config.data.load(asked.split)
    path = Path(asked.input).expanduser()
    examples = list(config.reader((line for _, line in read_lines(path)), asked.format, file=str(path)))
    if not examples:
        raise DataError("no text in it", file=path)
    return examples


def teacher_of(config: RunConfig) -> Teacher:
    """Return the teacher that was chosen, or the baseline as one; raises `ConfigError` for both or none."""
    if config.teacher and config.baseline:
        raise ConfigError(["teacher and baseline are both given: one of them answers"])
    if config.teacher:
        return config.teacher
    if not config.baseline:
        raise ConfigError(["nobody to ask: give teacher=server, bundle or stored, or a baseline of the task"])
    return BaselineTeacher(config.baseline, _prices(config.baseline, task=config.task.name))


def _prices(baseline: Baseline, *, task: str) -> tuple[float, float]:
    """Return the dollars per million tokens of a large model whose replies are stored, 0 for others."""
    from shared.boards.layout import CONF, read_layout
    from shared.boards.prices import find_price, read_prices

    model = read_layout(task).priced_as.get(baseline.name) or getattr(baseline, "priced_as", "")
    if not model:
        return 0.0, 0.0
    price, _ = find_price(model, read_prices(CONF))
    return price.input, price.output


def _key(teacher: Teacher) -> str:
    """Return the key of the teacher's server; raises `ConfigError` where its variable is not set."""
    from shared.cli import secret

    if not teacher.key_variable:
        return ""
    if not (key := secret(teacher.key_variable)):
        raise ConfigError(
            [
                f"teacher.key_variable={teacher.key_variable}: that environment variable is empty; "
                "set it, or say teacher.key_variable='' for a server without a key"
            ]
        )
    return key


def _work(config: RunConfig, folder: Path, examples: Sequence[Any], form: Form) -> Work:
    done: dict[str, set[str]] = {}
    for answer in read_answers(folder):
        done.setdefault(answer.by, set()).add(answer.id)
    return Work(
        folder=folder,
        task=config.task.name,
        data=config.data,
        examples=examples,
        form=form,
        pool=_pool(config, folder, form) if form.prompt.shots else [],
        done={by: frozenset(ids) for by, ids in done.items()},
        dollars=config.labelling.dollars,
        tokens=config.labelling.tokens,
        runs_dir=config.runs_dir,
        batch_tokens=config.predict.batch_tokens,
        threads=config.hardware.threads,
    )


def _pool(config: RunConfig, folder: Path, form: Form) -> list[Any]:
    """Return the examples that a prompt may show: those reviewed here, those of the data's train split."""
    reviewed = [
        form.labelled(label.example, label.prediction)
        for label in read_labels(folder, form)
        if label.status is Status.reviewed
    ]
    asked = config.labelling
    if not asked.shown or (not asked.input and asked.split == "train"):
        return reviewed
    try:
        return [*reviewed, *config.data.load("train")]
    except ConfigError as error:
        raise ConfigError(
            [*error.mistakes, "or labelling.shown=false, where nothing is labelled yet"]
        ) from error
