from shared.contracts import Score
from shared.promise import Promises, Usual
from shared.promise_text import kept_text, promises_text
from shared.record import Kept, Promise

SURE = Promise("spans", 0.05, 0.95, 0.9, coverage=0.8, num=500, correlation=0.1)
NONE = Promise("spans", 0.01, 0.95, None, coverage=0.0, num=500, correlation=0.1)


def test_what_validation_allows_is_a_line_each_and_what_it_does_not_says_so() -> None:
    text = promises_text([Promises("spans", (NONE, SURE), Usual(0.9, 0.5, 400.0))])
    first, second = text.splitlines()[2:]
    assert first.startswith("at most 1% of spans given are wrong")
    assert "nothing can be promised: no answer is given" in first
    assert "80.0%" in second
    assert text.startswith("promised with 95% confidence")
    assert promises_text([]) == "no promise: these answers have no confidence"


def test_what_became_of_a_promise_is_told_with_its_interval_and_unlike_texts_once() -> None:
    kept = [
        Kept(NONE, num=200, coverage=0.0, risk=None, drift=0.001),
        Kept(SURE, num=200, coverage=0.75, risk=Score(0.08, 0.06, 0.1), drift=0.001),
    ]
    *_, none, sure, unlike = kept_text(kept).splitlines()
    assert "0.0% of 200" in none and none.endswith("no promise")
    assert "75.0% of 200  8.00% [6.00%, 10.00%]" in sure and sure.endswith("broken")
    assert unlike.startswith("the confidences of spans are unlike validation's (p = 0.001)")
    assert "unlike" not in kept_text([Kept(SURE, 200, 0.75, Score(0.04, 0.02, 0.06), drift=0.3)])
