"""Bullets that fail: cut back to the clauses that pass, or a sentence of the document in their place.

Of "sales $5 million versus an estimate of $6 million" a document may bear out the first clause alone. Where
none passes, the nearest sentence stands in, in house style. Sentences also fill a summary that is too short
or lacks as a whole what the style asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from shared.examples import Bullet
from tasks.summarization.evidence import Source
from tasks.summarization.faults import Rules
from tasks.summarization.style import check_style, rendered
from tasks.summarization.style_rules import has_value

SHORTENED = "shortened"  # marks a bullet without its last clauses,
REPLACED = "replaced"  # a sentence of the document, where a bullet or the whole failed

# Where a clause ends that is true without the next one
_CLAUSE = re.compile(r"[,;]\s|\s(?:versus|vs\.?|compared|against|from|while|which|but)\s", re.IGNORECASE)


def cut_back(bullets: Sequence[Bullet], *, source: Source, rules: Rules) -> list[Bullet]:
    """Return the bullets, those that fail cut back to what passes, or left out where others tell that."""
    told = {bullet.text for bullet in bullets if not bullet.faults}
    found = []
    for bullet in bullets:
        short = _shortened(bullet, source=source, rules=rules) if bullet.faults else None
        if short is None:
            found.append(bullet)
        elif short.text not in told:
            found.append(short)
            told.add(short.text)
    return found


def _shortened(bullet: Bullet, *, source: Source, rules: Rules) -> Bullet | None:
    """Return as many of the bullet's first clauses as pass, with a figure if it has one."""
    for end in reversed([match.start() for match in _CLAUSE.finditer(bullet.text)]):
        line = rendered(bullet.text[:end], style=rules.style)
        if not rules.broken_by(line, source) and has_value(line) >= has_value(bullet.text):
            return Bullet(line, source.evidence(line), mark=SHORTENED)
    return None


def mended(bullets: Sequence[Bullet], *, source: Source, read: Sequence[int], rules: Rules) -> list[Bullet]:
    """Return the bullets that pass, at most `style.bullets.max`, with sentences where anything failed.

    `read` are the sentences that the writer read, the best first: they stand in before others do.
    """
    given = _replaced(bullets, source=source, read=read, rules=rules)[: rules.style.bullets.max]
    near = source.nearest("\n".join(bullet.text for bullet in bullets), among=read)
    return _completed(given, source=source, spare=[*near, *read], rules=rules)


def _replaced(
    bullets: Sequence[Bullet], *, source: Source, read: Sequence[int], rules: Rules
) -> list[Bullet]:
    """Return the bullets, each that fails replaced by a sentence, or left out where none fits."""
    beside = [bullet for bullet in bullets if not bullet.faults]
    found = []
    for bullet in bullets:
        if not bullet.faults:
            found.append(bullet)
            continue
        near = [*source.nearest(bullet.text, among=read), *source.with_figures(bullet.text)]
        if quote := next(_quotes(near, source=source, beside=beside, rules=rules), None):
            found.append(quote)
            beside.append(quote)
    return found


def _quotes(
    indices: Iterable[int], *, source: Source, beside: Sequence[Bullet], rules: Rules
) -> Iterator[Bullet]:
    """Yield the sentences in house style that pass, and that the bullets beside do not tell already."""
    told = {index for bullet in beside for index in bullet.sources}
    for index in [index for index in indices if index not in told]:
        line = rendered(source.sentences[index], style=rules.style)
        lines = [*(bullet.text for bullet in beside), line]
        repeated = any(fault.rule == "repeats" for fault in check_style(lines, style=rules.style))
        if not repeated and not rules.broken_by(line, source):
            yield Bullet(line, (index,), quoted=True, mark=REPLACED)


def _completed(bullets: list[Bullet], *, source: Source, spare: Sequence[int], rules: Rules) -> list[Bullet]:
    """Return the bullets with sentences for what the summary as a whole lacks, as far as any has it."""
    for index in spare:
        if not (lacking := rules.lacking(bullets)):
            break
        if quote := next(_quotes([index], source=source, beside=bullets, rules=rules), None):
            helps = lacking - rules.lacking([quote])
            if helps or len(bullets) < rules.style.bullets.min:
                bullets = _with(bullets, quote, helps=helps, rules=rules)
    return bullets


def _with(bullets: list[Bullet], quote: Bullet, *, helps: set[str], rules: Rules) -> list[Bullet]:
    """Return the bullets with the quote; if it does not help so, it stands for the last that lacks it."""
    longer = [*bullets, quote]
    settled = len(longer) <= rules.style.bullets.max and not helps & rules.lacking(longer)
    if settled or len(bullets) < rules.style.bullets.min:
        return longer
    *_, last = (bullet for bullet in bullets if helps & rules.lacking([bullet]))
    return [bullet for bullet in longer if bullet is not last]
