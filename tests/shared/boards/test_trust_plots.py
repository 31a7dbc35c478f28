"""What the plots of confidences show, read off their SVG."""

from xml.etree import ElementTree

from shared.boards.trust_plots import Trusted, reliability_plot, risk_plot

TINY = Trusted("tiny", 0.031, [(0.5, 0.4), (0.9, 0.95)], [(0.5, 0.0), (1.0, 0.2)])
SMALL = Trusted("small", 0.054, [(0.6, 0.6)], [(0.25, 0.1), (1.0, 0.21)])
SURE = Trusted("never wrong", 0.0, [(1.0, 1.0)], [(1.0, 0.0)])


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("text")]


def test_each_row_has_a_panel_with_a_dot_for_each_bin() -> None:
    svg = reliability_plot([TINY, SMALL], id="a", title="t")
    assert {"tiny", "small", "ECE 0.031", "ECE 0.054", "confidence", "share right"} <= set(texts(svg))
    assert svg.count("h0") == 3
    assert svg.count('class="diagonal"') == 2
    assert "tiny: expected calibration error 0.031; small: expected calibration error 0.054" in svg


def test_risk_curves_are_told_apart_by_dashes_and_named_at_their_ends() -> None:
    svg = risk_plot([TINY, SMALL], id="a", title="t", unit="spans")
    assert {"tiny", "small", "coverage: share of spans answered", "risk: share of them wrong"} <= set(
        texts(svg)
    )
    assert 'class="line line-1"' in svg and 'class="line line-2"' in svg
    assert "tiny: 20.0 % wrong at 100 % coverage; small: 21.0 % wrong at 100 % coverage" in svg


def test_a_row_that_is_never_wrong_still_makes_a_plot() -> None:
    svg = risk_plot([SURE], id="a", title="t", unit="facets")
    assert "never wrong: 0.0 % wrong at 100 % coverage" in svg and "nan" not in svg
