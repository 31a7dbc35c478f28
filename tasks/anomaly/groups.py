"""The cluster view, `python -m tasks.anomaly.groups ALARMS.jsonl`: ten groups to read, not a thousand alarms.

It reads what `predict` wrote. Alarms of one template are a group, and groups whose templates are alike become
one. The file is streamed: of a text without alarm nothing is kept.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cli import USER_ERROR
from shared.errors import ConfigError, DataError, UserError, few
from shared.files import read_lines

if TYPE_CHECKING:
    from rich.table import Table

COMPARED = 3000  # templates, those with most alarms: 72 MB of distances
NUM_WORDS = 5  # never seen ones named for a group
WIDTH = 160  # of the table where no terminal says its own


@dataclass
class Group:
    """Alarms that are alike."""

    template: str  # that of most of its alarms; the text where there is none
    num_alarms: int
    score: float  # the highest
    words: Counter[str]  # never seen ones
    parts: Counter[str]  # those that raise the score
    first: tuple[int, str]  # line and id
    last: tuple[int, str]

    def add(self, other: Group) -> None:
        """Count the other's alarms too; the template stays."""
        self.num_alarms += other.num_alarms
        self.score = max(self.score, other.score)
        self.words.update(other.words)
        self.parts.update(other.parts)
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


@dataclass
class Alarms:
    """The alarms of a file by template: those with a p-value of at most `rate`, itself at most `promised`."""

    promised: float
    held_out: int  # normal texts that the promise rests on
    rate: float
    num_texts: int = 0
    num_alarms: int = 0
    groups: dict[str, Group] = field(default_factory=dict)


@dataclass(frozen=True)
class _Row:
    """A line of the file; `group` is None where it is no alarm."""

    promised: float
    held_out: int
    p_value: float
    group: Group | None


def main(words: Sequence[str]) -> None:
    """Print the groups of the file that the words name; a user's mistake is told with exit code 2."""
    try:
        given = _read_words(words)
        alarms = read_alarms(given.alarms, rate=given.rate)
        show(alarms, merged(alarms.groups.values(), distance=given.distance), top=given.top)
    except UserError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).splitlines()))
        sys.exit(USER_ERROR)


def read_alarms(path: Path, *, rate: float | None) -> Alarms:
    """Return the alarms of a file that `predict` wrote; with a rate, those whose p-value is at most that.

    Raises `DataError` with the line for another row, for a second promise or number of held-out texts, and
    for a promise below the rate: the texts in between are not in the file.
    """
    alarms: Alarms | None = None
    for number, line in read_lines(path):
        row = _read_row(line, file=path, number=number)
        if alarms is None:
            alarms = Alarms(row.promised, row.held_out, rate=row.promised if rate is None else rate)
            if alarms.rate > row.promised:
                problem = f"--rate={rate:g} is above the promised {row.promised:g}; allowed: at most that"
                raise DataError(problem, file=path, line=number)
        if (row.promised, row.held_out) != (alarms.promised, alarms.held_out):
            here, above = (f"{of.promised:g} from {of.held_out:,} held-out texts" for of in (row, alarms))
            problem = f"promises {here}, the lines above {above}: one promise a file"
            raise DataError(problem, file=path, line=number)
        alarms.num_texts += 1
        if row.group and row.p_value <= alarms.rate:
            alarms.num_alarms += 1
            _add(row.group, alarms.groups, key=row.group.template)
    if alarms is None:
        raise DataError("is empty; allowed: the rows that `predict` writes", file=path)
    return alarms


def merged(groups: Iterable[Group], *, distance: float) -> list[Group]:
    """Return the groups, those with most alarms first, after joining those whose templates are alike.

    Average linkage on the cosine distance of TF-IDF of character n-grams: templates of no two groups that are
    left are on average within `distance` (0 to 1). Groups beyond the first COMPARED stay as they are.
    """
    ranked = sorted(groups, key=_rank)
    compared = ranked[:COMPARED]
    joined: dict[int, Group] = {}
    for label, group in zip(_labels(compared, distance=distance), compared, strict=True):
        _add(group, joined, key=label)
    return sorted([*joined.values(), *ranked[COMPARED:]], key=_rank)


def show(alarms: Alarms, groups: Sequence[Group], *, top: int) -> None:
    """Print how many texts and alarms there are, whether that is drift, and the first groups as a table."""
    from rich.console import Console

    from shared.conformal import drift

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(f"{alarms.num_texts:,} lines read, {alarms.num_alarms:,} alarms in {len(groups):,} groups")
    found = drift(alarms.num_alarms, alarms.num_texts, alarms.rate, held_out=alarms.held_out)
    console.print(found.sentence)
    if len(alarms.groups) > COMPARED:
        console.print(f"of {len(alarms.groups):,} templates the {COMPARED:,} with most alarms were compared")
    if groups:
        console.print(_table(groups[:top]))
    if more := groups[top:]:
        hidden = sum(group.num_alarms for group in more)
        console.print(f"and {len(more):,} more groups of {hidden:,} alarms: --top={len(groups)} shows all")


def _read_words(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser("python -m tasks.anomaly.groups", description="Group alarms that are alike.")
    parser.add_argument("alarms", type=Path, help="the JSON lines that `predict` wrote")
    parser.add_argument("--rate", type=float, help="a lower rate of false alarms than the file promises")
    parser.add_argument("--top", type=int, default=10, help="groups shown; %(default)s if not given")
    parser.add_argument(
        "--distance", type=float, default=0.5, help="of templates that are alike, 0 to 1; %(default)s"
    )
    given = parser.parse_args(words)
    mistakes = []
    if given.rate is not None and not 0 < given.rate < 1:
        mistakes.append(f"--rate={given.rate}; allowed: above 0, below 1")
    if given.top < 1:
        mistakes.append(f"--top={given.top}; allowed: at least 1")
    if not 0 < given.distance <= 1:
        mistakes.append(f"--distance={given.distance}; allowed: above 0, at most 1")
    if mistakes:
        raise ConfigError(mistakes)
    return given


def _read_row(line: str, *, file: Path, number: int) -> _Row:
    try:
        row = json.loads(line)
        group = _read_group(row, number=number) if row["alarm"] else None
        return _Row(float(row["promised"]), int(row["held_out"]), float(row["p_value"]), group)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"no row that `predict` wrote for anomalies: {line[:80]!r}"
        raise DataError(problem, file=file, line=number) from error


def _read_group(row: Any, *, number: int) -> Group:
    """Return the group of a single alarm."""
    raising = {_on_one_line(part["text"]) for part in row["parts"] if part["rise"] > 0}
    return Group(
        template=_on_one_line(row["template"] or row["text"]),
        num_alarms=1,
        score=float(row["score"]),
        words=Counter(set(map(_on_one_line, row["unseen_words"]))),
        parts=Counter(raising),
        first=(number, str(row["id"])),
        last=(number, str(row["id"])),
    )


def _on_one_line(text: str) -> str:
    """Return the text with single spaces, without what would move a terminal's cursor or colour it."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split())
    )


def _add(group: Group, groups: dict[Any, Group], *, key: Any) -> None:
    if key in groups:
        groups[key].add(group)
    else:
        groups[key] = group


def _rank(group: Group) -> tuple[int, str]:
    return -group.num_alarms, group.template


def _labels(groups: Sequence[Group], *, distance: float) -> list[int]:
    """Return the number of the joined group that each belongs to."""
    if len(groups) < 2:  # nothing to join, which scikit-learn refuses
        return list(range(len(groups)))
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_distances

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit_transform(
        group.template for group in groups
    )
    clusters = AgglomerativeClustering(
        n_clusters=None, distance_threshold=distance, metric="precomputed", linkage="average"
    )
    labels: list[int] = clusters.fit_predict(cosine_distances(vectors)).tolist()
    return labels


def _table(groups: Sequence[Group]) -> Table:
    """Return a line for each group; texts too long for their column are cut."""
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True)
    for name in ("alarms", "highest"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, share in (("template", 5), ("never seen words", 3), ("part", 2), ("first", 2), ("last", 2)):
        table.add_column(name, ratio=share, no_wrap=True, overflow="ellipsis")
    for group in groups:
        words = few(_commonest(group.words), most=NUM_WORDS)
        part = next(iter(_commonest(group.parts)), "")
        cells = [group.template, words, part, group.first[1], group.last[1]]
        table.add_row(f"{group.num_alarms:,}", f"{group.score:.3f}", *map(Text, cells))
    return table


def _commonest(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


if __name__ == "__main__":
    main(sys.argv[1:])
