from pathlib import Path

import pytest

from shared.boards.layout import CONF
from shared.boards.prices import Price, PriceList, blend, dollars, find_price, read_prices
from shared.errors import UserError

OLD = PriceList(
    "2025-06", "an article", "USD", [Price("big", "Acme", 4, 8, ""), Price("gone", "Acme", 1, 1, "")]
)
NEW = PriceList("2026-11-10", "a table", "USD", [Price("big", "Acme", 2, 4, "half of last year's")])

ONE_LIST = """\
date: '2026-11-10'
source: a table
currency: USD
prices:
  - {model: big, provider: Acme, input: 2, output: 4, note: ''}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "prices").mkdir()
    (folder / "prices" / "2026_11.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_model_costs_what_the_newest_list_says() -> None:
    price, prices = find_price("big", [NEW, OLD])
    assert (price.input, prices.date) == (2, "2026-11-10")


def test_an_earlier_date_asks_for_the_price_of_then() -> None:
    price, prices = find_price("big", [OLD, NEW], date="2026-01-31")
    assert (price.input, prices.date) == (4, "2025-06")


def test_a_model_of_an_older_list_alone_keeps_its_price() -> None:
    assert find_price("gone", [OLD, NEW])[1].date == "2025-06"


def test_a_model_without_price_is_told_with_the_closest_one() -> None:
    with pytest.raises(UserError, match=r"'bigg' has no price \(did you mean 'big'\?\); allowed: big, gone"):
        find_price("bigg", [OLD, NEW])


def test_a_date_before_all_lists_has_no_price() -> None:
    with pytest.raises(UserError, match="'big' has no price of 2024-01-01 or before"):
        find_price("big", [OLD, NEW], date="2024-01-01")


def test_a_blend_counts_three_tokens_read_for_one_written() -> None:
    assert blend(Price("big", "Acme", 5, 20, "")) == 8.75
    assert blend(Price("big", "Acme", 5, 20, ""), input_share=0.5) == 12.5


def test_dollars_are_those_of_the_tokens_read_and_written() -> None:
    assert dollars(Price("big", "Acme", 2.5, 10, ""), 200_000, 100_000) == 1.5


def test_lists_are_read_oldest_first(tmp_path: Path) -> None:
    folder = written(tmp_path, ONE_LIST)
    older = ONE_LIST.replace("2026-11-10", "2025-06")
    (folder / "prices" / "later_by_name.yaml").write_text(older, encoding="utf-8")
    assert [prices.date for prices in read_prices(folder)] == ["2025-06", "2026-11-10"]


@pytest.mark.parametrize(
    ("given", "instead", "message"),
    [
        ("input: 2, ", "", r"2026_11.yaml: prices.*input is missing"),
        ("input: 2", "input: two", r"2026_11.yaml: prices.*input is 'two'; allowed: float"),
        ("input: 2", "input: 0", "2026_11.yaml: prices.input of 'big' is 0; allowed: above 0"),
        ("currency: USD", "currency: EUR", "2026_11.yaml: currency is 'EUR'; allowed: USD"),
        (
            "prices:\n",
            "prices:\n  - {model: big, provider: B, input: 1, output: 1, note: ''}\n",
            "'big' 2 times",
        ),
    ],
)
def test_a_bad_list_is_told_with_file_and_key(tmp_path: Path, given: str, instead: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_prices(written(tmp_path, ONE_LIST.replace(given, instead)))


def test_the_committed_lists_price_what_the_replayed_rows_ran_on() -> None:
    lists = read_prices(CONF)
    for model, output in {"gpt-4o-2024-08-06": 10, "llama-3.1-405b": 3.5, "llama-3.1-70b": 0.88}.items():
        assert find_price(model, lists)[0].output == output
