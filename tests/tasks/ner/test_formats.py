import random
import re
from pathlib import Path

import pytest
from seqeval.scheme import IOB2, IOBES, Entities

from shared.errors import DataError
from shared.examples import Span
from tasks.ner.formats import (
    Scheme,
    TaggedWord,
    check_tags,
    parse_row,
    read_columns,
    read_jsonl,
    tag_chunks,
    tagged_example,
)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.conll"
    path.write_bytes(content)
    return path


def sentences(path: Path, *, separator: str | None = None) -> list[list[tuple[str, str]]]:
    return [
        [(word.word, word.tag) for word in sentence.words]
        for sentence in read_columns(path, separator=separator)
    ]


@pytest.mark.parametrize(
    ("scheme", "tags", "chunks", "dangling"),
    [
        (Scheme.IO, "I-PER I-PER O I-PER", [(0, 2, "PER"), (3, 4, "PER")], 0),
        (Scheme.IO, "I-PER I-LOC", [(0, 1, "PER"), (1, 2, "LOC")], 0),
        (Scheme.IOB1, "I-PER B-PER I-PER O", [(0, 1, "PER"), (1, 3, "PER")], 0),
        (Scheme.IOB1, "O I-PER I-LOC", [(1, 2, "PER"), (2, 3, "LOC")], 0),
        (Scheme.IOB2, "B-PER I-PER B-PER O B-LOC", [(0, 2, "PER"), (2, 3, "PER"), (4, 5, "LOC")], 0),
        (Scheme.IOB2, "I-PER O B-PER I-LOC I-LOC", [(2, 3, "PER")], 3),
        (Scheme.IOB2, "B-PER O I-PER", [(0, 1, "PER")], 1),
        (Scheme.BIOES, "S-PER B-LOC I-LOC E-LOC", [(0, 1, "PER"), (1, 4, "LOC")], 0),
        (Scheme.BIOES, "B-PER E-PER S-PER", [(0, 2, "PER"), (2, 3, "PER")], 0),
        (Scheme.BIOES, "B-PER I-PER O E-PER", [], 3),
        (Scheme.BIOES, "B-PER S-PER I-PER", [(1, 2, "PER")], 2),
        (Scheme.BIOES, "B-PER B-PER E-PER E-PER", [(1, 3, "PER")], 2),
        (Scheme.BIOES, "B-PER E-LOC B-LOC", [], 3),
        (Scheme.IOB2, "", [], 0),
    ],
)
def test_tags_become_word_ranges_and_dangling_tags_are_counted(
    scheme: Scheme, tags: str, chunks: list[tuple[int, int, str]], dangling: int
) -> None:
    assert tag_chunks(tags.split(), scheme=scheme) == (chunks, dangling)


@pytest.mark.parametrize(
    ("scheme", "reference", "prefixes"), [(Scheme.IOB2, IOB2, "BI"), (Scheme.BIOES, IOBES, "BIES")]
)
@pytest.mark.parametrize("seed", range(5))
def test_chunks_of_random_tags_equal_seqeval_strict(
    seed: int, scheme: Scheme, reference: type, prefixes: str
) -> None:
    generator = random.Random(seed)
    known = ["O", *(f"{prefix}-{label}" for prefix in prefixes for label in ("PER", "LOC"))]
    rows = [generator.choices(known, k=generator.randint(1, 12)) for _ in range(200)]
    expected = [
        [(entity.start, entity.end, entity.tag) for entity in row]
        for row in Entities(rows, reference).entities
    ]
    assert [tag_chunks(row, scheme=scheme)[0] for row in rows] == expected


def test_a_tagged_sentence_becomes_text_with_character_spans() -> None:
    words, tags = ["Ada", "Lovelace", "left", "Acme"], ["B-PER", "I-PER", "O", "B-ORG"]
    example, dangling = tagged_example(words, tags, scheme=Scheme.IOB2, id="1", document="d")
    assert (example.text, example.words) == ("Ada Lovelace left Acme", ((0, 3), (4, 12), (13, 17), (18, 22)))
    assert (example.spans, dangling) == ((Span(0, 12, "PER"), Span(18, 22, "ORG")), 0)


@pytest.mark.parametrize(
    "content",
    [
        b"Ada B-PER\nleft O\n\nAcme B-ORG\n",
        b"\n\nAda B-PER\nleft O\n\n\n \nAcme B-ORG",
        b"\xef\xbb\xbfAda B-PER\nleft O\n\nAcme B-ORG\n",
        b"Ada B-PER\r\nleft O\r\n\r\nAcme B-ORG\r\n",
        b"Ada\tB-PER\nleft  O\n\t\nAcme \t B-ORG\n",
        b"Ada NNP x B-PER\nleft VBD x O\n\nAcme NNP x B-ORG\n",
    ],
    ids=["plain", "blank lines", "BOM", "CRLF", "tabs", "four columns"],
)
def test_columns_give_the_first_and_the_last_cell(tmp_path: Path, content: bytes) -> None:
    assert sentences(written(tmp_path, content)) == [[("Ada", "B-PER"), ("left", "O")], [("Acme", "B-ORG")]]


def test_a_tab_separator_leaves_other_white_space_in_the_word(tmp_path: Path) -> None:
    path = written(tmp_path, "New York\tB-LOC\n\u00a0\tO\n".encode())
    assert sentences(path, separator="\t") == [[("New York", "B-LOC"), ("\u00a0", "O")]]


def test_words_know_the_line_they_stand_on(tmp_path: Path) -> None:
    found = read_columns(written(tmp_path, b"-DOCSTART- O\n\na O\nb O\n\nc O\n"))
    assert [[word.line for word in sentence.words] for sentence in found] == [[3, 4], [6]]


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        (b"a O\n\nb O\n", [None, None]),
        (b"-DOCSTART- -X- O\n\na O O\n\nb O O\n\n-DOCSTART- -X- O\n\nc O O\n", [0, 0, 1]),
        (b"-DOCSTART-\na O\n\n-DOCSTART-\nb O\n", [0, 1]),
    ],
)
def test_docstart_lines_count_documents(tmp_path: Path, content: bytes, documents: list[int | None]) -> None:
    assert [sentence.document for sentence in read_columns(written(tmp_path, content))] == documents


def test_a_docstart_line_ends_the_sentence_before_it(tmp_path: Path) -> None:
    assert sentences(written(tmp_path, b"a O\n-DOCSTART- O\nb O\n")) == [[("a", "O")], [("b", "O")]]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"a O\n\nb\n", 3, "1 columns: 'b'; expected 2 columns"),
        (b"a x O\nb O\n", 2, "2 columns: 'b O'; expected 3 columns"),
        (b"a O\nNew York O\n", 2, "3 columns: 'New York O'; expected 2 columns"),
        (b"\na\n", 2, "1 columns: 'a'; expected a word and a tag"),
    ],
)
def test_a_ragged_row_names_its_line_what_was_found_and_what_is_expected(
    tmp_path: Path, content: bytes, line: int, problem: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=re.escape(f"{path}:{line}: {problem}")):
        sentences(path)


@pytest.mark.parametrize(
    ("content", "line", "place"),
    [
        (b"a O\nb\xe9 O\n", 2, "byte 0xe9 at column 2"),
        (b"\xff O\n", 1, "byte 0xff at column 1"),
        (b"\xef\xbb\xbfab\xff O\n", 1, "byte 0xff"),
    ],
    ids=["later line", "first line", "behind a BOM"],
)
def test_invalid_utf8_names_the_byte_and_the_line(
    tmp_path: Path, content: bytes, line: int, place: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=re.escape(f"{path}:{line}: not UTF-8: {place}")):
        sentences(path)


def test_a_missing_file_is_a_data_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.conll: cannot be read: No such file"):
        sentences(tmp_path / "none.conll")


@pytest.mark.parametrize(
    ("scheme", "tag", "problem"),
    [
        (Scheme.IOB2, "E-PER", "unknown tag 'E-PER'; IOB2 allows B-LABEL, I-LABEL, O"),
        (Scheme.IO, "B-PER", "unknown tag 'B-PER'; IO allows I-LABEL, O"),
        (Scheme.BIOES, "L-PER", "unknown tag 'L-PER'; BIOES allows B-LABEL, I-LABEL, E-LABEL, S-LABEL, O"),
        (Scheme.IOB2, "PER", "unknown tag 'PER'; IOB2 allows"),
        (Scheme.IOB2, "BI-PER", "unknown tag 'BI-PER'; IOB2 allows"),
        (Scheme.IOB2, "-PER", "unknown tag '-PER'; IOB2 allows"),
        (Scheme.IOB2, "B-PERS", "unknown tag 'B-PERS' (did you mean 'PER'?); labels: PER, LOC"),
        (Scheme.IOB2, "B-xyz", "unknown tag 'B-xyz'; labels: PER, LOC"),
    ],
)
def test_an_unknown_tag_names_its_line_and_what_is_allowed(scheme: Scheme, tag: str, problem: str) -> None:
    words = [TaggedWord("a", "O", 6), TaggedWord("b", tag, 7)]
    with pytest.raises(DataError, match=re.escape(f"a.conll:7: {problem}")):
        check_tags(words, scheme=scheme, labels=["PER", "LOC"], file=Path("a.conll"))


def test_any_label_is_allowed_where_none_are_given() -> None:
    check_tags([TaggedWord("a", "B-creative-work", 1)], scheme=Scheme.IOB2, labels=None, file=Path("a"))


def test_a_tag_without_a_label_is_refused() -> None:
    """Else its words count neither as an entity nor as dangling."""
    with pytest.raises(DataError, match="unknown tag 'B-'"):
        check_tags([TaggedWord("a", "B-", 1)], scheme=Scheme.IOB2, labels=None, file=Path("a"))


def test_a_json_row_gives_its_spans_sorted_and_its_words() -> None:
    row = (
        '{"text": "Ada left Acme", "spans": [{"start": 9, "end": 13, "label": "ORG"},'
        ' {"start": 0, "end": 3, "label": "PER", "note": "first"}], "id": 5, "document": "d"}'
    )
    example = parse_row(row, file="a.jsonl", number=1, labels=["PER", "ORG"])
    assert (example.id, example.document) == ("5", "d")
    assert example.spans == (Span(0, 3, "PER"), Span(9, 13, "ORG"))
    assert example.words == ((0, 3), (4, 8), (9, 13))


def test_offsets_count_code_points() -> None:
    row = '{"text": "\\ud83d\\ude00 Ada", "spans": [{"start": 2, "end": 5, "label": "PER"}]}'
    example = parse_row(row, file="a.jsonl", number=1, labels=None)
    assert example.text[example.spans[0].start : example.spans[0].end] == "Ada"


def test_a_row_without_id_and_document_is_named_by_its_line_from_zero() -> None:
    example = parse_row('{"text": ""}', file="a.jsonl", number=3, labels=[])
    assert (example.id, example.document, example.spans) == ("2", "2", ())


def test_spans_that_only_touch_do_not_overlap() -> None:
    spans = '[{"start": 0, "end": 3, "label": "PER"}, {"start": 3, "end": 6, "label": "PER"}]'
    example = parse_row(f'{{"text": "USDEUR", "spans": {spans}}}', file="a", number=1, labels=None)
    assert example.spans == (Span(0, 3, "PER"), Span(3, 6, "PER"))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{'text': 'a'}", "not JSON: "),
        ("", "not JSON: "),
        ('["a"]', 'no "text" with a string'),
        ('{"txt": "a"}', 'no "text" with a string in'),
        ('{"text": 3}', 'no "text" with a string in'),
        ('{"text": "a", "spans": {}}', '"spans" is no list: {}'),
        ('{"text": "a", "spans": [[0, 1, "PER"]]}', "span [0, 1, 'PER']; expected"),
        ('{"text": "a", "spans": [{"start": 0, "end": 1}]}', "span {'start': 0, 'end': 1}; expected"),
    ],
)
def test_a_row_of_another_shape_is_shown_with_its_line(row: str, problem: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"a.jsonl:4: {problem}")):
        parse_row(row, file="a.jsonl", number=4, labels=None)


@pytest.mark.parametrize(
    ("start", "end", "label", "problem"),
    [
        ("2", "4", '"PER"', "span 2 to 4 is empty or outside its text; allowed: 0 <= start < end <= 3"),
        ("-1", "2", '"PER"', "span -1 to 2 is empty or outside its text"),
        ("1", "1", '"PER"', "span 1 to 1 is empty or outside its text"),
        ("2", "1", '"PER"', "span 2 to 1 is empty or outside its text"),
        ("false", "1", '"PER"', "span {'start': False, 'end': 1, 'label': 'PER'}; expected"),
        ("0", "true", '"PER"', "span {'start': 0, 'end': True, 'label': 'PER'}; expected"),
        ('"0"', "1", '"PER"', "span {'start': '0', 'end': 1, 'label': 'PER'}; expected"),
        ("0.0", "1", '"PER"', "span {'start': 0.0, 'end': 1, 'label': 'PER'}; expected"),
        ("0", "1", "7", "span {'start': 0, 'end': 1, 'label': 7}; expected"),
        ("0", "1", '"PERS"', "unknown label 'PERS' (did you mean 'PER'?); labels: PER, LOC"),
        ("0", "1", '"xyz"', "unknown label 'xyz'; labels: PER, LOC"),
    ],
)
def test_a_wrong_span_is_shown_with_what_is_allowed(start: str, end: str, label: str, problem: str) -> None:
    row = f'{{"text": "Ada", "spans": [{{"start": {start}, "end": {end}, "label": {label}}}]}}'
    with pytest.raises(DataError, match=re.escape(f"a.jsonl:2: {problem}")):
        parse_row(row, file="a.jsonl", number=2, labels=["PER", "LOC"])


def test_overlapping_spans_are_both_named() -> None:
    row = (
        '{"text": "Ada of Acme", "spans": [{"start": 2, "end": 11, "label": "ORG"},'
        ' {"start": 0, "end": 3, "label": "PER"}]}'
    )
    with pytest.raises(DataError, match="a:1: spans overlap: 0 to 3 PER and 2 to 11 ORG"):
        parse_row(row, file="a", number=1, labels=None)


def test_half_a_surrogate_pair_is_refused() -> None:
    """No tokenizer and no UTF-8 file takes it: it would end `predict` with a traceback."""
    with pytest.raises(DataError, match="a:1: "):
        parse_row('{"text": "\\ud83d"}', file="a", number=1, labels=None)


def test_json_lines_are_read_without_blank_ones_and_ids_are_unique(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\r\n{"text": "b", "id": "x"}\n{"text": "c"}')
    examples = list(read_jsonl(path, labels=None))
    assert [(example.id, example.text) for example in examples] == [("0", "a"), ("x", "b"), ("3", "c")]


@pytest.mark.parametrize("first", ['{"text": "a", "id": "1"}', '{"text": "a", "id": 1}'])
def test_a_duplicate_id_names_both_lines(tmp_path: Path, first: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{first}\n{{"text": "b"}}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: id '1' stands on line 1 too"):
        list(read_jsonl(path, labels=None))
