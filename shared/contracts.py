"""What a task gives the core, and what a head gives the loop: the protocols everything plugs in by.

Text goes in, text comes out: tensors exist only between `Head.encode` and `Head.decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from shared.fast_tokenizer import FastTokenizer
    from shared.intervals import Statistic
    from shared.record import Counts
    from shared.writing import Wish

SPLITS = ("train", "validation", "test")

Arrays = dict[str, "np.ndarray[Any, Any]"]

# Examples and predictions are those of `shared.examples`: one kind for all that a task plugs together.
Examples = Sequence[Any]
Predictions = Sequence[Any]
Types = Mapping[str, Any]  # what a task can answer, as plain JSON: label -> name, or the row of an ontology


class DataAdapter(Protocol):
    """A source of examples in its own format; a frozen dataclass whose fields are its YAML."""

    @property
    def name(self) -> str:
        """The data set's name, as tables print it."""

    @property
    def licence(self) -> str:
        """The licence of the data, and so of what is trained on it."""

    def types(self) -> Types:
        """Return what there is to find, in the order that the bundle keeps."""

    def load(self, split: str) -> list[Any]:
        """Return the examples of a split; raises `DataError` with file and line for the first bad row."""

    def files(self, split: str) -> list[Path]:
        """Return the files a split is read from, fetched if public; raises `DataError` if one is missing."""

    def report(self) -> str:
        """Return the data report on train and validation that is shown before training."""


@runtime_checkable
class Weighing(Protocol):
    """A data adapter whose training examples do not count alike."""

    def weight(self, example: Any) -> float:
        """Return how often an epoch reads the training example, in the mean."""


class Baseline(Protocol):
    """A system without weights of ours: trivial, or another system's stored answers."""

    @property
    def name(self) -> str:
        """The row's name, as tables print it."""

    @property
    def kind(self) -> str:
        """`baseline` for a trivial system run here, `replayed` for stored answers of another one."""

    def answer(self, data: DataAdapter, examples: Examples) -> Answers:
        """Return one prediction per example, in order, and what could not be read."""


@dataclass(frozen=True)
class Answers:
    """A baseline's predictions, with what a table shows beside the score (`unparsed_share`, ...)."""

    predictions: list[Any]
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A value with its 95 % interval; the interval is None where none is computed."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Trial:
    """An answer that was given with a confidence, and whether it was right."""

    document: str  # the unit that intervals are resampled by
    confidence: float  # the probability of being right that the system gave, 0 to 1
    right: bool
    raw: float | None = None  # the confidence before calibration, where it is known
    outside: float | None = None  # of a text out of scope: the share of such texts among all


Trials = dict[
    str, list[Trial]
]  # by what is judged, in the plural (spans, texts, queries), the main one first


class Metric(Protocol):
    """Scores predictions against gold, aligned by id."""

    @property
    def version(self) -> str:
        """Changes whenever the same predictions would get another score."""

    @property
    def main(self) -> str:
        """The name of the score that orders the table and chooses the checkpoint."""

    def bind(self, types: Types) -> Metric:
        """Return the metric for data with these types; itself where they do not matter."""

    def quick(self, examples: Examples, predictions: Predictions) -> float:
        """Return the main score alone, without interval, for use while training."""

    def score(self, examples: Examples, predictions: Predictions) -> dict[str, Score]:
        """Return every score by name, the main one with its interval."""

    def counts(self, examples: Examples, predictions: Predictions) -> Counts | None:
        """Return the additive parts of the main score by document, which intervals and paired tests need."""

    def main_statistic(self) -> Statistic:
        """Return the main score as a function of summed counts; asked for only where there are counts."""

    def trials(self, examples: Examples, predictions: Predictions) -> Trials:
        """Return by unit the answers that have a probability of being right; {} where none has one."""

    def details(self, examples: Examples, predictions: Predictions) -> str:
        """Return what a person looks at after the scores, such as a confusion table, as text."""

    def wrong(self, examples: Examples, predictions: Predictions) -> Iterator[dict[str, Any]]:
        """Yield a row of `errors.jsonl` for each example that is not wholly right."""


@runtime_checkable
class AlarmMetric(Protocol):
    """A metric of alarms, whose promise is a rate: that of normal examples which raise one."""

    @property
    def promised(self) -> Sequence[float]:
        """The rates that are checked."""

    def normal_scores(self, examples: Examples, predictions: Predictions) -> list[float]:
        """Return how odd each normal example is."""


class Features(Protocol):
    """What a head makes of one window of one example.

    Where an example has many texts, it also has `part`, the window's place in its text, from 0.
    """

    @property
    def example(self) -> int:
        """Index of the example the window was cut from."""

    @property
    def num_tokens(self) -> int:
        """What a batch's token budget counts, padding excluded."""


@dataclass
class Outputs:
    """A forward pass: `logits[i]` belongs to the batch's i-th features; `loss` is None without labels.

    A head that writes has token ids in their place.
    """

    logits: Tensor
    loss: Tensor | None = None


class Engine(Protocol):
    """What answers: a head, and whatever computes its logits, with torch or without."""

    @property
    def head(self) -> Head:
        """Makes windows of examples, and answers of the windows' logits."""

    @property
    def streams(self) -> int:
        """How many batches it computes at once, where there are many."""

    def logits(self, features: Sequence[Any]) -> np.ndarray[Any, Any]:
        """Return the logits of a batch of windows, a row each, padded to the batch's size."""

    def logits_of(self, batches: Sequence[Sequence[Any]]) -> Iterable[np.ndarray[Any, Any]]:
        """Return the logits of several batches, in order."""


class Inspector(Protocol):
    """Says why answers were given, by asking for the answers to other examples; `predict` alone asks it."""

    def key(self, example: Any) -> Hashable:
        """Return what the answer depends on: examples that share it are answered once."""

    def probes(self, examples: Examples, predictions: Predictions) -> Examples:
        """Return the examples whose answers say why these were given."""

    def explain(self, examples: Examples, predictions: Predictions, probed: Predictions) -> list[Any]:
        """Return the predictions with their reasons, from the answers to their `probes`, in order."""


class Reviewer(Protocol):
    """Checks answers before they are given: what to answer once more, and what then becomes of each."""

    def instruction(self) -> str:
        """Return what the answers must be like, told to a language model."""

    def again(self, examples: Examples, predictions: Predictions) -> Examples:
        """Return the examples to be answered once more, with what stands of their answers."""

    def settle(self, examples: Examples, predictions: Predictions, second: Predictions) -> list[Any]:
        """Return the answers to give, in order; `second` are those to `again`, by id."""


class Head(Protocol):
    """One kind of answer: examples to tensors, a backbone's output to logits, logits to predictions.

    `features` are always those that this head's own `encode` made. The backbone (base + LoRA) stands beside
    the head; `HeadSettings.build` makes both. `types` fixes the label order.
    """

    types: dict[str, Any]
    decoding: dict[str, float]  # the thresholds `decode` uses, stored in the bundle; may be empty
    new_tokens: list[int]  # ids that the base never saw: their embeddings train beside the LoRA
    remembers: bool  # whether `remember` has a use for the training examples
    kept: dict[str, Any]  # what the bundle keeps of the training texts, as plain JSON; may be empty
    source: dict[str, str]  # what an audit asks of an answer: digests of the bundle it came from
    bundles: dict[str, Path]  # other bundles that it needs, by name: they are saved inside its own
    reviewer: Reviewer | None  # who checks its answers before they are given, if anybody

    @property
    def inspector(self) -> Inspector | None:
        """Who says why an answer was given, if anybody."""

    @property
    def module(self) -> Any:
        """The head's own weights, apart from the backbone's: a torch module, or `StoredArrays`."""

    def encode(self, examples: Examples) -> Sequence[Features]:
        """Return one or more windows per example; together they cover the whole text, in order, with overlap.

        Gold answers become targets; an example without gold encodes the same way.
        """

    def start(self, backbone: nn.Module, examples: Examples) -> None:
        """Set what depends on the base and on the training examples, before training."""

    def measures(self, validation: Examples) -> bool:
        """Return whether decoding examples like these asks for `measure`: it reads all of train once more."""

    def measure(
        self, examples: Examples, features: Sequence[Any], logits: Sequence[np.ndarray[Any, Any]]
    ) -> None:
        """Keep for the bundle what decoding needs to know of the training examples, after training."""

    def remember(
        self, examples: Examples, features: Sequence[Any], logits: Sequence[np.ndarray[Any, Any]]
    ) -> None:
        """Keep the training examples themselves, to show beside an answer those nearest to its text."""

    def collate(self, features: Sequence[Any]) -> Arrays:
        """Return the padded batch of these windows (`B` rows)."""

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return loss and logits of a collated batch, now tensors; logits are padded to the batch's size."""

    def decode(
        self, examples: Examples, features: Sequence[Any], logits: Sequence[np.ndarray[Any, Any]]
    ) -> list[Any]:
        """Return one prediction per example, in order, from the logits of all its windows."""

    def tune(
        self, examples: Examples, features: Sequence[Any], logits: Sequence[np.ndarray[Any, Any]]
    ) -> None:
        """Choose decoding thresholds on validation and keep them in `decoding`, if there are any."""

    def ask(self, types: Types) -> None:
        """Look for these types from now on; raises `BundleError` if only the trained ones can be found."""

    def row(self, example: Any, prediction: Any) -> dict[str, Any]:
        """Return the JSON object that `predict` writes for the answer to this example."""

    def finds(self) -> str:
        """Return what the head finds, as the model card says it."""


@dataclass(frozen=True)
class Base:
    """A base's files on this machine, and the digest of its weights.

    `encoder_folder` has the encoder's config and tokenizer: `folder`, unless the weights come without them.
    `gguf` is the file that `folder` was made of, if it was. `four_bits` asks for its weights so quantised.
    """

    folder: Path
    sha256: str
    encoder_folder: Path
    gguf: Path | None = None
    four_bits: bool = False


class HeadSettings(Protocol):
    """A head's YAML as a frozen dataclass, known without torch."""

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return the backbone with the base's weights, its tokenizer, and a fresh head for `types`.

        Fresh weights come from torch's global generator, seeded by the caller.
        """


class ExportableSettings(HeadSettings, Protocol):
    """Settings of a head that stands around any engine's weights, not only around those of torch."""

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights, a torch module or `StoredArrays`; needs no torch itself."""


@runtime_checkable
class WritingHead(Head, Protocol):
    """A head over a decoder: its answers are written, token by token, by any engine that can."""

    engines: dict[str, Engine]  # what answers by its `bundles`, loaded when an example is first read

    @property
    def context(self) -> int:
        """Tokens that a prompt and its answer have together at most."""

    @property
    def sampled(self) -> bool:
        """Whether answers are drawn at random: those of another engine are others."""

    def wishes(self, features: Sequence[Any]) -> list[list[Wish]]:
        """Return what is to be written for each of the prompts, for all of them equally often."""

    def targets(self, examples: Sequence[Any]) -> list[list[int]]:
        """Return the token ids that training teaches it to write, one list per example with an answer."""


@runtime_checkable
class ShowingHead(WritingHead, Protocol):
    """A head that lets one watch what is written, before anybody checks it."""

    show: Callable[[str], None] | None  # told each piece of text, and the end of the line behind the last
