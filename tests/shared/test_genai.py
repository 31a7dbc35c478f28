"""Decoders exported for OpenVINO GenAI: the same texts without torch, by weights of 16 and 8 bits."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.errors import UserError
from shared.evaluate import predict
from shared.export import Source, write_export
from shared.exported import load_export
from shared.genai import GenAI, convert
from shared.gguf_export import write_merged
from shared.one_by_one import OneByOne
from tests.shared.test_export import ASKED, source_of
from tests.shared.test_llama import ASKER, WRITER
from tests.shared.written_by import base_gguf, check_likeliest, check_numbers, check_shown

pytestmark = pytest.mark.usefixtures("short_base", "short_encoder")
F16 = replace(ASKED, format="genai_f16", budget=1.0)


@pytest.fixture(scope="module")
def written(short_base: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Path]:
    """A writer, and its export in 16 bits."""
    folder = tmp_path_factory.mktemp("writer")
    source = source_of(folder / "bundle", "summarization", [*WRITER, "head.check=null"], few=2)
    (folder / "export").mkdir()
    write_export(source, folder / "export", asked=F16)
    return source, folder / "export"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenAI]:
    """The base itself, from its own file."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "work").mkdir()
    gguf = base_gguf()
    (folder / "work" / gguf.name).symlink_to(gguf)
    convert(folder / "work" / gguf.name, folder)
    yield GenAI(folder, end=2, threads=1, drafts=True)


def test_a_writer_in_16_bits_writes_what_torch_writes(written: tuple[Source, Path]) -> None:
    source, folder = written
    expected = [answer.key for answer in predict(source.model, source.validation, batch_tokens=1000)]
    exported = load_export(folder, threads=1)
    assert isinstance(exported, OneByOne)
    assert [answer.key for answer in predict(exported, source.validation, batch_tokens=1000)] == expected
    assert not [path for path in folder.iterdir() if path.suffix == ".gguf" or path.is_dir()]


def test_no_torch_is_needed_to_write(written: tuple[Source, Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from shared.exported import load_export\n"
        "from shared.evaluate import predict; from shared.examples import SummaryExample\n"
        "model = load_export(Path(sys.argv[1]), threads=1)\n"
        "predict(model, [SummaryExample('a', ('Tolls rose 3%.',))], batch_tokens=100)\n"
        "print([name for name in ('torch', 'transformers', 'peft') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(written[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_eight_bits_take_half_the_room(written: tuple[Source, Path], tmp_path: Path) -> None:
    source, larger = written
    write_export(source, tmp_path, asked=replace(F16, format="genai_q8_0"))
    sizes = [(folder / "openvino_model.bin").stat().st_size for folder in (tmp_path, larger)]
    assert sizes[0] < 0.6 * sizes[1]
    features = source.model.head.encode(source.validation)
    texts = [load_export(folder, threads=1).logits(features)[0, 0] for folder in (tmp_path, larger)]
    assert texts[0][:3].tolist() == texts[1][:3].tolist()


def test_queries_are_drawn_by_the_passages_own_seed(tmp_path: Path) -> None:
    source = source_of(tmp_path / "bundle", "query_generation", [*ASKER, "head.samples=2"], few=2)
    (tmp_path / "export").mkdir()
    assert write_export(source, tmp_path / "export", asked=F16).sampled
    model = load_export(tmp_path / "export", threads=1)
    prompts = model.head.encode(source.validation)
    together, alone = model.logits(prompts), model.logits(prompts[1:])
    assert together.shape == (2, 2, 8)
    assert together[1].tolist() == alone[0].tolist()
    assert together[0, 0].tolist() != together[0, 1].tolist()


def test_the_likeliest_token_comes_each_time_whatever_was_written_before(whole: GenAI) -> None:
    check_likeliest(whole)


def test_what_is_shown_while_it_is_written_is_the_text_of_the_same_tokens(whole: GenAI) -> None:
    assert check_shown(whole) > 4


def test_numbers_that_are_not_allowed_are_not_written(whole: GenAI) -> None:
    check_numbers(whole)


def test_a_file_that_openvino_genai_does_not_read_is_told(
    written: tuple[Source, Path], tmp_path: Path
) -> None:
    weights = {name: np.asarray(value) for name, value in written[0].model.backbone.state_dict().items()}
    write_merged(weights, tmp_path / "model.gguf", base=written[0].model.base, bits="F32", end=2)
    with pytest.raises(
        UserError, match=r"does not read this model, use another export\.format: .*quantization"
    ):
        convert(tmp_path / "model.gguf", tmp_path)
