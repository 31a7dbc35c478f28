"""What verbs other than `train` are told, typed: how to answer, export, push, promise and release."""

from __future__ import annotations

from dataclasses import dataclass

from shared.slices import KINDS
from shared.typed_config import check


@dataclass(frozen=True)
class PredictConfig:
    """What `predict` reads and writes; '-' is standard input or output."""

    input: str
    output: str
    format: str  # jsonl, text or conll
    types: dict[str, str] | None  # label -> name of what to look for; None: what the bundle was trained on
    explain: bool  # show beside each answer the training examples nearest to the text
    batch_tokens: int
    check: bool  # let the head's reviewer check what was written, if it has one
    chunk: int  # texts answered together, and lost together where the process is killed
    live: bool  # answer each text as it comes, not `chunk` together: for a log that grows
    resume: bool
    # The stored configurations of older runs lack those below.
    risk: float = 0.0  # share of the answers given that may be wrong, of the bundle's promises; 0 gives all
    unit: str = ""  # of the promise: spans, texts, ...; '' is the bundle's first
    abstained: str = ""  # a file for the texts with an answer that is not given; '' for none
    stream: bool = False  # show on standard error what is being written, text after text
    sets: float = 0.0  # share of the texts whose gold may be outside of the prediction sets; 0 gives no sets

    def __post_init__(self) -> None:
        check(
            ("predict.risk", self.risk, 0 <= self.risk < 1, "0 up to 1 exclusive"),
            ("predict.sets", self.sets, 0 <= self.sets < 1, "0 up to 1 exclusive"),
            ("predict.format", self.format, self.format in FORMATS, ", ".join(FORMATS)),
            ("predict.chunk", self.chunk, self.chunk > 0, "a whole number above 0"),
        )


FORMATS = ("jsonl", "text", "conll")


GRAPHS = ("onnx", "onnx_int8", "openvino", "openvino_int8")  # engines of encoders
GENAI = ("genai_f16", "genai_q8_0")  # engines of decoders by OpenVINO GenAI; the others by llama.cpp
WRITERS = ("gguf", "gguf_q8_0", "gguf_q4_1", "gguf_lora", *GENAI)
MERGED = "merged"  # torch on merged weights
SPECULATIVE = "speculative"  # torch on merged weights of a decoder, several tokens a pass
BY_TORCH = (MERGED, SPECULATIVE)
ENGINES = ("torch", MERGED, *GRAPHS, *WRITERS, SPECULATIVE)
FORMATS_OF_EXPORT = ENGINES[1:]


@dataclass(frozen=True)
class ExportConfig:
    """What `export` makes of a bundle, and how much of its quality that may cost."""

    format: str  # the engine it is made for, one of ENGINES but torch
    budget: float  # of the main score on validation
    force: bool  # keep one whatever it costs; it is marked

    def __post_init__(self) -> None:
        check(
            (
                "export.format",
                self.format,
                self.format in FORMATS_OF_EXPORT,
                ", ".join(FORMATS_OF_EXPORT),
            ),
            ("export.budget", self.budget, self.budget >= 0, "0 or more"),
        )


@dataclass(frozen=True)
class PushConfig:
    """Where `push` uploads a bundle to; the token and the hub's address are for the hub's client to find."""

    repo: str  # organisation/name, or user/name
    private: bool


@dataclass(frozen=True)
class PromiseConfig:
    """What `train` and `calibrate` try to promise of answers, see `shared.promise`."""

    risks: list[float]  # shares of the answers given that may be wrong
    confidence: float  # that no more are
    out_of_scope: float | None  # share of texts that will be; None: as many as validation has
    divisions: int  # of validation and test, by which `resplit` tells how often they are kept

    def __post_init__(self) -> None:
        check(
            ("promise.risks", self.risks, all(0 < risk < 1 for risk in self.risks), "shares between 0 and 1"),
            ("promise.confidence", self.confidence, 0 < self.confidence < 1, "between 0 and 1"),
            (
                "promise.out_of_scope",
                self.out_of_scope,
                self.out_of_scope is None or 0 < self.out_of_scope < 1,
                "a share between 0 and 1, or null",
            ),
            ("promise.divisions", self.divisions, self.divisions > 0, "a whole number above 0"),
        )


@dataclass(frozen=True)
class Budget:
    """How much of what worked a new version may change, as `shared.release` judges it."""

    churn: float  # share of items whose answer changed
    negative_flips: float  # share of items that were right and are wrong now
    loss: float  # of the main score
    slice_loss: float  # of the score of a slice
    slice_items: int  # slices of fewer items are not judged
    slices: list[str]  # kinds of slices, of `shared.slices.KINDS`

    def __post_init__(self) -> None:
        kinds = set(self.slices) <= set(KINDS)
        check(
            ("release.churn", self.churn, 0 <= self.churn <= 1, "0 to 1"),
            ("release.negative_flips", self.negative_flips, 0 <= self.negative_flips <= 1, "0 to 1"),
            ("release.loss", self.loss, self.loss >= 0, "0 or more"),
            ("release.slice_loss", self.slice_loss, self.slice_loss >= 0, "0 or more"),
            ("release.slice_items", self.slice_items, self.slice_items > 0, "a whole number above 0"),
            ("release.slices", self.slices, kinds, f"a list of {', '.join(KINDS)}"),
        )
