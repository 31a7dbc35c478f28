"""The counts by document that the scores are functions of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.facet_sets import NONE
from shared.intervals import Array
from shared.ontology import Ontology
from tasks.ontology.judged import Judged
from tasks.ontology.scores import (
    ANSWER_COLUMNS,
    CANDIDATE_COLUMNS,
    CLASS_COLUMNS,
    NUMBER_COLUMNS,
    RIGHT_COLUMNS,
    SET_COLUMNS,
)

OTHER = "Other"  # of SemEval-2010 Task 8: no relation, whether it is a concept or an empty gold
Part = tuple[int, str, Sequence[float]]  # row of the document, group, what is added to the group's columns


@dataclass(frozen=True)
class Table:
    """Counts by document: values (documents, groups x columns)."""

    groups: list[str]
    columns: list[str]
    values: Array


def right_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return RIGHT_COLUMNS of the facet over the texts in scope; no answer is a wrong one."""
    parts = [(item.row, item.facet.id, (item.right, 1)) for item in items if item.in_scope]
    return gather(parts, groups=present(parts), columns=RIGHT_COLUMNS, num_rows=num_rows)


def level2_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return `right_counts` where the concepts of depth 0 and 1 (themselves, or broader) are compared."""

    def cut(concepts: Sequence[str]) -> set[str]:
        return {concept for concept in with_broader(concepts, ontology) if ontology.depth[concept] < 2}

    parts = [
        (item.row, item.facet.id, (item.answered and cut(item.gold) == cut(item.answer.given), 1))
        for item in items
        if item.in_scope
    ]
    return gather(parts, groups=present(parts), columns=RIGHT_COLUMNS, num_rows=num_rows)


def hierarchy_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return SET_COLUMNS of the facet: concepts with all broader ones, out of scope too."""
    parts = []
    for item in items:
        gold, given = with_broader(item.gold, ontology), with_broader(item.answer.given, ontology)
        parts.append((item.row, item.facet.id, (len(gold & given), len(given), len(gold))))
    any_gold = any(item.gold for item in items)
    return gather(parts, groups=present(parts) if any_gold else [], columns=SET_COLUMNS, num_rows=num_rows)


def class_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return CLASS_COLUMNS for each most specific concept in gold or answers, out of scope too.

    Groups are named facet/concept, in the ontology's order; none if no gold has a concept.
    """
    parts: list[Part] = []
    for item in items:
        gold, given = set(item.gold), set(item.answer.given)
        for concept in gold | given:
            right = concept in gold and concept in given
            parts.append((item.row, concept, (right, concept in given, concept in gold, 0)))
    found = sorted(present(parts), key=ontology.index.__getitem__) if any(it.gold for it in items) else []
    return _by_class(parts, items, groups=found, num_rows=num_rows)


def relation_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return CLASS_COLUMNS by relation, for the official macro F1 of SemEval-2010 Task 8 (version 1.2).

    Groups are the relations in gold, `Other` and none apart. A right relation in the wrong direction is
    predicted and gold, but not right; no answer is the same as Other.
    """
    known = {relation.id for relation in ontology.relations} - {OTHER}
    relation_of = {
        concept: found
        for concept, broader in ontology.ancestors.items()
        for found in known & {concept, *broader}
    }
    parts: list[Part] = []
    for item in items:
        gold = {relation_of[concept] for concept in item.gold if concept in relation_of}
        given = {relation_of[concept] for concept in item.answer.given if concept in relation_of}
        for relation in gold | given:
            right = item.right and relation in gold
            parts.append((item.row, relation, (right, relation in given, relation in gold, 0)))
    in_gold = {group for _, group, values in parts if values[2]}
    found = [relation.id for relation in ontology.relations if relation.id in in_gold]
    return _by_class(parts, items, groups=found, num_rows=num_rows)


def number_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return NUMBER_COLUMNS of the facet; no answer counts as the mean of gold, which knows nothing."""
    golds = [item.value for item in items if item.value is not None]
    parts = []
    for item, gold in zip(items, golds, strict=True):
        given = item.answer.value if item.answered and item.answer.value is not None else np.mean(golds)
        error = float(given - gold)
        parts.append((item.row, item.facet.id, (1, gold, gold**2, error**2, abs(error))))
    return gather(parts, groups=present(parts), columns=NUMBER_COLUMNS, num_rows=num_rows)


def answer_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return ANSWER_COLUMNS of the facet; a number is in scope and never right."""
    parts = []
    for item in items:
        inside, away = item.in_scope, not item.answered
        right = inside and item.value is None and item.right
        numbers = (right, inside and not away, inside, not inside and away, not inside)
        parts.append((item.row, item.facet.id, numbers))
    return gather(parts, groups=present(parts), columns=ANSWER_COLUMNS, num_rows=num_rows)


def candidate_counts(items: Sequence[Judged], *, ontology: Ontology, num_rows: int) -> Table:
    """Return CANDIDATE_COLUMNS of the facet over the texts in scope; no group where one has no set."""
    inside = [item for item in items if item.in_scope]
    parts = []
    for item in inside:
        candidates, sure = item.answer.candidates, item.answer.sure
        if candidates is None or sure is None:
            return gather([], groups=[], columns=CANDIDATE_COLUMNS, num_rows=num_rows)
        gold = set(item.gold) or ({NONE} if item.facet.single else set())
        right = with_broader(item.gold, ontology) >= set(sure)
        numbers = (gold <= set(candidates), len(candidates), bool(sure), right, 1)
        parts.append((item.row, item.facet.id, numbers))
    return gather(parts, groups=present(parts), columns=CANDIDATE_COLUMNS, num_rows=num_rows)


def exact_counts(items: Sequence[Sequence[Judged]], *, num_rows: int) -> Table:
    """Return RIGHT_COLUMNS over examples, each with its labelled facets; no answer out of scope is right."""
    parts = [(own[0].row, "all", (all(item.right for item in own), 1)) for own in items if own]
    return gather(parts, groups=present(parts), columns=RIGHT_COLUMNS, num_rows=num_rows)


COUNTS: dict[str, Callable[..., Table]] = {  # the counts of a facet that each main score is made from
    "accuracy": right_counts,
    "macro_f1": class_counts,
    "weighted_f1": class_counts,
    "level2_accuracy": level2_counts,
    "hf1": hierarchy_counts,
    "official_f1": relation_counts,
    "r2": number_counts,
}


def join(tables: Sequence[Table]) -> Table:
    """Return the tables of several facets side by side, numbering the facets in the column `facet`."""
    if tables[0].columns == CLASS_COLUMNS:
        number = np.array([0, 0, 0, 1.0])
        scales = [np.tile(1 + number * place, len(table.groups)) for place, table in enumerate(tables)]
        values = [table.values * scale for table, scale in zip(tables, scales, strict=True)]
    else:
        values = [table.values for table in tables]
    groups = [group for table in tables for group in table.groups]
    return Table(groups, tables[0].columns, np.concatenate(values, axis=1))


def gather(parts: Iterable[Part], *, groups: Sequence[str], columns: list[str], num_rows: int) -> Table:
    """Return the table of these groups with all parts added up; parts of other groups are left out."""
    place = {group: index for index, group in enumerate(groups)}
    values = np.zeros((num_rows, len(groups), len(columns)))
    for row, group, numbers in parts:
        if group in place:
            values[row, place[group]] += numbers
    return Table(list(groups), columns, values.reshape(num_rows, -1))


def with_broader(concepts: Sequence[str], ontology: Ontology) -> frozenset[str]:
    """Return the concepts and all that are broader."""
    return frozenset(concepts).union(*(ontology.ancestors[concept] for concept in concepts))


def present(parts: Iterable[Part]) -> list[str]:
    """Return the groups of the parts, each once, in the order they come."""
    return list(dict.fromkeys(group for _, group, _ in parts))


def _by_class(
    parts: Sequence[Part], items: Sequence[Judged], *, groups: Sequence[str], num_rows: int
) -> Table:
    """Return the class table, groups named facet/concept, its column `facet` 1 in each document."""
    table = gather(parts, groups=groups, columns=CLASS_COLUMNS, num_rows=num_rows)
    table.values[:, 3::4] = 1
    return Table([f"{items[0].facet.id}/{group}" for group in groups], CLASS_COLUMNS, table.values)
