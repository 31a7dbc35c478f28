"""A summary as Markdown: its bullets, each with the sentences it rests on."""

from __future__ import annotations

import re

from shared.examples import Bullet, SummaryExample, SummaryPrediction

_INLINE = re.compile(r"[\\`*_\[\]<>~#]|&(?=#?\w+;)")
_FRONT = re.compile(r"^(\d{0,9})([-+=.)])(?=[-=\s]|$)")  # what would begin a list or a rule


def markdown(example: SummaryExample, prediction: SummaryPrediction) -> str:
    """Return the summary below a heading with its id; it ends in a blank line, so that another can follow.

    Marks and faults follow a bullet in italics, then each source as a quotation with the sentence's number,
    from 1. An abstention gives its reason. Bullets that are held back stand below the others.
    """
    heading = f"## {_escaped(prediction.id)}\n\n"
    if prediction.abstained:
        return f"{heading}*No summary: {_escaped(prediction.abstained)}*\n\n"
    given, unsure = (
        "".join(_item(bullet, example) for bullet in bullets)
        for bullets in (prediction.bullets, prediction.unsure)
    )
    held = f"\n*Held back: {_escaped(prediction.withheld)}*\n\n{unsure}" if unsure else ""
    return f"{heading}{given}{held}\n"


def _item(bullet: Bullet, example: SummaryExample) -> str:
    text = bullet.text or example.sentences[bullet.sources[0]]  # quoted as it is, where no check wrote it
    notes = "; ".join([*filter(None, [bullet.mark, "quoted" if bullet.quoted else ""]), *bullet.faults])
    sources = "\n  >\n".join(
        f"  > {index + 1}: {_escaped(example.sentences[index])}" for index in bullet.sources
    )
    line = f"- {_escaped(text)}" + (f" *{_escaped(notes)}*" if notes else "")
    return "\n".join(filter(None, [line, sources])) + "\n"


def _escaped(text: str) -> str:
    """Return the text on one line, with a backslash before each character that Markdown would read."""
    return _FRONT.sub(r"\1\\\2", _INLINE.sub(r"\\\g<0>", " ".join(text.split())))
