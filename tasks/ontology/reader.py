"""Reading an ontology: SKOS and OWL in Turtle, RDF/XML or JSON-LD, or the short form in YAML.

How each becomes facets, concepts and relations is told in `skos`, `owl` and `short_form`. Of RDF, ids are
local names where those are unique, else prefixed names; a graph has no order, so facets, and the concepts of
each, stand in the order of their ids. Nothing is fetched: an import outside the files stays unread, and is
listed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import NAMED, DataError, suggest
from shared.ontology import Cardinality, Ontology, OntologyError, relation_concepts
from tasks.ontology import rdf
from tasks.ontology.names import short_names
from tasks.ontology.owl import CLASS, Owl
from tasks.ontology.short_form import read_short_form
from tasks.ontology.skos import Skos

__all__ = ["CLASS", "FORMATS", "ReadOntology", "read_ontology", "read_ontology_facts"]

FORMATS = {**rdf.FORMATS, ".yaml": "yaml", ".yml": "yaml"}
FOLDER_SUFFIXES = (".ttl", ".rdf", ".owl", ".jsonld")  # .xml and .json in a folder are often something else


@dataclass(frozen=True)
class ReadOntology:
    """An ontology, and what of its files is not in it.

    `skipped` counts statements: superclasses, disjoint pairs, domains and ranges that are no named class of
    these files, and kinds that are not read at all.
    """

    ontology: Ontology
    declared: int  # concepts and classes that the files declare; relations are not among them
    declarations: int  # the same, once for each file that declares it
    dangling: tuple[str, ...] = ()  # concepts that are named as superclasses but not declared
    unread_imports: tuple[str, ...] = ()  # IRIs
    skipped: Mapping[str, int] = field(default_factory=dict)

    def report(self) -> str:
        """Return the counts as one line a fact."""
        lines = [
            f"ontology {self.ontology.name}: {self.declared} concepts declared in {self.declarations} places",
            f"superclasses named but not declared: {len(self.dangling)}",
            f"imports not followed: {len(self.unread_imports)}",
        ]
        return "\n".join(lines + [f"{what} skipped: {count}" for what, count in self.skipped.items()])


def read_ontology(path: Path, *, cardinality: Cardinality = Cardinality.any_number) -> Ontology:
    """Return the ontology of a file, or of all .ttl, .rdf, .owl and .jsonld files below a folder.

    `cardinality` is that of the facet of OWL classes; other facets name their own. Raises `DataError` with
    file and, where there is one, line; raises `OntologyError` for what contradicts itself.
    """
    return read_ontology_facts(path, cardinality=cardinality).ontology


def read_ontology_facts(path: Path, *, cardinality: Cardinality = Cardinality.any_number) -> ReadOntology:
    """Return the ontology with what was left out of it; arguments and errors are those of `read_ontology`."""
    try:
        if path.is_dir():
            return _of_graph(rdf.read_graph(_rdf_files(path)), name=path.name, cardinality=cardinality)
        if _format(path) == "yaml":
            return _of_short_form(path)
        return _of_graph(rdf.read_graph([path]), name=path.stem, cardinality=cardinality)
    except OntologyError as error:
        raise OntologyError(f"{path}: {error}") from error


def _format(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        found = f"{suffix!r} is no format of ontologies" if suffix else "no suffix says what format it has"
        raise DataError(f"{found}{suggest(suffix, FORMATS)}; allowed: {', '.join(FORMATS)}", file=path)
    return FORMATS[suffix]


def _rdf_files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FOLDER_SUFFIXES)
    if not files:
        raise DataError(f"no ontology below this folder; read: {', '.join(FOLDER_SUFFIXES)}", file=folder)
    return files


def _of_short_form(path: Path) -> ReadOntology:
    ontology = read_short_form(path)
    declared = len(ontology.concepts) - sum(len(relation_concepts(item)) for item in ontology.relations)
    return ReadOntology(ontology, declared=declared, declarations=declared)


def _of_graph(graph: rdf.Graph, *, name: str, cardinality: Cardinality) -> ReadOntology:
    """Return the ontology of the SKOS and OWL in a graph; `cardinality` is that of the facet of classes."""
    skos, owl = Skos(graph), Owl(graph)
    declared = skos.concepts | owl.classes
    ids = short_names(declared | owl.dangling | owl.properties | owl.ends, graph.prefixes)
    known = {iri: ids[iri] for iri in declared | owl.dangling}
    _check(skos.problems(known))
    if not known:
        raise OntologyError("no skos:Concept, owl:Class or rdfs:Class is declared")
    concepts, ranks = [*skos.read_concepts(ids), *owl.read_concepts(ids)], skos.ranks(ids)
    concepts.sort(key=lambda item: (item.facet, ranks.get(item.id, 0), item.id))
    relations = owl.read_relations(ids)
    ontology = Ontology(
        name=name,
        facets=(*skos.facets(), *owl.facets(name=name, cardinality=cardinality)),
        concepts=(*concepts, *itertools.chain.from_iterable(map(relation_concepts, relations))),
        relations=tuple(relations),
        disjoint=tuple(owl.read_disjoint(known)),
        implies=tuple(sorted((ids[iri], ids[target]) for iri, target in skos.implies())),
    )
    return ReadOntology(
        ontology,
        declared=len(declared),
        declarations=graph.declarations,
        dangling=tuple(sorted(ids[iri] for iri in owl.dangling)),
        unread_imports=tuple(owl.unread_imports()),
        skipped=owl.skipped(known),
    )


def _check(problems: Iterable[str]) -> None:
    found = sorted(problems)
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    if found:
        raise OntologyError("\n".join([*found[:NAMED], *more]))
