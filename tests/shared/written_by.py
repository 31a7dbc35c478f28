"""What every engine that writes without torch must do, whichever library it is."""

from pathlib import Path

from shared.bases import find_base
from shared.compose import compose_run
from shared.fast_tokenizer import FastTokenizer
from shared.one_by_one import Writer
from shared.writing import Wish


def base_gguf() -> Path:
    """Return the base's own file."""
    found = find_base(compose_run("ner", ["model=smollm2"]).model).gguf
    assert found
    return found


def base_tokenizer() -> FastTokenizer:
    """Return the base's tokenizer, as the exports have it."""
    folder = find_base(compose_run("ner", ["model=smollm2"]).model).folder
    return FastTokenizer.load(folder, special={"pad": "<|endoftext|>", "eos": "<|im_end|>"})


def check_likeliest(writer: Writer) -> None:
    """The likeliest token comes each time, whatever was written before."""
    prompt = [1, 4093, 198, 504, 3575, 282, 4649, 314]
    first = writer.write(Wish(prompt, 12))
    for other in ([1, 4093, 198, 5], prompt[:3], [*prompt, 7, 8]):
        writer.write(Wish(other, 3))
        assert writer.write(Wish(prompt, 12)) == first
    assert len(first) == 12 or first[-1] == 2


def check_shown(writer: Writer) -> int:
    """What is shown while it is written is the text of the same tokens; return in how many pieces."""
    tokenizer = base_tokenizer()
    prompt = tokenizer.encode("The capital of France is")
    pieces: list[str] = []
    tokens = writer.write(Wish(prompt, 12, show=pieces.append))
    assert tokens == writer.write(Wish(prompt, 12))
    assert "".join(pieces) == tokenizer.decode(tokens) + "\n"
    return len(pieces)


def check_numbers(writer: Writer) -> None:
    """Numbers that are not allowed are not written, and are where all are."""
    tokenizer = base_tokenizer()
    prompt = tokenizer.encode("Revenue by year: 2019: $41.2 million; 2020: $")
    free = tokenizer.decode(writer.write(Wish(prompt, 24)))
    bound = tokenizer.decode(writer.write(Wish(prompt, 24, numbers=frozenset({"77.5", "8"}))))
    assert any(digit in free for digit in "0123456")
    assert not set(bound.replace("77.5", "").replace("8", "")) & set("0123456789")
