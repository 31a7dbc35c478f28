"""The answers of a frozen bundle depend on its weights and the text alone, whichever head gives them.

Bit for bit where the same numbers are added in the same order, as in another process; within `BOUND` where
batches of another shape, or another number of threads, add them in another order.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared import adapters
from shared.compose import compose_run
from shared.config import RunConfig
from shared.errors import BundleError
from shared.evaluate import infer
from shared.example_rows import example_row
from shared.model import Model, create_model
from tests.shared.short_base import SHORT

pytestmark = pytest.mark.usefixtures("short_base")
# Of logits, scores and probabilities: another order of float32 sums was found to move one by 6.2e-6 at most.
BOUND = 3e-5
TOKENS = 2048  # the usual batch budget; a budget of 1 makes a batch of each window
OTHER_PROCESS = """
import json, sys
from pathlib import Path
import torch
from shared.adapters import load_bundle
from shared.evaluate import infer
from shared.example_rows import read_example
torch.set_num_threads(int(sys.argv[1]))
for line in sys.stdin:
    folder, rows, batch_tokens = json.loads(line)
    model, examples = load_bundle(Path(folder)), [read_example(row) for row in rows]
    features = model.head.encode(examples)
    logits = infer(model, features, batch_tokens=batch_tokens)
    print(repr(([row.tolist() for row in logits], model.head.decode(examples, features, logits))), flush=True)
"""


@dataclass(frozen=True)
class System:
    """A head with its base, a decoder with its first blocks, and how many examples it gets."""

    task: str
    num_examples: int
    words: tuple[str, ...] = ()
    num_tuned: int = 40


WRITTEN = ("head.max_new_tokens=3", "head.batch_rows=2", *SHORT)
SYSTEMS = {
    "token_classification": System("ner", 12),
    "span_extraction": System("ner", 12, ("model=gliner_minilm",)),
    "sequence_classification": System("ontology", 16, ("head.detectors=[max_softmax]",)),
    "embedding_density": System("anomaly", 16, ("head.false_alarms=0.05",)),
    "pair_scoring": System("reranking", 3, ("data.depth=6",)),
    "dual_encoding": System("reranking", 3, ("data.depth=6", "head=dual_encoding")),
    "sentence_selection": System("summarization", 4, ("model=minilm", "head=sentence_selection")),
    "query_writing": System("query_generation", 2, ("head.passage_tokens=24", *WRITTEN), 0),
    "text_generation": System("summarization", 2, ("head.prompt_tokens=24", *WRITTEN), 0),
}


@dataclass(frozen=True)
class Answered:
    """What a model says of examples; the logits of a head that writes are the ids it wrote."""

    logits: list[Any]
    predictions: list[Any]


@dataclass(frozen=True)
class Frozen:
    """A bundle, its model as it was loaded, examples that it never saw, and what it says of them."""

    folder: Path
    model: Model
    examples: list[Any]
    answered: Answered


@pytest.fixture(scope="module", params=SYSTEMS)
def frozen(
    short_base: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Frozen:
    system = SYSTEMS[request.param]
    config = compose_run(system.task, system.words)
    folder = tmp_path_factory.mktemp(request.param) / "adapter"
    origin = adapters.Origin(system.task, config.resolved["head"], "sample", "none")
    adapters.save_bundle(trained(config, system), folder, origin=origin, lora=config.lora)
    model, examples = adapters.load_bundle(folder), config.data.load("test")[: system.num_examples]
    return Frozen(folder, model, examples, answer(model, examples))


def trained(config: RunConfig, system: System) -> Model:
    """A model with every trainable weight away from its start, measured and tuned as after training."""
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    training = config.data.load("train")[:60]
    validation = config.data.load("validation")[: system.num_tuned]
    model.head.start(model.backbone, training)
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    if model.head.measures(validation):
        model.head.measure(*read(model, training))
    model.head.tune(*read(model, validation))
    return model


def read(model: Model, examples: list[Any], *, batch_tokens: int = TOKENS) -> tuple[Any, Any, list[Any]]:
    features = model.head.encode(examples)
    return examples, features, infer(model, features, batch_tokens=batch_tokens)


def answer(model: Model, examples: list[Any], *, batch_tokens: int = TOKENS) -> Answered:
    model.head.source.clear()  # of a bundle without a source, what is read is not kept for the next question
    whole = read(model, examples, batch_tokens=batch_tokens)
    return Answered(whole[2], model.head.decode(*whole))


@pytest.fixture(scope="module")
def other_process() -> Iterator[Callable[[Frozen], str]]:
    """What another process prints that loads the bundle and reads its examples."""
    command = [sys.executable, "-c", OTHER_PROCESS, str(torch.get_num_threads())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        given, printed = process.stdin, process.stdout
        assert given and printed

        def ask(frozen: Frozen) -> str:
            rows = [example_row(example) for example in frozen.examples]
            given.write(json.dumps([str(frozen.folder), rows, TOKENS]) + "\n")
            given.flush()
            return printed.readline().rstrip("\n")

        yield ask
        given.close()


def assert_near(found: Answered, expected: Answered) -> None:
    """Logits are the same within the bound; they may be padded to batches of other widths."""
    for left, right in zip(found.logits, expected.logits, strict=True):
        both = tuple(slice(min(sizes)) for sizes in zip(left.shape, right.shape, strict=True))
        np.testing.assert_allclose(left[both], right[both], atol=BOUND, rtol=0)
    assert_same(found.predictions, expected.predictions)


def assert_same(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Answers are the same, their scores and probabilities within the bound."""
    for left, right in zip(found, expected, strict=True):
        ours, theirs = list(leaves(asdict(left))), list(leaves(asdict(right)))
        assert [masked(leaf) for leaf in ours] == [masked(leaf) for leaf in theirs]
        numbers = [[leaf for leaf in side if isinstance(leaf, float)] for side in (ours, theirs)]
        np.testing.assert_allclose(*numbers, atol=BOUND, rtol=BOUND)


def masked(leaf: Any) -> Any:
    return "a number" if isinstance(leaf, float) else leaf


def leaves(value: Any) -> Iterator[Any]:
    """Every value inside a prediction, with the names of its fields."""
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def test_answers_do_not_depend_on_the_size_of_a_batch(frozen: Frozen) -> None:
    assert_near(answer(frozen.model, frozen.examples, batch_tokens=1), frozen.answered)


def test_answers_do_not_depend_on_the_order_of_the_texts(frozen: Frozen) -> None:
    backwards = answer(frozen.model, frozen.examples[::-1]).predictions
    assert_same(backwards[::-1], frozen.answered.predictions)


def test_answers_do_not_depend_on_neighbouring_texts(frozen: Frozen) -> None:
    """To `token_classification` the sentences of a document are one text: they share what they tell of it."""
    whole = hasattr(frozen.model.head.settings, "document_share")
    groups = groupby(frozen.examples, key=lambda example: example.document if whole else example.id)
    alone = [answer(frozen.model, list(group)).predictions for _, group in groups]
    assert len(alone) > 1
    assert_same([prediction for part in alone for prediction in part], frozen.answered.predictions)


def test_answers_do_not_depend_on_the_number_of_threads(frozen: Frozen) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    found = answer(frozen.model, frozen.examples)
    torch.set_num_threads(threads)
    assert_near(found, frozen.answered)


def test_answers_do_not_depend_on_the_side_that_the_tokenizer_pads(frozen: Frozen) -> None:
    tokenizer = frozen.model.tokenizer
    side = tokenizer.padding_side
    tokenizer.padding_side = {"left": "right", "right": "left"}[side]
    found = answer(frozen.model, frozen.examples)
    tokenizer.padding_side = side
    assert bits_of(found) == bits_of(frozen.answered)


def test_a_frozen_bundle_gives_the_same_bits_again_and_in_another_process(
    frozen: Frozen, other_process: Callable[[Frozen], str]
) -> None:
    bits = bits_of(frozen.answered)
    assert bits_of(answer(frozen.model, frozen.examples)) == bits
    assert other_process(frozen) == bits


def bits_of(answered: Answered) -> str:
    return repr(([row.tolist() for row in answered.logits], answered.predictions))


@pytest.mark.parametrize("frozen", ["token_classification", "span_extraction"], indirect=True)
def test_the_order_in_which_entity_types_are_asked_for_does_not_matter(frozen: Frozen) -> None:
    frozen.model.head.ask(dict(reversed(frozen.model.head.types.items())))
    found = answer(frozen.model, frozen.examples).predictions
    assert found == frozen.answered.predictions and any(prediction.spans for prediction in found)


@pytest.mark.parametrize("frozen", ["sequence_classification"], indirect=True)
def test_an_ontology_in_another_order_is_refused_and_not_answered_otherwise(frozen: Frozen) -> None:
    types = frozen.model.head.types
    with pytest.raises(BundleError, match="this bundle answers by the ontology"):
        frozen.model.head.ask({**types, "concepts": types["concepts"][::-1]})
