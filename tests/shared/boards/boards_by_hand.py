"""Two data sets made by hand for the tests of the page: one with everything, one with next to nothing."""

from typing import Any

from shared.boards.claims import CheckedClaim
from shared.boards.layout import Layout
from shared.boards.page import Contents
from shared.boards.question import read_fields
from shared.boards.rows import Row
from shared.boards.sections import Section
from shared.boards.tables import Column, Table
from tests.shared.records import make_record

LAYOUT = Layout(
    title="Named entity recognition",
    statistics={},
    answer_keys=[],
    written_keys=[],
    unchanged=[],
    references={},
    tables=[
        Table(
            "quality",
            "Strict *entity* scores.",
            [
                Column("row", "name", "text"),
                Column("kind", "kind", "text"),
                Column("F1 *", "scores.f1/*", "score"),
            ],
        )
    ],
    csv_only=[],
)
COMMON = [
    Table(
        "against the best row",
        "Rows that *no test* tells from the best share `1=`.",
        [
            Column("row", "name", "text"),
            Column("place", "place", "text"),
            Column("minus the best", "best", "corrected"),
            Column("answers that change", "churn", "share_range"),
            Column("calibration error", "reliability.ece.value", "score"),
        ],
    ),
    Table(
        "speed, energy and money",
        "Medians.",
        [
            Column("documents/s", "measured.documents_per_second", "median"),
            Column("p95 ms", "measured.latency_p95_ms", "median"),
            Column("$ per 1,000", "cost.dollars_per_1000", "significant"),
            Column("priced as", "cost.priced_as", "text"),
            Column("never measured", "measured.nothing", "median"),
        ],
    ),
]


def make_row(name: str, kind: str, value: float, **more: Any) -> Row:
    """Return a row without records' details, its interval 0.04 around the score."""
    return {
        "name": name,
        "kind": kind,
        "task": "ner",
        "experiment": "",
        "ids": [f"{name}-1".replace(" ", "-")],
        "comparable": True,
        "note": "commit 0123456789, 2026-11-24",
        "score": {"value": value, "low": value - 0.04, "high": value + 0.04},
        "scores": {"f1": value},
        "runs": {"count": 1, "unit": "run", "min": value, "max": value},
        **more,
    }


def reliability(ece: float, risk: float) -> Row:
    """Return the confidences of a row that is a little too sure, and wrong by `risk` if it answers all."""
    return {
        "unit": "spans",
        "ece": {"value": ece, "low": None, "high": None},
        "bins": [[0.5, 0.4, 10], [0.7, 0.65, 10], [0.95, 0.9, 10]],
        "curve": [[0.25, 0.0], [0.5, risk / 4], [1.0, risk]],
    }


TINY = make_row(
    "tiny + LoRA",
    "measured",
    0.80,
    experiment="ner/tiny",
    ids=["tiny-seed1", "tiny-seed2", "tiny-seed3", "tiny-seed4"],
    runs={"count": 4, "unit": "seed", "min": 0.79, "max": 0.82},
    scores={"f1": 0.80, "f1/ORG": 0.75, "f1/PER": 0.9},
    place="1=",
    best=None,
    churn={"low": 0.1, "high": 0.12},
    parameters={"total": 22_600_000},
    measured={
        "documents_per_second": {"median": 100.0, "low": 98.0, "high": 103.0},
        "tokens_per_second": {"median": 3000.0, "low": None, "high": None},
        "latency_p95_ms": {"median": 20.0, "low": None, "high": None},
    },
    cost={"dollars_per_1000": 0.001, "dollars_per_hour": 0.36, "priced_as": "two cores of a rented machine"},
    training={"examples": 1000, "wall_seconds": 1800.0},
    licence={"base": "Apache-2.0", "data": "CC BY-NC 4.0", "commercial": False},
    reliability=reliability(0.031, 0.2),
    curve=[[100, 0.6, 0.55, 0.65, 3], [400, 0.8, 0.76, 0.84, 3]],
)
SMALL = make_row(
    "small + LoRA, <all> & more",
    "measured",
    0.78,
    place="1=",
    best={"value": -0.02, "low": -0.05, "high": 0.01, "p": 0.2, "p_holm": 0.4, "tie": True},
    cost={"dollars_per_1000": 0.002, "dollars_per_hour": 0.36, "priced_as": "two cores of a rented machine"},
    measured={"documents_per_second": {"median": 50.0, "low": None, "high": None}},
    training={"examples": 1000, "wall_seconds": 3600.0},
    licence={"base": "Apache-2.0", "data": "CC BY-NC 4.0", "commercial": False},
    reliability=reliability(0.054, 0.22),
)
LARGE = make_row(
    "large API model",
    "replayed",
    0.70,
    scores={"f1": 0.70, "f1/ORG": 0.72, "f1/PER": 0.68},
    place="3",
    best={"value": -0.1, "low": -0.15, "high": -0.05, "p": 0.001, "p_holm": 0.003, "tie": False},
    churn={"low": 0.02, "high": 0.04},
    cost={
        "dollars_per_1000": 1.0,
        "input_tokens": 200.0,
        "output_tokens": 50.0,
        "input_price": 2.5,
        "output_price": 10.0,
        "priced_as": "large at a provider",
    },
)
DICTIONARY = make_row("dictionary", "baseline", 0.50, place="4")
CITED = make_row("published elsewhere", "cited", 0.75, source="https://example.org/paper")
CITED |= {"score": {"value": 0.75, "low": None, "high": None}, "ids": []}
ROWS = [TINY, SMALL, CITED, LARGE, DICTIONARY]


def make_section(data: str, rows: list[Row]) -> Section:
    """Return a data set of these rows."""
    return Section(
        task="ner",
        title=LAYOUT.title,
        data=data,
        main="f1",
        reference="large API model",
        rows=rows,
        records=[make_record()],
        layout=LAYOUT,
    )


SECTIONS = [make_section("FiNER-ORD", ROWS), make_section("a bare one", [DICTIONARY])]
CLAIM = CheckedClaim(
    says="It is 80 times cheaper",
    claimed="80",
    unit="times",
    source="an article",
    caveat="Per hour.",
    formula="large / small",
    verdict="corrected",
    value=40.0,
    arithmetic="8 / 0.20 = 40, not 80",
)
CONTENTS = Contents(
    tables=COMMON,
    fields=read_fields(),
    offers=[{"name": "nano at a provider", "input": 0.1, "output": 0.5}],
    claims=[CLAIM],
)
