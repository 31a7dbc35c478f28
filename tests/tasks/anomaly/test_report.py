from collections.abc import Sequence
from dataclasses import dataclass

from shared.examples import AnomalyExample
from tasks.anomaly.report import data_report
from tasks.anomaly.splits import Division, Protocol, kept


@dataclass(frozen=True)
class Fixed:
    """An adapter of given parts."""

    division: Division
    known: int | None = 0
    name: str = "fixed"
    licence: str = "none"

    def load(self, split: str) -> list[AnomalyExample]:
        return kept(self.division, split, known=self.known, known_seed=1)


def text(
    id: str, text: str, anomalous: bool | None = False, *, kind: str = "", group: str = ""
) -> AnomalyExample:
    return AnomalyExample(id, (text,), anomalous, kind, group)


TRAIN = [
    text("a", "started", group="E1"),
    text("b", "Started ", group="E1"),
    text("c", "fan 1 stopped", True, kind="fan", group="E2"),
    text("d", "too hot", None, group="E3"),
]
TEST = [text("g", "fan 2 stopped", True, kind="gone", group="E2")]
PASSED_OVER = [text("j", "fan 3 stopped", True, group="E2"), text("k", "no water", True, group="E7")]
VALIDATION = [
    text("e", "started", group="E1"),
    text("f", "started", True, kind="fan", group="E1"),
    text("h", "no heat", True, kind="heat", group="E5"),
    text("i", "closed", group="E6"),
]
THREE = Division(
    {"train": TRAIN, "validation": VALIDATION, "test": TEST}, duplicates=7, passed_over=PASSED_OVER
)


def report(
    division: Division = THREE,
    *,
    known: int | None = 0,
    protocol: Protocol | None = None,
    notes: Sequence[str] = (),
) -> list[str]:
    return data_report(Fixed(division, known), division, protocol=protocol, notes=notes).splitlines()


def test_it_opens_with_the_name_and_counts_what_each_split_has_and_leaves_out() -> None:
    lines = report(notes=["note"])
    assert lines[0] == "data: fixed, licence: none"
    assert [row.split() for row in lines[3:5]] == [
        ["train", "2", "2", "0", "1", "1", "1"],
        ["validation", "4", "2", "2", "3", "0", "0"],
    ]
    assert lines[-1] == "note"


def test_kinds_are_counted_in_each_split_that_has_one() -> None:
    assert [line for line in report() if line.startswith("kinds")] == ["kinds in validation: fan 1, heat 1"]
    assert "kinds in train: fan 1" in report(known=None)


def test_texts_that_repeat_contradict_or_were_left_out_are_counted() -> None:
    lines = report()
    assert "repeated texts: 1 within train; 2 of validation stand in train" in lines
    assert "same text, both labels: 1 (a and f)" in lines
    assert "left out: 7 repeated texts; 2 anomalies of validation, whose sort may stand in train or test" in (
        lines
    )


def test_a_random_division_warns_with_the_share_of_validation_whose_template_train_has() -> None:
    """E1 and E2 stand in the training part, E5 to E7 do not; that no anomaly is known changes nothing."""
    share = (
        "of validation 2 of 4 (50%) anomalies and 1 of 2 (50%) normal texts have a group of the training part"
    )
    for known in (0, None):
        lines = report(known=known, protocol=Protocol.random)
        assert "protocol: random" in lines
        assert (
            f"warning: a random division leaks where texts have templates, as log lines do; groups: {share}"
            in lines
        )
    assert f"groups: {share}" in report(protocol=Protocol.new_kinds)


def test_without_groups_the_share_is_not_measured() -> None:
    division = Division({"train": [text("a", "x")], "validation": [text("b", "y")]})
    expected = "groups: no text of validation has one, so what it shares with train is not measured"
    assert expected in report(division)


def test_fewer_known_anomalies_than_asked_for_are_told() -> None:
    assert "known anomalies: 1, all there are; data.known asks for 20" in report(known=20)
    assert not [line for line in report(known=1) if line.startswith("known")]


def test_test_is_not_looked_at() -> None:
    assert not [line for line in report() if "test" in line.split()[0] or "gone" in line]
    assert "protocol: the splits of the source" in report(
        Division({"train": TRAIN, "validation": VALIDATION})
    )
