import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.compose import compose_run
from shared.contracts import Base
from shared.errors import ConfigError
from shared.evaluate import infer, predict
from shared.examples import Span, SpanExample
from shared.heads.span_extraction import NO_TOKEN
from shared.model import Model, create_model
from shared.words import find_words, join_words
from tests.shared.heads.texts import long_example

TYPES = {"PER": "person", "ORG": "organization"}
OVERRIDES = ["model=gliner_minilm", "head.max_width=4", "head.window_tokens=40", "head.overlap_tokens=12"]
TEXTS = ["Ann Lee joined Orla Bank in May.", "Nothing here.", "ORLA BANK fell 3 % on Friday, said Bo Ek."]


def new_model(*overrides: str) -> Model:
    config = compose_run("ner", [*OVERRIDES, *overrides])
    return create_model(config.model, config.head, config.lora, types=TYPES, seed=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return new_model()


EXAMPLES = [
    SpanExample("0", "Ann Lee left.", (Span(0, 7, "PER"),), find_words("Ann Lee left.")),
    SpanExample("1", "", (), ()),
    long_example(20),
]


def test_gold_comes_back_exactly_through_encode_collate_and_decode(model: Model) -> None:
    features = model.head.encode(EXAMPLES)
    assert len(features) > len(EXAMPLES)
    labels = model.head.collate(features)["labels"]
    logits = [20.0 * row - 10.0 for row in labels]
    for example, prediction in zip(EXAMPLES, model.head.decode(EXAMPLES, features, logits), strict=True):
        assert [span.key for span in prediction.spans] == [span.key for span in example.spans]


def test_words_that_the_tokenizer_drops_move_no_span(model: Model) -> None:
    """Signs of private use have no token; a gliner's own batches take the next word for them."""
    text, words = join_words(["\ue009", "Ann", "Lee", "\ue008", "left", "Orla", "\ue05c"])
    bare, few = join_words(["Ann", "Lee", "left", "Orla"])
    windows = model.head.encode([SpanExample("0", text, (), words), SpanExample("1", bare, (), few)])
    assert windows[0].tokens == windows[1].tokens
    assert [place for place in windows[0].places if place != NO_TOKEN] == windows[1].places
    assert [place == NO_TOKEN for place in windows[0].places] == [
        True,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_a_window_is_read_as_gliner_reads_it(model: Model) -> None:
    """Tokens, masks and places are those of the library's own processor, where no word is dropped."""
    examples = [
        SpanExample(str(n), text, (), find_words(text)) for n, text in enumerate([*TEXTS, "Oréal – IKEA."])
    ]
    windows = model.head.encode(examples)
    batch, processor = model.head.collate(windows), model.head.module.gliner.data_processor
    raw = processor.collate_raw_batch(
        [{"tokenized_text": [e.text[a:b] for a, b in e.words], "ner": []} for e in examples],
        entity_types=list(TYPES.values()),
    )
    own = processor.tokenize_inputs(raw["tokens"], raw["classes_to_id"])
    assert batch["tokens"].tolist() == own["input_ids"].tolist()
    assert batch["mask"].tolist() == own["attention_mask"].tolist()
    for places, words_mask in zip(batch["places"].tolist(), own["words_mask"].tolist(), strict=True):
        expected = [place for place, word in enumerate(words_mask) if word]
        assert [place for place in places if place != NO_TOKEN] == expected


def test_overlapping_spans_leave_the_most_probable(model: Model) -> None:
    example = EXAMPLES[0]
    features = model.head.encode([example])
    logits = np.full((4, 4, 2), -10.0, dtype=np.float32)
    logits[0, 0, 0], logits[0, 1, 1], logits[1, 1, 0] = 1.0, 3.0, 2.0  # Ann; Ann Lee; Lee left
    (prediction,) = model.head.decode([example], features, [logits])
    assert [span.key for span in prediction.spans] == [(0, 7, "ORG")]
    assert prediction.spans[0].probability == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-6)


def test_the_threshold_is_chosen_where_f1_is_best(model: Model) -> None:
    """A right span at 0.3 and a wrong one at 0.2: only thresholds between them give F1 1."""
    example = EXAMPLES[0]
    features = model.head.encode([example])
    logits = np.full((4, 4, 2), -10.0, dtype=np.float32)
    logits[0, 1, 0], logits[2, 0, 1] = np.log(0.3 / 0.7), np.log(0.2 / 0.8)
    model.head.tune([example], features, [logits])
    assert model.head.decoding["threshold"] == 0.3
    assert [span.key for span in model.head.decode([example], features, [logits])[0].spans] == [(0, 7, "PER")]


def test_a_type_that_was_never_trained_can_be_asked_for() -> None:
    model = new_model()
    model.head.ask({"DATE": "date", "PER": "person", "MONEY": "amount of money"})
    model.head.decoding["threshold"] = 0.0
    (prediction,) = predict(model, EXAMPLES[:1], batch_tokens=512)
    assert {span.label for span in prediction.spans} <= {"DATE", "PER", "MONEY"}
    assert prediction.spans
    assert infer(model, model.head.encode(EXAMPLES[:1]), batch_tokens=512)[0].shape[-1] == 3


def test_gold_wider_than_the_widest_span_is_no_target(model: Model) -> None:
    text, words = join_words(["a", "b", "c", "d", "e"])
    example = SpanExample("x", text, (Span(0, 9, "ORG"),), words)
    assert float(model.head.collate(model.head.encode([example]))["labels"].sum()) == 0.0


def test_a_whole_gliner_is_loaded_with_its_own_layers(tmp_path: Path) -> None:
    """As the public weights are: no tokenizer beside them, the encoder's config in another folder."""
    model = new_model("lora=full")
    model.head.module.gliner.save_pretrained(str(tmp_path), safe_serialization=True)
    for path in tmp_path.iterdir():
        if path.name not in ("gliner_config.json", "model.safetensors"):
            path.unlink()
    base = Base(folder=tmp_path, sha256="", encoder_folder=model.base.folder)
    settings = compose_run("ner", OVERRIDES).head
    backbone, tokenizer, head = settings.build(base, types=TYPES)
    config = model.config
    whole = Model(backbone, head, tokenizer, config=config, base=base)
    for left, right in zip(
        infer(whole, head.encode(EXAMPLES), batch_tokens=512),
        infer(model, model.head.encode(EXAMPLES), batch_tokens=512),
        strict=True,
    ):
        np.testing.assert_array_equal(left, right)
    with pytest.raises(ConfigError, match=r"head\.max_width=8; this GLiNER was made with 4"):
        replace(settings, max_width=8).build(base, types=TYPES)


def test_a_plain_gliner_with_plain_peft_gives_the_bundles_spans(tmp_path: Path) -> None:
    """The bundle is read by gliner, peft and safetensors alone, in a process that never sees this project."""
    model = new_model()
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.05 * torch.randn_like(weight))
    model.head.decoding["threshold"] = 0.3
    config = compose_run("ner", OVERRIDES)
    origin = adapters.Origin("ner", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model, tmp_path / "b", origin=origin, lora=config.lora)
    code = """
import json, sys
from pathlib import Path
from gliner import GLiNERConfig
from gliner.model import UniEncoderSpanGLiNER
from peft import PeftModel
from safetensors.torch import load_file
bundle, base, texts = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
manifest = json.loads((bundle / "bundle.json").read_text())
head = manifest["head"]
config = GLiNERConfig(model_name=base, max_width=head["max_width"], hidden_size=head["hidden_size"],
                      num_rnn_layers=head["rnn_layers"], dropout=head["dropout"],
                      max_len=head["window_tokens"], embed_ent_token=False)
model = UniEncoderSpanGLiNER.load_from_config(config, backbone_from_pretrained=True, local_files_only=True)
encoder = model.model.token_rep_layer
weights = {("token_rep_layer." if name.startswith("projection") else "") + name: tensor
           for name, tensor in load_file(bundle / "head.safetensors").items()}
assert not model.model.load_state_dict(weights, strict=False).unexpected_keys
encoder.bert_layer.model = PeftModel.from_pretrained(encoder.bert_layer.model, str(bundle)).merge_and_unload()
model.eval()
names = list(manifest["types"].values())
found = model.inference(texts, names, threshold=manifest["decoding"]["threshold"])
print(json.dumps([[[s["start"], s["end"], s["label"], s["score"]] for s in row] for row in found]))
assert not [name for name in sys.modules if name.split(".")[0] in ("shared", "tasks")]
"""
    command = [sys.executable, "-c", code, str(tmp_path / "b"), str(model.base.folder), json.dumps(TEXTS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    examples = [SpanExample(str(i), text, (), find_words(text)) for i, text in enumerate(TEXTS)]
    plain = [sorted(map(tuple, row)) for row in json.loads(done.stdout.splitlines()[-1])]
    ours = predict(adapters.merge_lora(model), examples, batch_tokens=512)
    assert sum(map(len, plain)) > 0
    for row, prediction in zip(plain, ours, strict=True):
        found = sorted((s.start, s.end, TYPES[s.label], s.probability) for s in prediction.spans)
        assert [item[:3] for item in row] == [item[:3] for item in found]
        assert [item[3] for item in row] == pytest.approx([item[3] for item in found], abs=1e-4)
