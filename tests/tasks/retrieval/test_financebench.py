import hashlib
import json
from pathlib import Path

import pytest

from shared.errors import DataError
from shared.passages import Passage
from tasks.retrieval.collection import Collection, Query
from tests.tasks.retrieval import adapter


def page(filing: str, number: int, text: str) -> dict[str, object]:
    """Return evidence as upstream writes it."""
    return {
        "doc_name": filing,
        "evidence_page_num": number,
        "evidence_text": text[:3],
        "evidence_text_full_page": text,
    }


def test_a_page_is_a_passage_once_and_its_id_has_no_white_space(tmp_path: Path) -> None:
    first = page("ORLEN VANS_2018", 59, "Vans sold.\n7")
    rows = [
        {
            "financebench_id": "f1",
            "question": "How many?",
            "doc_name": "ORLEN VANS_2018",
            "evidence": [first],
        },
        {
            "financebench_id": "f2",
            "question": "Why?",
            "doc_name": "ORLEN VANS_2018",
            "evidence": [first, page("ORLEN VANS_2018", 0, "Cover")],
        },
    ]
    content = "\n".join(map(json.dumps, rows)).encode()
    (tmp_path / "f.jsonl").write_bytes(content)
    pinned = {"local": "f.jsonl", "sha256": hashlib.sha256(content).hexdigest(), "url": "http://127.0.0.1:9"}
    titled = adapter("financebench", public=tmp_path, file=pinned, titled=True).passages("test")
    assert [passage.whole for passage in titled] == [
        "ORLEN VANS 2018\nVans sold.\n7",
        "ORLEN VANS 2018\nCover",
    ]
    assert adapter("financebench", public=tmp_path, file=pinned).collection("test") == Collection(
        (
            Passage("ORLEN_VANS_2018-59", "Vans sold.\n7", "ORLEN VANS_2018"),
            Passage("ORLEN_VANS_2018-0", "Cover", "ORLEN VANS_2018"),
        ),
        (
            Query("f1", "How many?", {"ORLEN_VANS_2018-59": 1}, "ORLEN VANS_2018"),
            Query("f2", "Why?", {"ORLEN_VANS_2018-59": 1, "ORLEN_VANS_2018-0": 1}, "ORLEN VANS_2018"),
        ),
    )


def test_it_has_the_published_sizes(public_data_dir: Path) -> None:
    found = adapter("financebench", public=public_data_dir).collection("test")
    assert (len(found.passages), len(found.queries)) == (168, 150)
    assert len({passage.id for passage in found.passages}) == 168
    assert len({query.document for query in found.queries}) == 84
    assert sum(len(query.grades) for query in found.queries) == 187


def test_there_is_no_split_but_test() -> None:
    with pytest.raises(DataError, match=r"FinanceBench has no validation: the set is for test only"):
        adapter("financebench").load("validation")
