import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from shared.errors import ConfigError, DataError
from shared.examples import SpanExample
from shared.typed_config import build
from shared.words import join_words
from tasks.ner.metric import EntityF1
from tasks.ner.replies import Replies, Tokenizer, read_line, read_reply

CONF = Path(__file__).resolve().parents[3] / "conf" / "ner"


def tags(reply: str, words: str) -> list[str | None]:
    return read_reply(reply, words.split())


@pytest.mark.parametrize(
    ("line", "word", "label"),
    [
        ("Ada:Person_B", "Ada", "B-PER"),
        ("Ada:Person_B  ", "Ada", "B-PER"),
        ("Ada : person_b", "Ada", "B-PER"),
        ("Ada:B-PER", "Ada", "B-PER"),
        ("Ada:B-Person", "Ada", "B-PER"),
        ("Ada_B:Person", "Ada", "B-PER"),
        ("Ada: **Person_B**", "Ada", "B-PER"),
        ("3. Ada: Person_B", "Ada", "B-PER"),
        ("- Ada: Person_B", "Ada", "B-PER"),
        ("Ada:'Person_B',", "Ada", "B-PER"),
        ("Ada:Person", "Ada", "PER"),
        ("Acme:Organization_I", "Acme", "I-ORG"),
        ("ratio:4:3:Other", "ratio:4:3", "O"),
        ("::Other", ":", "O"),
        (",Other", ",", "O"),
        ("Cars:Industry_B", "Cars", "O"),
        ("Rise:Percentage_B", "Rise", "O"),
    ],
)
def test_a_line_is_read_however_its_label_is_spelled(line: str, word: str, label: str) -> None:
    assert read_line(line) == (word, label)


@pytest.mark.parametrize(
    "line",
    [
        "Here is the output:",
        "",
        "(",
        "All tokens are Other.",
        "Note: I took the word Acme to be an Organisation",
    ],
)
def test_a_line_without_a_label_is_none(line: str) -> None:
    assert read_line(line) is None


def test_a_reply_after_a_sentence_of_the_model_is_read() -> None:
    reply = "Here are the labels:\n\nAda:Person_B\nleft:Other\nAcme:Organisation_B"
    assert tags(reply, "Ada left Acme") == ["B-PER", "O", "B-ORG"]


def test_a_token_with_colons_keeps_them() -> None:
    assert tags("At:Other\n10:30:Other\nAda:Person_B", "At 10:30 Ada") == ["O", "O", "B-PER"]


def test_a_word_without_a_line_is_none_and_the_next_is_found_again() -> None:
    assert tags("Ada:Person_B\nAcme:Organisation_B", "Ada left Acme") == ["B-PER", None, "B-ORG"]


def test_a_reply_cut_short_leaves_the_rest_unread() -> None:
    assert tags("Ada:Person_B\nLovel", "Ada Lovelace left") == ["B-PER", None, None]


def test_the_words_of_a_merged_one_share_its_label_and_the_first_begins() -> None:
    assert tags("Have:Other\nJulie-anne:Person_B", "H ave Julie- anne") == ["O", "O", "B-PER", "I-PER"]


def test_a_mark_merged_with_a_name_stays_outside() -> None:
    assert tags('"Hank:Person_B\nsaid:Other', '" Hank said') == ["O", "B-PER", "O"]


def test_a_split_word_takes_the_label_of_its_first_part() -> None:
    assert tags("U.S:Location_B\n.:Location_I\nfell:Other", "U.S. fell") == ["B-LOC", "O"]


def test_quotes_of_another_shape_are_the_same_word() -> None:
    assert tags("\":Other\nAda:Person_B\n':Other", "“ Ada ’") == ["O", "B-PER", "O"]


def test_a_label_on_the_next_line_belongs_to_the_word_above() -> None:
    assert tags("Ada:Person_B\n,\n:Other\nleft\n:Other", "Ada , left") == ["B-PER", "O", "O"]


def test_labels_without_b_and_i_go_on_within_an_entity() -> None:
    reply = "Ada:Person\nLovelace:Person\nleft:Other\nAcme:Organisation"
    assert tags(reply, "Ada Lovelace left Acme") == ["B-PER", "I-PER", "O", "B-ORG"]


def test_a_word_repeated_is_matched_in_order() -> None:
    reply = "Acme:Organisation_B\nsued:Other\nAcme:Other"
    assert tags(reply, "Acme sued Acme") == ["B-ORG", "O", "O"]


def test_an_empty_reply_reads_nothing() -> None:
    assert tags("I'm sorry, please give me the sentence.", "Ada left") == [None, None]


def stored(folder: Path, tokens: list[str], reply: str) -> Replies:
    row = json.dumps({"doc_idx": 0, "sent_idx": 4, "tokens": tokens, "reply": reply})
    (folder / "run1.jsonl").write_text(row + "\n", encoding="utf-8")
    sha256 = hashlib.sha256((row + "\n").encode()).hexdigest()
    return Replies("Some LLM", "some-llm", 1, {"run1.jsonl": sha256}, folder)


def sentence(words: str, *, id: str = "test-0-4") -> SpanExample:
    text, offsets = join_words(words.split())
    return SpanExample(id, text, words=offsets, document="test-0")


def test_replies_become_predictions_with_the_unread_share(tmp_path: Path) -> None:
    replies = stored(
        tmp_path, ["Ada", "Lovelace", "left", "."], "Ada:Person_B\nLovelace:Person_I\nleft:Other"
    )
    answers = replies.answer(None, [sentence("Ada Lovelace left .")])  # type: ignore[arg-type]  # reads no data
    assert [span.key for span in answers.predictions[0].spans] == [(0, 12, "PER")]
    assert answers.notes == {"unparsed_share": 0.25, "model": "some-llm", "run": 1}


@pytest.mark.parametrize("tokenizer", Tokenizer)
def test_tokens_are_those_of_the_prompt_the_words_and_the_reply(tmp_path: Path, tokenizer: Tokenizer) -> None:
    replies = replace(stored(tmp_path, ["the", "the"], "the the the"), tokenizer=tokenizer, prompt_tokens=10)
    notes = replies.answer(None, [sentence("the the")]).notes  # type: ignore[arg-type]  # reads no data
    assert notes["input_tokens"] == 13  # the, a line's end, the
    assert notes["output_tokens"] == 3
    assert notes["tokenizer"] == tokenizer.value


def test_an_i_that_continues_nothing_is_no_entity(tmp_path: Path) -> None:
    answers = stored(tmp_path, ["Ada"], "Ada:Person_I").answer(None, [sentence("Ada")])  # type: ignore[arg-type]
    assert answers.predictions[0].spans == ()


def test_a_reply_to_other_tokens_is_refused(tmp_path: Path) -> None:
    replies = stored(tmp_path, ["Ada"], "Ada:Other")
    with pytest.raises(DataError, match="other tokens"):
        replies.answer(None, [sentence("Bob")])  # type: ignore[arg-type]


def test_an_example_without_reply_names_the_data_that_has_one(tmp_path: Path) -> None:
    replies = stored(tmp_path, ["Ada"], "Ada:Other")
    with pytest.raises(DataError, match="data=finer_ord split=test only"):
        replies.answer(None, [sentence("Ada", id="train-0-0")])  # type: ignore[arg-type]


def test_missing_replies_are_told_with_their_origin(tmp_path: Path) -> None:
    replies = Replies("Some LLM", "some-llm", 1, {"run1.jsonl": "0" * 64}, tmp_path)
    with pytest.raises(DataError, match="converted from data/llm_prompt_outputs"):
        replies.answer(None, [])  # type: ignore[arg-type]


def test_a_run_that_is_not_stored_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"baseline.run=4; allowed: 1 to 3"):
        Replies("Some LLM", "some-llm", 4, {"a": "", "b": "", "c": ""}, Path())


@pytest.mark.parametrize(
    ("baseline", "f1", "unparsed_share", "tokens"),
    [
        ("gpt_4o", 0.741, 0.008, (202.8, 101.0)),
        ("llama_405b", 0.684, 0.013, (207.3, 127.4)),
        ("llama_70b", 0.629, 0.031, (207.3, 113.2)),
    ],
)
def test_the_stored_replies_score_as_published(
    public_data_dir: Path, baseline: str, f1: float, unparsed_share: float, tokens: tuple[float, float]
) -> None:
    def built(name: str, path: str) -> object:
        node = OmegaConf.load(CONF / path / f"{name}.yaml")
        return build(OmegaConf.merge({"data_dir": str(public_data_dir)}, {path: node})[path], path=path)

    data, replies = built("finer_ord", "data"), built(baseline, "baseline")
    examples = data.load("test")  # type: ignore[attr-defined]  # a DataAdapter
    answers = replies.answer(data, examples)  # type: ignore[attr-defined]  # a Baseline
    assert EntityF1().quick(examples, answers.predictions) == pytest.approx(f1, abs=0.0005)
    assert answers.notes["unparsed_share"] == pytest.approx(unparsed_share, abs=0.0005)
    counted = (answers.notes["input_tokens"], answers.notes["output_tokens"])
    assert counted == pytest.approx(tokens, abs=0.05)
