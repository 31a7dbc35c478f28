"""Log lines of supercomputers, from the samples of Loghub: BGL and Thunderbird."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shared.errors import ConfigError
from shared.examples import AnomalyExample
from shared.fetch import PinnedFile, fetch
from shared.table_files import csv_rows
from tasks.anomaly.formats import check_columns
from tasks.anomaly.report import data_report
from tasks.anomaly.splits import TYPES, Division, Protocol, divide, kept

_NORMAL = "-"  # the label of a line that no alert stands for; others name the alert's category
Row = Mapping[str, str]


@dataclass(frozen=True)
class Loghub:
    """2,000 lines of a log of Loghub (Zhu et al., ISSRE 2023), with labels and templates.

    A text is the cells of the columns `fields`, with a blank between them. With `window` above 1 an example
    is so many successive lines of one node (the last of a node may have fewer): anomalous if a line is, of
    the first such line's kind, and without a group. `node_end` is the mark before which the node's name ends:
    "-" makes one node of R02-M1 and R02-M0, '' takes the whole name. `kind` is the alert's category, `group`
    the template.
    """

    title: str  # {protocol} in it stands for the protocol's name
    licence: str
    file: PinnedFile
    fields: list[str]
    node: str  # the column that names a line's node
    window: int
    protocol: Protocol
    fold: int
    known: int | None
    known_seed: int
    data_dir: Path
    node_end: str = ""  # runs of before had no such setting

    @property
    def name(self) -> str:
        """The title with the protocol: rows of different ones are not comparable."""
        return self.title.replace("{protocol}", self.protocol.words)

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the file, which has every split."""
        return [fetch(self.file, data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split's lines or windows; ids are `line-<LineId>` of the (first) line."""
        return kept(self._divide(), split, known=self.known, known_seed=self.known_seed)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self, self._divide(), protocol=self.protocol)

    def _node(self, row: Row) -> str:
        name = row[self.node]
        return name.partition(self.node_end)[0] if self.node_end else name

    def _divide(self) -> Division:
        path = self.files("train")[0]
        needed = ["LineId", "Label", "EventId", self.node, *self.fields]
        rows = [row for _, row in csv_rows(path, check=partial(check_columns, needed=needed))]
        examples = [
            _example(lines, self.fields) for lines in windows(rows, size=self.window, node=self._node)
        ]
        return divide(examples, protocol=self.protocol, fold=self.fold)


def windows(rows: Sequence[Row], *, size: int, node: Callable[[Row], str]) -> list[list[Row]]:
    """Return each node's rows in runs of `size`, in the order of their first rows; `node` names a row's.

    The last run of a node may be shorter; a size below 1 is a `ConfigError`.
    """
    if size < 1:
        raise ConfigError([f"data.window={size}; allowed: 1 or more lines"])
    found: list[list[Row]] = []
    open_at: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        lines = open_at[node(row)]
        if not lines:
            found.append(lines)
        lines.append(row)
        if len(lines) == size:
            del open_at[node(row)]
    return found


def _example(lines: Sequence[Row], fields: Sequence[str]) -> AnomalyExample:
    name = f"line-{lines[0]['LineId']}"
    alerts = [line["Label"] for line in lines if line["Label"] != _NORMAL]
    return AnomalyExample(
        id=name,
        texts=tuple(" ".join(line[field] for field in fields) for line in lines),
        anomalous=bool(alerts),
        kind=alerts[0] if alerts else "",
        group=lines[0]["EventId"] if len(lines) == 1 else "",
        document=name,
    )
