import re
from pathlib import Path

import pytest

from shared.errors import DataError
from tasks.ontology.reader import read_ontology
from tests.tasks.ontology.ontology_files import XML, written


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("a.ttl", "@prefix : <#> .\n:a :b\n  :c :d .", 3, "not turtle: expected '.' or '}' or ']' at end of"),
        ("a.ttl", "\nx:a x:b x:c .", 2, 'not turtle: Prefix "x:" not bound'),
        ("a.rdf", XML + "<owl:Class>\n</rdf:RDF>", 4, "not XML: mismatched tag"),
        ("a.owl", "", 1, "not XML: no element found"),
        ("a.xml", "<?xml version='1.0' encoding='nope'?><a/>", 1, "not XML: unknown encoding"),
        ("a.rdf", f"{XML}<owl:Class rdf:about='&here;'/></rdf:RDF>", 3, "not XML: undefined entity"),
        ("a.rdf", f"{XML}\n<rdf:li/></rdf:RDF>", 4, "not xml: Invalid node element URI"),
        ("a.jsonld", '{"@id":\n}', 2, "not JSON: Expecting value"),
        ("a.json", "", 1, "not JSON: Expecting value"),
        ("a.json", "3", None, "an object or a list is expected, found 3"),
        ("a.json", '{"@reverse": 4}', None, "not json-ld: "),
        ("a.json", '{"@context": {"a": {"@id": "http://a#", "@type": 5}}, "a": 1}', None, "not json-ld: "),
    ],
)
def test_a_damaged_file_is_a_data_error_with_its_line(
    tmp_path: Path, name: str, content: str, line: int | None, problem: str
) -> None:
    path = written(tmp_path, content, name)
    place = f"{path}:{line}" if line else str(path)
    with pytest.raises(DataError, match=re.escape(f"{place}: {problem}")):
        read_ontology(path)


def test_internal_entities_are_expanded(tmp_path: Path) -> None:
    entities = '<!DOCTYPE rdf:RDF [\n<!ENTITY ex "https://example.org/">\n<!ENTITY deals "&ex;deals/">\n]>\n'
    content = f'{entities}{XML}<owl:Class rdf:about="&deals;Deal"/></rdf:RDF>'
    assert list(read_ontology(written(tmp_path, content, "a.rdf")).index) == ["Deal"]


def nested_entities() -> str:
    """Return ten entities of ten each: ten thousand million characters when expanded."""
    return '<!ENTITY l0 "0123456789">\n' + "\n".join(
        f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10)
    )


@pytest.mark.parametrize(
    ("doctype", "line", "problem"),
    [
        (
            f"<!DOCTYPE a [\n{nested_entities()}]>",
            5,
            "the entity 'l3' is too long when expanded; allowed: 1000",
        ),
        (f'<!DOCTYPE a [\n<!ENTITY x "{"a" * 1001}">]>', 2, "the entity 'x' is too long when expanded"),
        (
            '<!DOCTYPE a [\n<!ENTITY x "&y;">\n<!ENTITY y "a">]>',
            2,
            "the entity 'x' is too long when expanded",
        ),
        (
            '<!DOCTYPE a [\n<!ENTITY x SYSTEM "secret.txt">]>',
            2,
            "the entity 'x' stands for the file 'secret.txt', which is not read",
        ),
        (
            '<!DOCTYPE a [\n<!ENTITY % x SYSTEM "secret.txt">\n%x;]>',
            2,
            "the entity 'x' stands for the file 'secret.txt', which is not read",
        ),
        ('<!DOCTYPE a SYSTEM "secret.dtd">', 1, "the DOCTYPE names the file 'secret.dtd', which is not read"),
    ],
    ids=["nested", "long", "forward", "external", "external parameter", "external DTD"],
)
def test_entities_that_blow_up_or_name_files_are_refused(
    tmp_path: Path, doctype: str, line: int, problem: str
) -> None:
    path = written(tmp_path, f"{doctype}<a>&l9;&x;</a>", "a.rdf")
    with pytest.raises(DataError, match=re.escape(f"{path}:{line}: {problem}")):
        read_ontology(path)


@pytest.mark.parametrize("content", ["<a>{}</a>", "<a b='{}'/>"], ids=["text", "attribute"])
def test_one_entity_repeated_many_times_is_refused(tmp_path: Path, content: str) -> None:
    """Expat itself allows a hundred times the file's size, which rdflib takes minutes to gather."""
    doctype = f'<!DOCTYPE a [<!ENTITY x "{"a" * 1000}">]>'
    with pytest.raises(DataError, match="its entities make it more than 20 times as long"):
        read_ontology(written(tmp_path, doctype + content.format("&x;" * 5_000), "a.rdf"))


@pytest.mark.parametrize(
    "content",
    [
        '{"@context": "http://127.0.0.1:9/context.jsonld"}',
        '[{"@context": [{}, "context.jsonld"]}]',
        '{"@context": {"a": {"@id": "http://a#", "@context": "context.jsonld"}}}',
        '{"@context": {"@version": 1.1, "@import": "context.jsonld"}}',
    ],
)
def test_a_context_elsewhere_is_not_fetched(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"names '.*context\.jsonld', which is not fetched: write the con"):
        read_ontology(written(tmp_path, content, "a.jsonld"))
