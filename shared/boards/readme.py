"""The README's numbers: conf/readme.yaml binds each that states a result to the row that gives it.

A fragment is a piece of the README's own text in which `{path|show}` stands for a value of one row, shown as
in the tables. White space does not count, so the README may be wrapped anew; code blocks are left out.
"""

from __future__ import annotations

import difflib
import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from shared.boards.layout import CONF
from shared.boards.rows import Row
from shared.boards.sections import Section
from shared.boards.tables import find, formatter
from shared.errors import UserError, suggest
from shared.files import read_lines, read_yaml
from shared.typed_json import read_as

_CODE = re.compile(r"^(```|~~~).*?^\1|^ {4}[^\n]*", re.MULTILINE | re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")
_WHOLE = r"\d+(?:,\d{3})*"
_NUMBER = re.compile(rf"(?<![\w.])(?:{_WHOLE}(?:\.\d+)+|{_WHOLE}(?=\s?%)|(?<=\$){_WHOLE})")
_AROUND = 30  # characters shown on each side of a number that nothing binds

_SHOW: dict[str, Callable[[Any], str]] = {  # besides those of `tables`
    "signed": lambda value: f"{value:+.3f}",
    "millions": lambda value: f"{value / 1e6:.0f}",
    "whole_minutes": lambda value: f"{value / 60:.0f}",
    "of_a_hundred": lambda value: f"{100 * value:.0f}",
    "points": lambda value: f"{100 * value:.1f}",
}


@dataclass(frozen=True)
class RowName:
    """Where a row stands."""

    task: str
    data: str
    name: str

    def __str__(self) -> str:
        """Return the three, as problems name them."""
        return ", ".join(astuple(self))


@dataclass(frozen=True)
class Fragment:
    """A piece of the README, and the row that gives the values of its placeholders."""

    row: RowName
    text: str


@dataclass(frozen=True)
class Bindings:
    """conf/readme.yaml: the fragments, and the `plain` texts, whose numbers no row has."""

    fragments: list[Fragment]
    plain: list[str]


@dataclass(frozen=True)
class Prose:
    """A Markdown file without its code blocks, each run of white space one space."""

    file: str
    text: str
    starts: list[int]  # offset in `text` of each word
    lines: list[int]  # line of each word, from 1

    def place(self, offset: int) -> str:
        """Return file:line of what stands at the offset."""
        return f"{self.file}:{self.lines[bisect_right(self.starts, offset) - 1]}"


@dataclass(frozen=True)
class Rendered:
    """A fragment with the values of its row, and the half-open spans of these values."""

    text: str
    values: list[tuple[int, int]]


@dataclass(frozen=True)
class Check:
    """What came of looking for a text: the problem, '' for none, and the spans of prose that it explains."""

    problem: str
    spans: list[tuple[int, int]]


def readme_problems(readme: Path, sections: Iterable[Section], *, conf: Path = CONF) -> Iterator[str]:
    """Yield each number of the README that its row gives otherwise or that nothing binds, with its line.

    A number is one with a decimal point, a percentage or an amount of dollars. What names no row, value or
    show in conf/readme.yaml, or stands nowhere in the README, is a problem too.
    """
    source = conf / "readme.yaml"
    bindings = read_bindings(source)
    yield from number_problems(read_prose(readme), bindings, bound_rows(sections), source=source)


def read_bindings(path: Path) -> Bindings:
    """Return the bindings of a YAML file; raises `UserError` for a wrong key or type."""
    bindings: Bindings = read_as(Bindings, read_yaml(path), file=path)
    return bindings


def bound_rows(sections: Iterable[Section]) -> dict[RowName, Row]:
    """Return the rows of the sections by what names them."""
    return {
        RowName(section.task, section.data, row["name"]): row for section in sections for row in section.rows
    }


def number_problems(
    prose: Prose, bindings: Bindings, rows: Mapping[RowName, Row], *, source: Path
) -> Iterator[str]:
    """Yield the problems of the prose and of its bindings, which were read from `source`."""
    checks = [_check_fragment(prose, fragment, rows, source) for fragment in bindings.fragments]
    checks += [_check_plain(prose, text, source) for text in bindings.plain]
    yield from (check.problem for check in checks if check.problem)
    explained = {offset for check in checks for span in check.spans for offset in range(*span)}
    for number in _NUMBER.finditer(prose.text):
        if not explained.issuperset(range(*number.span())):
            around = prose.text[max(0, number.start() - _AROUND) : number.end() + _AROUND]
            yield (
                f"{prose.place(number.start())}: {number.group()} in {around!r} is bound to no row: bind it "
                f"in {source}, or list its text there as plain if it is no result"
            )


def read_prose(path: Path) -> Prose:
    """Return the prose of a Markdown file; a missing or not UTF-8 file is a `DataError`."""
    content = "".join(line for _, line in read_lines(path))
    content = _CODE.sub(lambda code: "\n" * code.group().count("\n"), content)
    words = [(word, line) for line, text in enumerate(content.split("\n"), start=1) for word in text.split()]
    starts = [0, *itertools.accumulate(len(word) + 1 for word, _ in words)]
    return Prose(str(path), " ".join(word for word, _ in words), starts[:-1], [line for _, line in words])


def render(fragment: Fragment, rows: Mapping[RowName, Row]) -> Rendered:
    """Return the fragment's text; raises `UserError` for a row, a path or a show that does not exist."""
    if fragment.row not in rows:
        raise UserError(f"there is no row {fragment.row}{suggest(str(fragment.row), map(str, rows))}")
    pieces = _PLACEHOLDER.split(" ".join(fragment.text.split()))  # text, path, show, text, path, show, text
    text, values = pieces[0], []
    for path, show, following in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        value = _shown(rows[fragment.row], path, show)
        values.append((len(text), len(text) + len(value)))
        text += value + following
    return Rendered(text, values)


def _shown(row: Row, path: str, show: str) -> str:
    value = find(row, path)
    if value is None:
        raise UserError(f"the row has no {path!r}{suggest(path, _paths(row))}")
    try:
        return _SHOW[show](value) if show in _SHOW else formatter(show)(value)
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(f"{path!r} is {value!r:.80}, which {show!r} cannot show") from error
    except UserError as error:
        raise UserError(f"{error}, {', '.join(_SHOW)}") from error


def _paths(row: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in row.items():
        yield above + key
        if isinstance(value, Mapping):
            yield from _paths(value, f"{above}{key}.")


def _check_fragment(prose: Prose, fragment: Fragment, rows: Mapping[RowName, Row], source: Path) -> Check:
    """Look for what the row gives: it stands there exactly once, so that no other number is meant."""
    try:
        rendered = render(fragment, rows)
    except UserError as error:
        return Check(f"{source}: {fragment.text!r}: {error}", [])
    starts = _find(prose, rendered.text)
    if not starts:
        return _missed(prose, rendered.text, source, gives=f"{fragment.row} gives")
    if len(starts) > 1:
        places = ", ".join(map(prose.place, starts))
        return Check(f"{source}: {rendered.text!r} stands at {places}: bind a longer piece of one", [])
    return Check("", [(starts[0] + start, starts[0] + end) for start, end in rendered.values])


def _check_plain(prose: Prose, plain: str, source: Path) -> Check:
    text = " ".join(plain.split())
    starts = _find(prose, text)
    if not starts:
        return _missed(prose, text, source, gives=f"{source} has as plain")
    return Check("", [(start, start + len(text)) for start in starts])


def _find(prose: Prose, text: str) -> list[int]:
    """Return the offsets of the text, not those within a longer number."""
    pattern = rf"(?<![\d+-])(?<!\d[.,]){re.escape(text)}(?![.,]?\d)"
    return [match.start() for match in re.finditer(pattern, prose.text)]


def _missed(prose: Prose, text: str, source: Path, *, gives: str) -> Check:
    """Name the first difference at the place that is most like the text, and let it explain that place."""
    # No longer than the text, but for the rest of a number.
    piece = rf"(?<!\w)(?=(\S.{{,{len(text) - 1}}}(?:[.,]?\d+)*))"
    pieces = {match[1]: match.start() for match in re.finditer(piece, prose.text)}
    close = difflib.get_close_matches(text, pieces, n=1)
    if not close:
        return Check(f"{source}: nothing like {text!r} stands in {prose.file}: bind what stands there", [])
    found, start = close[0], pieces[close[0]]
    equal = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(found, text, strict=False))
    place = prose.place(start + len(list(equal)))
    return Check(f"{place}: found {found!r}, but {gives} {text!r}", [(start, start + len(found))])
