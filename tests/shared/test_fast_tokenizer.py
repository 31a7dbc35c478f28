import pytest
from transformers import AutoTokenizer

from shared.bases import find_base
from shared.compose import compose_run
from shared.fast_tokenizer import FastTokenizer

TEXTS = ["Orla Bank fell 3.5 %.", "", "naïve café — 你好", "[CLS] is no mark here", "x" * 300]


@pytest.fixture(scope="module")
def pair() -> tuple[object, FastTokenizer]:
    folder = find_base(compose_run("ner", []).model).encoder_folder
    theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return theirs, FastTokenizer.of(theirs)


def test_texts_have_the_tokens_of_transformers(pair: tuple) -> None:
    theirs, ours = pair
    expected = theirs(TEXTS, add_special_tokens=False)["input_ids"]
    assert ours.encode_all(TEXTS) == expected == [ours.encode(text) for text in TEXTS]


def test_words_have_their_own_tokens_and_a_word_of_blanks_has_none(pair: tuple) -> None:
    ours = pair[1]
    words = [["Orla", "\u200b", "Bankhaus"], ["fell"]]
    found = ours.encode_words(words)
    assert found == [[ours.encode("Orla"), [], ours.encode("Bankhaus")], [ours.encode("fell")]]


def test_what_transformers_is_told_later_cuts_and_pads_nothing_here(pair: tuple) -> None:
    theirs, ours = pair
    theirs(TEXTS, truncation=True, max_length=4, padding="max_length")
    assert len(ours.encode("a b " * 30)) == 60
    assert len(ours.encode("a")) == 1


def test_a_saved_tokenizer_reads_alike_and_knows_its_marks(pair: tuple, tmp_path) -> None:
    theirs, ours = pair
    theirs.save_pretrained(tmp_path)
    again = FastTokenizer.load(tmp_path, special=ours.special)
    assert again.encode_all(TEXTS) == ours.encode_all(TEXTS)
    assert (again.cls_token_id, again.sep_token_id, again.pad_token_id) == (101, 102, 0)
    with pytest.raises(KeyError, match="NONE"):
        again.ids(["[SEP]", "NONE"])
