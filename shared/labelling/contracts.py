"""What a labelling is made of: forms that know a kind of answer, teachers that give answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from shared.contracts import DataAdapter, Types

Faults = Mapping[str, int]  # what is wrong with an answer -> how often


class Unreadable(Exception):
    """A reply that is not an answer of the form; says why."""


@dataclass(frozen=True)
class Reading:
    """An answer read of a reply, without what it has no right to say; that is counted in `faults`."""

    prediction: Any
    faults: Faults = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """What several answers to one text come to.

    `confidence` is the share of the answers that are wholly the same as this one; `doubt` is 0 where nothing
    is doubted, and grows with every part of the answer that not all give.
    """

    prediction: Any
    confidence: float
    doubt: float


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on texts that both decided: Cohen's kappa, or the F1 of one by the other."""

    measure: str  # kappa or F1
    label: str  # '' for all labels together
    value: float | None  # None: neither gave the label
    num: int  # what it is counted over: decisions, or spans of the two


class Form(Protocol):
    """One kind of answer: how it is asked for, read, put together from several, and edited by hand."""

    @property
    def prompt(self) -> Prompt:
        """What a language model is told."""

    def bind(self, types: Types) -> Form:
        """Return the form for these types."""

    def labels(self) -> list[dict[str, str]]:
        """Return what there is to answer: `name`, `meaning` and `group`, '' where there is none."""

    def shown(self, example: Any) -> dict[str, Any]:
        """Return what the prompt may show of an example, by the names its templates use."""

    def schema(self, example: Any) -> dict[str, Any]:
        """Return the JSON schema of a reply."""

    def written(self, example: Any, prediction: Any) -> dict[str, Any]:
        """Return the reply that gives this answer."""

    def read(self, value: Any, example: Any) -> Reading:
        """Return the answer that the reply's JSON gives; raises `Unreadable`."""

    def merge(self, voices: Sequence[Any], *, lead: Any = None) -> Merged:
        """Return what they come to: most of them, or `lead`, of which the others say how sure it is."""

    def editor(self, example: Any, prediction: Any) -> dict[str, Any]:
        """Return what the review page shows: `kind` names its editor, the rest is what that one edits."""

    def edited(self, example: Any, value: Any) -> Any:
        """Return the prediction of what a reviewer sent; raises `UserError` for what does not fit."""

    def blank(self, example: Any) -> Any:
        """Return the example without its gold answer."""

    def labelled(self, example: Any, prediction: Any) -> Any:
        """Return the example with this answer as its gold one."""

    def agreement(self, pairs: Sequence[tuple[Any, Any]]) -> list[Agreement]:
        """Return how far two people's answers to the same texts agree, all together and by label."""


def named_types(types: Types) -> list[dict[str, str]]:
    """Return the `labels` of a form whose types are name -> meaning."""
    return [{"name": name, "meaning": str(meaning), "group": ""} for name, meaning in types.items()]


@dataclass(frozen=True)
class Prompt:
    """Jinja templates of what a model is told; `ask` is said of the text, and of each example shown."""

    system: str
    ask: str
    shots: int = 0  # examples shown with their answer, those most like the text


@dataclass(frozen=True)
class Answer:
    """What a teacher said of a text; `prediction` is None where `why` says why its reply was not read."""

    id: str
    by: str  # the teacher, and which of its samples
    prediction: Any | None
    why: str = ""
    faults: Faults = field(default_factory=dict)
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    dollars: float = 0.0


@dataclass(frozen=True)
class Work:
    """What a teacher is asked: the texts, what there is to answer, and what it may cost.

    `pool` are labelled examples of which the prompt may show some. `done` are the ids that each teacher has
    answered already, by its name.
    """

    folder: Path
    task: str
    data: DataAdapter
    examples: Sequence[Any]
    form: Form
    pool: Sequence[Any]
    done: Mapping[str, frozenset[str]]
    dollars: float
    tokens: int
    key: str = ""  # of the server; never written anywhere
    runs_dir: Path = Path()
    batch_tokens: int = 1024
    threads: int = 0

    def left(self, by: str) -> list[Any]:
        """Return the texts that this teacher has not answered."""
        done = self.done.get(by, frozenset())
        return [example for example in self.examples if example.id not in done]


class Teacher(Protocol):
    """What gives the answers that drafts are made of."""

    @property
    def key_variable(self) -> str:
        """The name of the environment variable with the key of a server; '' where none is needed."""

    def plan(self, work: Work) -> str:
        """Return what asking will take: texts, tokens, dollars at most."""

    def ask(self, work: Work) -> Iterator[Sequence[Answer]]:
        """Yield the answers as they come; each is paid for once, also where the process is killed."""
