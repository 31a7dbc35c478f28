from pathlib import Path

from shared.contracts import SPLITS
from tasks.anomaly.messages import _message
from tests.tasks.anomaly.adapters import adapter


def test_a_message_keeps_its_quotes_and_its_tabs() -> None:
    message = _message(3, 'spam\tWin "big"\tnow\n')
    assert (message.id, message.texts, message.anomalous, message.kind) == (
        "message-3",
        ('Win "big"\tnow',),
        True,
        "spam",
    )
    assert _message(4, "ham\tBack at 6\n").kind == ""


def test_sms_drops_the_lines_that_repeat_and_divides_the_rest(public_data_dir: Path) -> None:
    """5,549 lines less 396 less 12 that differ in case or white space alone; 60 % of 5,141 is 3,085."""
    data = adapter("sms_spam", folder=public_data_dir, known=None)
    splits = [data.load(split) for split in SPLITS]
    assert [len(part) for part in splits] == [3085, 911, 1028]
    assert [sum(item.anomalous for item in part) for part in splits] == [379, 0, 131]
    assert all(item.id == item.document and item.text for part in splits for item in part)
    report = data.report().splitlines()
    assert report[0] == "data: SMS spam, licence: own terms: free, please cite"
    assert "dropped: 396 lines that repeat an earlier one" in report
    assert (
        "left out: 12 repeated texts; 117 anomalies of validation, whose sort may stand in train or test"
        in report
    )


def test_sms_has_no_spam_in_train_unless_asked_for(public_data_dir: Path) -> None:
    train = adapter("sms_spam", folder=public_data_dir).load("train")
    assert len(train) == 2706
    assert not [item.id for item in train if item.anomalous]


def test_another_fold_is_another_test_split(public_data_dir: Path) -> None:
    first, second = (adapter("sms_spam", folder=public_data_dir, fold=fold).load("test") for fold in (1, 2))
    assert {item.id for item in first} != {item.id for item in second}


def test_clinc_has_upstreams_splits_and_its_queries_out_of_scope_last(public_data_dir: Path) -> None:
    data = adapter("clinc_oos", folder=public_data_dir, known=None)
    splits = {split: data.load(split) for split in SPLITS}
    sizes = {"train": (15000, 100), "validation": (3000, 100), "test": (4500, 1000)}
    for split, (normal, anomalous) in sizes.items():
        assert [item.anomalous for item in splits[split]] == [False] * normal + [True] * anomalous
        assert {item.kind for item in splits[split][normal:]} == {"out of scope"}
        assert splits[split][-1].id == f"{split}-{normal + anomalous - 1}"


def test_clinc_has_as_many_known_queries_out_of_scope_as_asked_for(public_data_dir: Path) -> None:
    train = adapter("clinc_oos", folder=public_data_dir, known=20).load("train")
    assert sum(item.anomalous for item in train) == 20
