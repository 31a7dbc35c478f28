import itertools
from pathlib import Path

import numpy as np
import pytest
import transformers

from shared.compose import compose_run
from shared.contracts import Base
from shared.errors import BundleError
from shared.examples import Span, SpanExample
from shared.heads.token_classification import TokenClassificationHead
from shared.model import Model, choose_trainable, create_model
from shared.word_shape import SHAPES, word_shape
from shared.words import find_words
from tests.shared.heads.texts import long_example

TYPES = {"PER": "person", "ORG": "organization"}


@pytest.fixture(scope="module")
def model() -> Model:
    config = compose_run("ner", ["head.window_tokens=30", "head.overlap_tokens=8"])
    return create_model(config.model, config.head, config.lora, types=TYPES, seed=1)


EXAMPLES = [
    SpanExample("0", "Ann Lee left.", (Span(0, 7, "PER"),), find_words("Ann Lee left.")),
    SpanExample("1", "", (), ()),
    SpanExample(
        "2",
        "Orla fell, Ann rose",
        (Span(0, 4, "ORG"), Span(11, 14, "PER")),
        find_words("Orla fell, Ann rose"),
    ),
    long_example(20),
]


def gold_logits(head: TokenClassificationHead, batch_targets: np.ndarray) -> list[np.ndarray]:
    """Logits that are sure of the targets; padding is sure of O."""
    rows = []
    for targets in batch_targets:
        logits = np.zeros((len(targets), len(head.tags)), dtype=np.float32)
        logits[np.arange(len(targets)), np.maximum(targets, 0)] = 20.0
        rows.append(logits)
    return rows


def test_gold_comes_back_exactly_through_encode_collate_and_decode(model: Model) -> None:
    head = model.head
    features = head.encode(EXAMPLES)
    assert len(features) > len(EXAMPLES)  # the long text has several windows
    logits = gold_logits(head, head.collate(features)["targets"])
    for example, prediction in zip(EXAMPLES, head.decode(EXAMPLES, features, logits), strict=True):
        assert prediction.id == example.id
        assert [span.key for span in prediction.spans] == [span.key for span in example.spans]
        assert all(span.probability > 0.99 for span in prediction.spans)


def test_windows_cover_every_word_and_fit_the_encoder(model: Model) -> None:
    features = model.head.encode(EXAMPLES)
    for index, example in enumerate(EXAMPLES):
        seen = {word for item in features if item.example == index for word in range(*item.words)}
        assert seen == set(range(len(example.words)))
    assert max(item.num_tokens for item in features) <= 30 + 2


def test_random_logits_never_give_a_broken_span(model: Model) -> None:
    generator = np.random.default_rng(0)
    features = model.head.encode(EXAMPLES)
    logits = [generator.normal(0, 5, (len(item.first_tokens), 5)).astype(np.float32) for item in features]
    for example, prediction in zip(EXAMPLES, model.head.decode(EXAMPLES, features, logits), strict=True):
        starts, ends = {start for start, _ in example.words}, {end for _, end in example.words}
        spans = prediction.spans
        assert all(span.start in starts and span.end in ends and span.label in TYPES for span in spans)
        assert all(left.end <= right.start for left, right in itertools.pairwise(spans))


def test_padding_does_not_change_the_logits(model: Model) -> None:
    features = model.head.encode(EXAMPLES)
    model.eval()
    alone = model(model.head.collate(features[:1])).logits[0]
    beside = model(model.head.collate(features)).logits[0, : len(alone)]
    np.testing.assert_allclose(alone.detach().numpy(), beside.detach().numpy(), atol=1e-4)


def test_a_word_longer_than_a_window_is_cut_and_counted(model: Model) -> None:
    word = "x9" * 45
    example = SpanExample("x", word, (Span(0, len(word), "ORG"),), ((0, len(word)),))
    (window,) = model.head.encode([example])
    assert window.num_tokens == 32
    assert window.truncated_tokens == len(model.tokenizer.tokenize(word)) - 30


def test_a_word_without_a_token_is_outside(model: Model) -> None:
    example = SpanExample("x", "Ann \x7f", (), ((0, 3), (4, 5)))
    features = model.head.encode([example])
    assert features[0].first_tokens == [1, 0]
    logits = [np.full((2, 5), 0, dtype=np.float32)]
    logits[0][:, 1] = 20.0
    (prediction,) = model.head.decode([example], features, logits)
    assert [span.key for span in prediction.spans] == [(0, 3, "PER")]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("bank", "lower"),
        ("Bank", "capitalised"),
        ("IBM", "upper"),
        ("J.", "initial"),
        ("eBay", "mixed"),
        ("2024", "digits"),
        ("3M", "alphanumeric"),
        ("&", "mark"),
    ],
)
def test_a_word_shape_tells_how_it_is_written(word: str, shape: str) -> None:
    assert SHAPES[word_shape(word)] == shape


@pytest.mark.parametrize("kind", ["DebertaV2", "ModernBert"])
def test_encoders_of_other_architectures_feed_the_head(kind: str, model: Model, tmp_path: Path) -> None:
    """The encoders that only the hub has, here as toys of two layers with random weights."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    encoder = getattr(transformers, f"{kind}Config")(vocab_size=len(model.tokenizer), pad_token_id=0, **sizes)
    getattr(transformers, f"{kind}Model")(encoder).save_pretrained(tmp_path)
    base = Base(folder=tmp_path, sha256="", encoder_folder=model.base.folder)
    config = compose_run("ner", [f"model={'deberta_v3_base' if kind == 'DebertaV2' else 'modernbert_base'}"])
    backbone, tokenizer, head = config.head.build(base, types=TYPES)
    trainable = choose_trainable(backbone, config.lora, config.model, new_tokens=head.new_tokens)
    toy = Model(trainable, head, tokenizer, config=config.model, base=base)
    outputs = toy(head.collate(head.encode(EXAMPLES)))
    assert outputs.loss is not None
    outputs.loss.backward()
    assert all(weight.grad is not None for name, weight in toy.named_parameters() if "lora_B" in name)


def test_other_types_than_the_trained_are_refused(model: Model) -> None:
    model.head.ask(TYPES)
    with pytest.raises(BundleError, match="finds PER, ORG and nothing else; asked for: DATE"):
        model.head.ask({"DATE": "date"})


def test_tuning_makes_spans_and_texts_as_sure_as_they_were_right(model: Model) -> None:
    """Forty texts of one name, tagged PER alike; in each second gold has ORG."""
    head, text = model.head, "Ann Lee left."
    words = find_words(text)
    examples = [
        SpanExample(str(place), text, (Span(0, 7, "PER" if place % 2 else "ORG"),), words)
        for place in range(40)
    ]
    features = head.encode(examples)
    tagged = head.encode([SpanExample("x", text, (Span(0, 7, "PER"),), words)])
    (sure,) = gold_logits(head, head.collate(tagged)["targets"])
    logits = [0.2 * sure] * len(features)
    before = head.decode(examples, features, logits)[0]
    head.tune(examples, features, logits)
    after = head.decode(examples, features, logits)[0]
    head.decoding.clear()
    assert before.spans[0].probability == after.spans[0].raw_probability
    assert before.probability == after.raw_probability
    assert [span.key for span in after.spans] == [(0, 7, "PER")]
    assert after.spans[0].probability == pytest.approx(0.5, abs=0.01)
    assert after.probability == pytest.approx(0.5, abs=0.01)
