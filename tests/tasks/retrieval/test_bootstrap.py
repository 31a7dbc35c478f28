import json
from pathlib import Path

import pytest

from shared.errors import ConfigError, UserError
from shared.passages import Passage, RankingExample
from tasks.retrieval import bootstrap as steps
from tasks.retrieval.beir import Beir
from tasks.retrieval.collection import Query
from tasks.retrieval.first_stage import Bm25, Variant
from tasks.retrieval.trec import read_run

PASSAGES = (
    Passage("a1", "The pump runs at night.", "a"),
    Passage("a2", "Filters are changed in May.", "a"),
    Passage("b1", "Visitors sign the book.", "b"),
    Passage("c1", "Invoices are paid within ten days.", "c"),
)
BM25 = Bm25(k1=1.2, b=0.75, method=Variant.lucene, stemmer="", index="")


def settings(**changes: object) -> steps.Bootstrap:
    given = {
        "generator": "runs/query_generation/x",
        "split": "train",
        "folder": "",
        "piece_words": 5,
        "pieces": 0,
        "found_within": 1,
        "validated_within": 1,
        "stage": None,
        "validation_share": 0.3,
        "gold": False,
        "evaluate": False,
    }
    return steps.Bootstrap(**{**given, **changes})  # type: ignore[arg-type]


def written(folder: Path) -> Path:
    path = folder / "written.jsonl"
    rows = [
        {"id": "a1#0", "queries": ["when does the pump run", "visitors sign what"]},
        {"id": "a2#0", "queries": ["when are filters changed"]},
        {"id": "b1#0", "queries": ["what do visitors sign"]},
        {"id": "c1#0", "queries": ["how fast are invoices paid"]},
        {"id": "c1#1", "queries": ["how fast are invoices paid", "are invoices paid in ten days"]},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def judged(folder: Path) -> Path:
    path = folder / "judged.jsonl"
    steps.judge(path, written(folder), PASSAGES, BM25)
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_passage_is_cut_at_lines_and_a_long_line_at_words() -> None:
    assert steps.pieces("one two\nthree four\n\nfive six", words=4) == ["one two\nthree four", "five six"]
    assert steps.pieces("one two three four five", words=2) == ["one two", "three four", "five"]
    assert steps.pieces("Sales | 5 | 6\nCosts | 1", words=50) == ["Sales | 5 | 6\nCosts | 1"]
    assert steps.pieces(" \n", words=2) == []


def test_pieces_carry_their_passages_id_and_headings_are_left_out(tmp_path: Path) -> None:
    text = "One two three four five six seven eight\nA heading\nNine ten one two three four five six"
    steps.write_pieces(tmp_path / "pieces.jsonl", [Passage("a1", text)], words=8, most=0)
    assert lines(tmp_path / "pieces.jsonl") == [
        {"id": "a1#0", "text": "One two three four five six seven eight", "document": "a1"},
        {"id": "a1#2", "text": "Nine ten one two three four five six", "document": "a1"},
    ]


def test_of_many_pieces_so_many_are_drawn_and_keep_their_order(tmp_path: Path) -> None:
    passages = [Passage(f"{n:03}", "one two three four five six seven eight") for n in range(100)]
    steps.write_pieces(tmp_path / "pieces.jsonl", passages, words=8, most=10)
    names = [row["id"] for row in lines(tmp_path / "pieces.jsonl")]
    assert len(set(names)) == 10 and names == sorted(names)


def test_each_query_is_judged_once_by_the_rank_of_its_own_passage(tmp_path: Path) -> None:
    """The second query of a1 is about b1: two words there, none in a1, which ties with all others at 0."""
    rows = lines(judged(tmp_path))
    assert [(row["passage"], row["rank"]) for row in rows] == [
        ("a1", 1),
        ("a1", 4),
        ("a2", 1),
        ("b1", 1),
        ("c1", 1),
        ("c1", 1),
    ]


def test_kept_queries_make_a_folder_of_beir_with_whole_documents_held_out(tmp_path: Path) -> None:
    steps.keep(tmp_path / "beir", judged(tmp_path), PASSAGES, settings=settings(), gold={})
    data = Beir(name="x", licence="x", folder=str(tmp_path / "beir"), first_stage=None, depth=0)
    train, validation = data.collection("train"), data.collection("validation")
    assert train.passages == PASSAGES
    asked = {query.text: dict(query.grades) for found in (train, validation) for query in found.queries}
    assert asked == {
        "when does the pump run": {"a1": 1},
        "when are filters changed": {"a2": 1},
        "what do visitors sign": {"b1": 1},
        "how fast are invoices paid": {"c1": 1},
        "are invoices paid in ten days": {"c1": 1},
    }
    documents = [{next(iter(q.grades))[0] for q in found.queries} for found in (train, validation)]
    assert len(documents[1]) == 1 and not documents[0] & documents[1]


def test_a_query_that_validates_may_be_found_later_than_one_that_trains(tmp_path: Path) -> None:
    """Passages of document a are held out; of its queries one comes back at the last rank, the fourth."""
    steps.keep(tmp_path / "beir", judged(tmp_path), PASSAGES, settings=settings(validated_within=4), gold={})
    data = Beir(name="x", licence="x", folder=str(tmp_path / "beir"), first_stage=None, depth=0)
    asked = [query.text for query in data.collection("validation").queries]
    assert asked == ["when does the pump run", "visitors sign what", "when are filters changed"]


def test_peoples_questions_join_and_what_they_validate_is_not_trained_on(tmp_path: Path) -> None:
    gold = {
        "train": [Query("q1", "where does the pump stand", {"a1": 1})],
        "validation": [Query("q2", "who signs", {"b1": 1, "c1": 0})],
    }
    steps.keep(tmp_path / "beir", judged(tmp_path), PASSAGES, settings=settings(gold=True), gold=gold)
    data = Beir(name="x", licence="x", folder=str(tmp_path / "beir"), first_stage=None, depth=0)
    assert [query.id for query in data.collection("validation").queries] == ["q2"]
    trained = data.collection("train").queries
    assert [query.id for query in trained] == ["q1", "written-0", "written-2"]
    assert not any({"b1", "c1"} & set(query.grades) for query in trained)


def test_too_few_queries_are_an_error_that_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text('{"query": "x", "passage": "a1", "rank": 3}\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"\(0 for train, 0 for validation\): nothing to learn from"):
        steps.keep(tmp_path / "beir", path, PASSAGES, settings=settings(), gold={})
    assert not (tmp_path / "beir").exists()


def test_mined_candidates_are_a_trec_run(tmp_path: Path) -> None:
    steps.mine(tmp_path / "candidates.trec", [RankingExample("q", "x", PASSAGES[:2], (2.0, 1.0), {"a1": 1})])
    assert read_run(tmp_path / "candidates.trec") == {"q": {"a1": 2.0, "a2": 1.0}}


def test_a_step_that_was_made_is_not_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made: list[int] = []

    def make() -> None:
        made.append(1)
        (tmp_path / "x").write_text("x")

    steps.step(tmp_path / "x", make)
    steps.step(tmp_path / "x", make)
    assert made == [1]
    assert capsys.readouterr().out == f"{tmp_path}/x: written\n{tmp_path}/x: there already\n"


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    facts = steps.described(settings(), data={"name": "x"})
    steps.claim_folder(tmp_path, facts)
    steps.claim_folder(tmp_path, facts)
    with pytest.raises(UserError, match="was begun with other settings"):
        steps.claim_folder(tmp_path, steps.described(settings(piece_words=6), data={"name": "x"}))


def test_rankers_of_other_first_stages_share_the_queries(tmp_path: Path) -> None:
    for stage, depth, evaluate in ((None, 0, True), ({"_target_": "x"}, 100, False)):
        data = {"name": "x", "first_stage": stage, "depth": depth, "data_dir": f"/{depth}"}
        steps.claim_folder(tmp_path, steps.described(settings(evaluate=evaluate), data=data))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "dev"}, "bootstrap.split='dev'; allowed: train, test"),
        ({"split": "test", "gold": True}, "bootstrap.gold=true needs bootstrap.split=train"),
        ({"validation_share": 1.0}, "bootstrap.validation_share=1.0; allowed: above 0, below 1"),
        ({"piece_words": 0}, "bootstrap.piece_words=0; allowed: a whole number above 0"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings(**changes)
