"""What tests of first stages begin with: passages, queries, and stages as the configuration makes them."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared.compose import compose_run
from shared.passages import Passage
from shared.typed_config import build
from tasks.retrieval.collection import Query
from tasks.retrieval.first_stage import Bm25, Variant

NOT = float("-inf")
BM25 = Bm25(k1=1.2, b=0.75, method=Variant.lucene, stemmer="", index="")


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(Passage(f"p{number}", text) for number, text in enumerate(texts))


def queries(*texts: str) -> tuple[Query, ...]:
    return tuple(Query(f"q{number}", text) for number, text in enumerate(texts))


def configured(name: str, *overrides: str) -> Any:
    """The stage as a data adapter builds it."""
    resolved = compose_run("reranking", [f"first_stage={name}", *overrides]).resolved
    return build(OmegaConf.create(resolved["first_stage"]), path="data.first_stage")


def run(folder: Path, *rows: str) -> str:
    """The path of a run with a row for each `query passage score`."""
    path = folder / f"{len(list(folder.iterdir()))}.trec"
    lines = [f"{query} Q0 {passage} 1 {score} x\n" for query, passage, score in map(str.split, rows)]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)
