import contextlib
import random
import re
from pathlib import Path

import pytest
import yaml

from shared.errors import DataError, UserError
from shared.ontology import OntologyError
from tasks.ontology.reader import FORMATS, read_ontology, read_ontology_facts
from tests.tasks.ontology.ontology_files import (
    DESK,
    OWL_TURTLE,
    XML,
    broader,
    concepts,
    random_ontology,
    skos_graph,
    written,
)


@pytest.mark.parametrize("seed", range(12))
def test_skos_in_every_form_is_the_ontology_of_the_short_form(tmp_path: Path, seed: int) -> None:
    path = written(tmp_path, yaml.safe_dump(random_ontology(seed), sort_keys=False, allow_unicode=True))
    expected = read_ontology(path)
    graph = skos_graph(expected)
    rdf = []
    for name in ("desk.ttl", "desk.rdf", "desk.owl", "desk.xml", "desk.jsonld", "desk.json"):
        content = graph.serialize(format=FORMATS[Path(name).suffix])
        rdf.append(read_ontology(written(tmp_path, content, name)))
    assert len({ontology.digest for ontology in rdf}) == 1
    assert concepts(rdf[0]) == concepts(expected)
    assert set(rdf[0].facets) == set(expected.facets)
    assert {frozenset(pair) for pair in rdf[0].disjoint} == {frozenset(pair) for pair in expected.disjoint}
    assert rdf[0].implies == expected.implies
    tones = [[it.id for it in ontology.concepts if it.facet == "tone"] for ontology in (rdf[0], expected)]
    assert tones[0] == tones[1]


@pytest.mark.parametrize("name", ["a.yaml", "a.ttl", "a.rdf", "a.jsonld"])
def test_a_file_damaged_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    path = written(tmp_path, yaml.safe_dump(random_ontology(3)), "a.yaml")
    whole = path.read_bytes()
    if name != "a.yaml":
        whole = skos_graph(read_ontology(path)).serialize(format=FORMATS[Path(name).suffix]).encode()
    for _ in range(50):
        content = bytearray(whole)
        for place in rng.sample(range(len(content) - 20), 3):
            content[place : place + rng.randint(0, 20)] = rng.choice(
                [b"", b"<", b"]", b":", b'"', b"&", b"\xff"]
            )
        with contextlib.suppress(UserError):
            read_ontology(written(tmp_path, bytes(content), name))


def test_a_folder_is_read_into_one_graph(tmp_path: Path) -> None:
    loans = OWL_TURTLE + "<https://example.org/loans/> a owl:Ontology . _:x a owl:Class . :Loan a owl:Class ."
    deals = f"""{XML}
      <owl:Ontology rdf:about="https://example.org/deals/">
        <owl:imports rdf:resource="https://example.org/loans/"/>
      </owl:Ontology>
      <owl:Class rdf:about="https://example.org/loans/Loan"/>
      <owl:Class rdf:about="https://example.org/deals/Deal">
        <rdfs:subClassOf rdf:resource="https://example.org/loans/Loan"/>
      </owl:Class>
    </rdf:RDF>"""
    written(tmp_path, deals, "b/deals.rdf")
    written(tmp_path, loans, "a/loans.ttl")
    written(tmp_path, "<catalog/>", "a/catalog.xml")
    found = read_ontology_facts(tmp_path)
    assert broader(found.ontology) == {"Deal": ("Loan",), "Loan": ()}
    assert (found.ontology.name, found.declared, found.declarations) == (tmp_path.name, 2, 3)
    assert (found.dangling, found.unread_imports) == ((), ())


def test_a_folder_without_rdf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no ontology below this folder; read: \.ttl, \.rdf, "):
        read_ontology(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("facets: {a: }", "facet a has no concept"),
        ("facets: {a: {cardinality: number, concepts: [b]}}", "facet a is a number and has concepts"),
        (
            "facets: {a: {concepts: {b: {broader: [c]}, c: {broader: [b]}}}}",
            "a cycle of broader concepts: b < c < b",
        ),
        (
            "facets: {a: {concepts: {b: , c: , d: {broader: [b, c]}}}}\ndisjoint: [[b, c]]",
            "d can never be chosen: it brings b and c, which are disjoint",
        ),
    ],
)
def test_a_contradiction_names_the_file_and_the_concepts(tmp_path: Path, content: str, problem: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(OntologyError, match=re.escape(f"{path}: ontology desk: {problem}")):
        read_ontology(path)


@pytest.mark.parametrize("name", ["a.yaml", "a.ttl", "a.jsonld"])
def test_what_is_not_utf8_names_the_byte_and_the_line(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfa\nb\xe9: \n", name)
    with pytest.raises(DataError, match=re.escape(f"{path}:2: not UTF-8: byte 0xe9 at column 2")):
        read_ontology(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "[" * 5000),
        ("a.ttl", "<#a> <#b> " + "[" * 5000),
        ("a.jsonld", "[" * 100_000),
    ],
)
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match="nested too deeply"):
        read_ontology(written(tmp_path, content, name))


def test_a_missing_file_is_a_data_error_with_its_path(tmp_path: Path) -> None:
    for name in ("none.yaml", "none.ttl"):
        with pytest.raises(DataError, match=rf"{name}: cannot be read: No such file"):
            read_ontology(tmp_path / name)


def test_another_suffix_is_refused_with_the_allowed_ones(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=re.escape("'.yamll' is no format of ontologies (did you mean '.yaml'?")
    ):
        read_ontology(written(tmp_path, "", "a.yamll"))
    with pytest.raises(DataError, match=r"no suffix says what format it has; allowed: \.ttl, \.rdf"):
        read_ontology(written(tmp_path, "", "a"))


def test_the_short_form_counts_relations_not_as_declared_concepts(tmp_path: Path) -> None:
    assert read_ontology_facts(written(tmp_path, DESK)).declared == 10
