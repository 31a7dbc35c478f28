"""Decoders exported for llama.cpp: the same texts without torch, merged or as a LoRA on the base's GGUF."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from shared import adapters
from shared.compose import compose_run
from shared.errors import UserError
from shared.evaluate import predict
from shared.examples import SummaryExample
from shared.export import Source, fault, write_export
from shared.exported import MANIFEST, load_export
from shared.gguf_export import write_merged
from shared.llama import DRAFTED, LORA, WEIGHTS, Llama
from shared.merged import PHRASES
from shared.model import Model
from shared.one_by_one import OneByOne
from shared.phrases import Phrases
from shared.verb_config import ExportConfig
from shared.writing import Wish
from tests.shared.bundles import write_bundle
from tests.shared.short_base import SHORT, SHORT_ENCODER
from tests.shared.test_export import ASKED, PROOF, source_of
from tests.shared.written_by import base_gguf, base_tokenizer, check_likeliest, check_numbers, check_shown

pytestmark = pytest.mark.usefixtures("short_base", "short_encoder")
GGUF = replace(ASKED, format="gguf")
WRITER = [*SHORT, "head.prompt_tokens=48", "head.max_new_tokens=12", "head.batch_rows=2", "lora.layers=2"]
ASKER = [*SHORT, "head.passage_tokens=24", "head.max_new_tokens=8", "head.batch_rows=2", "lora.layers=2"]
REPORT = SummaryExample("orla", ("Good morning.", "Revenue rose 12% to $41.2 million in Q2."))


@pytest.fixture(scope="module")
def written(
    short_base: None, short_encoder: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Source, Path]:
    """A writer with its selector, and its merged export."""
    folder = tmp_path_factory.mktemp("writer")
    chooser = ["model=minilm", "head=sentence_selection", *SHORT_ENCODER]
    validation = compose_run("summarization", []).data.load("validation")
    write_bundle(folder / "selector", "summarization", chooser, validation=validation[:0])
    told = [*WRITER, f"head.selector={folder / 'selector'}", "head.check.rewrite=true"]
    source = source_of(folder / "bundle", "summarization", told, few=2)
    (folder / "export").mkdir()
    write_export(source, folder / "export", asked=GGUF)
    return source, folder / "export"


@pytest.fixture(scope="module")
def llama() -> Iterator[Llama]:
    """The base itself, from its own file."""
    yield Llama(base_gguf(), end=2, context=256, threads=1, drafted=DRAFTED)


def proof_of(folder: Path) -> dict[str, object]:
    proof: dict[str, object] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["proof"]
    return proof


def test_a_merged_writer_writes_what_torch_writes(written: tuple[Source, Path]) -> None:
    source, folder = written
    expected = [answer.key for answer in predict(source.model, source.validation, batch_tokens=1000)]
    exported = load_export(folder, threads=1)
    assert isinstance(exported, OneByOne)
    assert [answer.key for answer in predict(exported, source.validation, batch_tokens=1000)] == expected
    proof = proof_of(folder)
    assert (proof["changed"], proof["largest_gap"], proof["sampled"]) == (0.0, None, False)


def test_no_torch_is_needed_to_write_and_to_choose_what_is_read(written: tuple[Source, Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from shared.exported import load_export\n"
        "from shared.evaluate import predict; from shared.examples import SummaryExample\n"
        "model = load_export(Path(sys.argv[1]), threads=1)\n"
        "report = SummaryExample('a', ('Tolls rose 3%.', 'Dues fell.'))\n"
        "(found,) = predict(model, [report], batch_tokens=100)\n"
        "print(len(found.read), [name for name in ('torch', 'transformers', 'peft') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(written[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 []"  # sentences with figures alone
    assert done.stderr == ""


@pytest.mark.parametrize(("format", "file"), [("gguf_lora", LORA), ("gguf_q8_0", WEIGHTS)])
def test_a_lora_alone_and_eight_bits_write_much_the_same(
    format: str, file: str, written: tuple[Source, Path], tmp_path: Path
) -> None:
    source, whole = written
    source = replace(source, validation=source.validation[:1])
    asked = ExportConfig(format=format, budget=1.0, force=False)
    proof = write_export(source, tmp_path, asked=asked)
    assert (tmp_path / file).stat().st_size < 0.3 * (whole / WEIGHTS).stat().st_size
    assert proof.mib == pytest.approx(proof_of(tmp_path)["mib"])
    features = source.model.head.encode(source.validation)
    texts = [load_export(folder, threads=1).logits(features)[0, 0] for folder in (whole, tmp_path)]
    assert texts[0][:3].tolist() == texts[1][:3].tolist()


@pytest.mark.parametrize(("format", "engine"), [("merged", Model), ("speculative", OneByOne)])
def test_merged_safetensors_write_the_same_with_a_merged_selector(
    format: str, engine: type, written: tuple[Source, Path], tmp_path: Path
) -> None:
    training = compose_run("summarization", []).data.load("train")
    source = replace(written[0], validation=written[0].validation[:1], training=training)
    proof = write_export(source, tmp_path, asked=replace(GGUF, format=format))
    assert (proof.changed, proof.largest_gap, proof.sampled) == (0.0, None, False)
    assert isinstance(load_export(tmp_path, threads=1), engine)
    if format == "speculative":
        assert Phrases.load(tmp_path / PHRASES).following
    selector = json.loads((tmp_path / "selector" / MANIFEST).read_text(encoding="utf-8"))
    assert selector["format"] == "merged" and (tmp_path / "selector" / "model.safetensors").is_file()


def test_a_lora_is_the_bundles_own_and_changes_what_is_written(written: tuple[Source, Path]) -> None:
    """Its answers are not those of the base: else the test above would prove nothing."""
    source, folder = written
    features = source.model.head.encode([replace(REPORT, id=str(k)) for k in range(2)])
    (wish,), _ = load_export(folder, threads=1).head.wishes(features)  # type: ignore[attr-defined]
    base = source.model.base.gguf
    assert base
    tuned = Llama(folder / WEIGHTS, end=2, context=256, threads=1, drafted=0)
    assert tuned.write(wish) != Llama(base, end=2, context=256, threads=1, drafted=0).write(wish)


def test_queries_are_drawn_by_the_passages_own_seed(tmp_path: Path) -> None:
    shape = [*ASKER, "head.samples=2"]
    source = source_of(tmp_path / "bundle", "query_generation", shape, few=2)
    (tmp_path / "export").mkdir()
    proof = write_export(source, tmp_path / "export", asked=replace(GGUF, budget=1.0))
    assert proof.sampled
    model = load_export(tmp_path / "export", threads=1)
    prompts = model.head.encode(source.validation)
    together, alone = model.logits(prompts), model.logits(prompts[1:])
    assert together.shape == (2, 2, 8)
    assert together[1].tolist() == alone[0].tolist()
    assert together[0, 0].tolist() != together[0, 1].tolist()


def test_the_likeliest_token_comes_each_time_whatever_was_written_before(llama: Llama) -> None:
    check_likeliest(llama)


def test_what_is_shown_while_it_is_written_is_the_text_of_the_same_tokens(llama: Llama) -> None:
    assert check_shown(llama) > 10


def test_numbers_that_are_not_allowed_are_not_written(llama: Llama) -> None:
    check_numbers(llama)


def test_what_stood_before_is_drafted_and_no_text_is_another_for_it(llama: Llama) -> None:
    tokenizer = base_tokenizer()
    plain = Llama(base_gguf(), end=2, context=256, threads=1, drafted=0)
    verse = "The ships of the north sail at dawn, the ships of the south sail at dusk.\n"
    wish = Wish(tokenizer.encode(2 * verse + "The ships of the north"), 24)
    before = llama.taken
    assert llama.write(wish) == plain.write(wish)
    assert llama.taken - before >= 8
    assert plain.taken == 0


def test_a_prompt_beyond_the_context_is_told(llama: Llama) -> None:
    with pytest.raises(UserError, match="does not write behind 4000 tokens"):
        llama.write(Wish([5] * 4000, 12, show=print))


def test_a_file_has_the_bases_vocabulary_and_the_types_that_were_asked_for(
    written: tuple[Source, Path], tmp_path: Path
) -> None:
    base = written[0].model.base
    assert base.gguf
    weights = {n: value.numpy() for n, value in written[0].model.backbone.state_dict().items()}
    write_merged(weights, tmp_path / "q4", base=base, bits="Q4_1", end=2)
    own, found = gguf.GGUFReader(base.gguf), gguf.GGUFReader(tmp_path / "q4")
    assert {t.name: t.tensor_type for t in found.tensors} == {t.name: t.tensor_type for t in own.tensors}
    names = [name for name in own.fields if not name.startswith("GGUF.")]
    assert {name: found.fields[name].contents() for name in names} == {
        name: own.fields[name].contents() for name in names
    }


def test_what_cannot_be_exported_is_refused(written: tuple[Source, Path], tmp_path: Path) -> None:
    source, _ = written
    with pytest.raises(UserError, match=r"export\.format=onnx is not for a head .* allowed: merged, gguf"):
        write_export(source, tmp_path, asked=ASKED)
    source.model.base, base = replace(source.model.base, gguf=None), source.model.base
    with pytest.raises(UserError, match="needs the base's own GGUF"):
        write_export(source, tmp_path, asked=GGUF)
    source.model.base = replace(base, four_bits=True)
    with pytest.raises(UserError, match=r"4 bits \(model\.four_bits=true\) cannot be exported"):
        write_export(source, tmp_path, asked=GGUF)
    source.model.base = base
    config = compose_run("summarization", [*WRITER, "lora=head", "head.check=null"])
    untuned = tmp_path / "untuned"
    write_bundle(untuned, "summarization", [*WRITER, "lora=head"], validation=source.validation[:0])
    bare = replace(source, model=adapters.load_bundle(untuned), bundle=untuned)
    assert config.lora.method.name == "head"
    with pytest.raises(UserError, match=r"has no LoRA that llama\.cpp could add"):
        write_export(bare, tmp_path, asked=replace(GGUF, format="gguf_lora"))


@pytest.mark.parametrize(
    ("changed", "sampled", "refused"), [(0.02, False, False), (0.03, False, True), (1.0, True, False)]
)
def test_a_float32_writer_that_writes_otherwise_is_refused(
    changed: float, sampled: bool, refused: bool
) -> None:
    found = fault(replace(PROOF, changed=changed, sampled=sampled), GGUF)
    assert ("of the texts otherwise than torch" in found) == refused
