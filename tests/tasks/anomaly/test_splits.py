from collections.abc import Sequence

import pytest

from shared.contracts import SPLITS
from shared.errors import ConfigError
from shared.examples import AnomalyExample
from tasks.anomaly.splits import Division, Protocol, divide, folded, kept


def line(
    place: int, *, anomalous: bool | None = False, kind: str = "", group: str = "", text: str = ""
) -> AnomalyExample:
    return AnomalyExample(f"line-{place}", (text or f"text {place}",), anomalous, kind, group)


def ids(division: Division) -> dict[str, list[int]]:
    return {
        split: [int(item.id.removeprefix("line-")) for item in part] for split, part in division.parts.items()
    }


def groups(division: Division, *, anomalous: bool) -> dict[str, set[str]]:
    return {
        split: {item.group for item in part if item.anomalous is anomalous}
        for split, part in division.parts.items()
    }


def log() -> list[AnomalyExample]:
    """30 lines of 10 normal templates, and 10 of 5 anomalous ones with a kind each."""
    normal = [line(place, group=f"n{place % 10}") for place in range(30)]
    odd = [
        line(place, anomalous=True, kind=f"k{place % 5}", group=f"a{place % 5}") for place in range(30, 40)
    ]
    return [*normal, *odd]


def test_time_cuts_the_file_in_order_and_validation_passes_over_its_anomaly() -> None:
    examples = [line(place, anomalous=place in (2, 7, 9)) for place in range(10)]
    division = divide(examples, protocol=Protocol.time, fold=1)
    assert ids(division) == {"train": [0, 1, 2, 3, 4, 5], "validation": [6], "test": [8, 9]}
    assert division.duplicates == 0
    assert [example.id for example in division.passed_over] == [examples[7].id]


def test_time_keeps_repeated_lines() -> None:
    examples = [line(place, text="the same") for place in range(5)]
    division = divide(examples, protocol=Protocol.time, fold=1)
    assert ids(division) == {"train": [0, 1, 2], "validation": [3], "test": [4]}


def test_random_removes_equal_texts_and_divides_the_rest_by_60_20_20() -> None:
    examples = [*map(line, range(20)), line(20, text="TEXT  3"), line(21, text="text 4 ")]
    division = divide(examples, protocol=Protocol.random, fold=1)
    parts = ids(division)
    assert [len(parts[split]) for split in SPLITS] == [12, 4, 4]
    assert sorted(place for part in parts.values() for place in part) == list(range(20))
    assert all(part == sorted(part) for part in parts.values())
    assert division.duplicates == 2


def test_random_passes_over_the_anomalies_of_validation_and_shuffles_them_with_the_rest() -> None:
    examples = [line(place, anomalous=True) for place in range(20)]
    division = divide(examples, protocol=Protocol.random, fold=1)
    assert [len(division.parts[split]) for split in SPLITS] == [12, 0, 4]
    assert len(division.passed_over) == 4


@pytest.mark.parametrize("protocol", Protocol)
def test_parts_are_disjoint_the_same_at_every_call_and_lose_nothing_unseen(protocol: Protocol) -> None:
    for fold in range(1, 6):
        division = divide(log(), protocol=protocol, fold=fold)
        assert division == divide(log(), protocol=protocol, fold=fold)
        found = [place for part in ids(division).values() for place in part]
        assert len(found) == len(set(found)) == 40 - len(division.passed_over)


@pytest.mark.parametrize("protocol", [Protocol.random, Protocol.new_kinds, Protocol.new_templates])
def test_another_fold_is_another_division(protocol: Protocol) -> None:
    first, second = (ids(divide(log(), protocol=protocol, fold=fold)) for fold in (1, 2))
    assert first["test"] != second["test"]


def test_no_template_stands_in_two_parts_and_those_of_validation_are_always_the_same() -> None:
    """Of ten normal templates two are held out and four are in either half; of five anomalous ones, one
    and two."""
    held = []
    for fold in range(1, 6):
        division = divide(log(), protocol=Protocol.new_templates, fold=fold)
        for anomalous, sizes in ((False, [4, 2, 4]), (True, [2, 1, 2])):
            parts = groups(division, anomalous=anomalous)
            assert [len(parts[split]) for split in SPLITS] == sizes
            assert len(set.union(*parts.values())) == sum(sizes)
        held.append(ids(division)["validation"])
    assert all(place == held[0] for place in held)


def test_a_template_with_an_anomalous_line_is_divided_among_the_anomalous_ones() -> None:
    examples = [line(0, group="mixed"), line(1, anomalous=True, group="mixed"), line(2, group="calm")]
    division = divide(examples, protocol=Protocol.new_templates, fold=1)
    assert ids(division) == {"train": [], "validation": [], "test": [0, 1, 2]}


def test_new_kinds_divides_anomalies_by_kind_and_normal_texts_at_random() -> None:
    held = []
    for fold in range(1, 6):
        division = divide(log(), protocol=Protocol.new_kinds, fold=fold)
        kinds = {split: {item.kind for item in part} - {""} for split, part in division.parts.items()}
        assert [len(kinds[split]) for split in SPLITS] == [2, 1, 2]
        assert len(set.union(*kinds.values())) == 5
        normal = [sum(not item.anomalous for item in division.parts[split]) for split in SPLITS]
        assert normal == [18, 6, 6]
        held.append(kinds["validation"])
    assert all(kind == held[0] for kind in held)


@pytest.mark.parametrize(
    ("protocol", "examples", "problem"),
    [
        (
            Protocol.new_templates,
            [line(0, group="a"), line(1)],
            "data.protocol=new_templates needs a group for each text it divides by one; 1 of 2 have none, "
            "the first is line-1; allowed with any text: random, time",
        ),
        (
            Protocol.new_kinds,
            [line(0), line(1, anomalous=True)],
            "data.protocol=new_kinds needs a kind for each text it divides by one; 1 of 1 have none, "
            "the first is line-1; allowed with any text: random, time",
        ),
    ],
)
def test_a_protocol_needs_what_it_divides_by(
    protocol: Protocol, examples: Sequence[AnomalyExample], problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        divide(examples, protocol=protocol, fold=1)
    assert str(caught.value) == problem


MIXED = Division(
    {
        "train": [*map(line, range(5)), *(line(place, anomalous=True) for place in range(5, 15))],
        "validation": [line(15), line(16, anomalous=True), line(17, anomalous=None)],
    }
)


def drawn(known: int | None, seed: int = 1) -> list[str]:
    return [item.id for item in kept(MIXED, "train", known=known, known_seed=seed) if item.anomalous]


def test_train_has_its_normal_texts_and_as_many_known_anomalies_as_asked_for() -> None:
    assert [item.id for item in kept(MIXED, "train", known=0, known_seed=1)] == [
        "line-0",
        "line-1",
        "line-2",
        "line-3",
        "line-4",
    ]
    assert len(drawn(3)) == 3
    assert set(drawn(3)) <= {f"line-{place}" for place in range(5, 15)}
    assert len(drawn(None)) == len(drawn(10)) == len(drawn(99)) == 10


def test_a_larger_draw_holds_the_smaller_one_and_another_seed_draws_others() -> None:
    assert set(drawn(2)) < set(drawn(5)) < set(drawn(8))
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(5, seed=2)


def test_other_splits_keep_their_anomalies_and_no_split_has_an_unlabelled_text() -> None:
    found = kept(MIXED, "validation", known=0, known_seed=1)
    assert [item.id for item in found] == ["line-15", "line-16"]


def test_a_negative_number_of_known_anomalies_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"data\.known=-1; allowed: 0 or more, null is all there are"):
        drawn(-1)


def test_texts_are_equal_without_case_and_white_space_but_not_without_marks() -> None:
    assert folded(AnomalyExample("a", ("Disk  full\t", "B"))) == ("disk full", "b")
    assert folded(line(0, text="disk-full")) != folded(line(1, text="disk full"))
