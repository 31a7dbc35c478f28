"""RDF files as one graph: Turtle, RDF/XML and JSON-LD, none of which can fetch, or blow up.

Nothing outside the files is read: an XML entity or DOCTYPE or a JSON-LD context elsewhere is a `DataError`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from shared.errors import DataError
from tasks.ontology.names import local, words
from tasks.ontology.source import read_bytes, read_text

FORMATS = {
    ".ttl": "turtle",
    ".rdf": "xml",
    ".owl": "xml",
    ".xml": "xml",
    ".jsonld": "json-ld",
    ".json": "json-ld",
}
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"

_CONCEPTS = (SKOS + "Concept", OWL + "Class", RDFS + "Class")
_ENTITY = re.compile("&([^#;]+);")
_MAX_ENTITY = 1_000  # characters of an expanded XML entity: they stand for the beginnings of IRIs
_MAX_GROWTH = 20  # times the file's size, of its text with all entities expanded


Text = tuple[str, str]  # the language in lower case, '' for none, and the text
Term = str | Text  # an IRI, a blank node ('_:' and a name) or a text
Triple = tuple[str, str, Term]


class Graph:
    """The triples of all files; `prefixes` maps a namespace to its prefix.

    `declarations` counts the concepts and classes declared, once for each file that does.
    """

    def __init__(self, triples: Iterable[Triple], *, prefixes: Mapping[str, str], declarations: int) -> None:
        self.prefixes, self.declarations = prefixes, declarations
        self._pairs: dict[str, list[tuple[str, Term]]] = defaultdict(list)
        self._objects: dict[tuple[str, str], list[Term]] = defaultdict(list)
        for subject, predicate, term in dict.fromkeys(triples):
            self._pairs[predicate].append((subject, term))
            self._objects[subject, predicate].append(term)

    @property
    def predicates(self) -> list[str]:
        """Every predicate, once."""
        return list(self._pairs)

    def pairs(self, predicate: str) -> list[tuple[str, str]]:
        """Return (subject, IRI or blank node) of each statement."""
        return [(subject, term) for subject, term in self._pairs.get(predicate, []) if isinstance(term, str)]

    def linked(self, subject: str, predicate: str) -> list[str]:
        """Return the IRIs and blank nodes that the predicate leads to."""
        return [term for term in self._objects.get((subject, predicate), []) if isinstance(term, str)]

    def typed(self, *kinds: str) -> set[str]:
        """Return the IRIs of these types, without those of the vocabularies themselves."""
        return {subject for subject, kind in self.pairs(RDF + "type") if kind in kinds and is_own(subject)}

    def text(self, subject: str, *predicates: str) -> str:
        """Return the text of the first predicate that has one, in English if possible; '' for none."""
        for predicate in predicates:
            terms = self._objects.get((subject, predicate), [])
            if texts := [term for term in terms if not isinstance(term, str)]:
                return " ".join(min(texts, key=_preference)[1].split())
        return ""

    def label(self, subject: str, *predicates: str) -> str:
        """Return the text of the predicates, else the local name in plain words."""
        return self.text(subject, *predicates) or words(local(subject))

    def definition(self, subject: str) -> str:
        """Return the definition, else the comment, else ''."""
        return self.text(subject, SKOS + "definition", RDFS + "comment")

    def members(self, head: str) -> list[str]:
        """Return the members of an RDF list; one that runs in a circle ends where it began."""
        found, seen = [], set()
        while head != RDF + "nil" and head not in seen:
            seen.add(head)
            found += self.linked(head, RDF + "first")
            head = next(iter(self.linked(head, RDF + "rest")), RDF + "nil")
        return found


def is_named(term: str) -> bool:
    """Return whether the term is an IRI."""
    return not term.startswith("_:")


def is_own(term: str) -> bool:
    """Return whether the term is an IRI and not of a vocabulary, such as owl:Thing."""
    return is_named(term) and not term.startswith((RDF, RDFS, OWL, SKOS))


def _preference(text: Text) -> tuple[int, Text]:
    """Sort English first, then its varieties, then no language, then others."""
    return 0 if text[0] == "en" else 1 if text[0].startswith("en-") else 2, text


def read_graph(files: Sequence[Path]) -> Graph:
    """Return the triples of all files; raises `DataError` with file and, where there is one, line."""
    triples: list[Triple] = []
    prefixes: dict[str, str] = {}
    declarations = 0
    for number, file in enumerate(files):
        found, bound = _parse(file, scope=number)
        triples += found
        prefixes = {**bound, **prefixes}
        kinds = ((subject, term) for subject, predicate, term in found if predicate == RDF + "type")
        declarations += len({subject for subject, kind in kinds if kind in _CONCEPTS and is_own(subject)})
    return Graph(triples, prefixes=prefixes, declarations=declarations)


def _parse(path: Path, *, scope: int) -> tuple[list[Triple], dict[str, str]]:
    """Return the triples and prefixes of one file; the names of blank nodes begin with `scope`."""
    import rdflib

    def term(node: Any) -> Term:
        if isinstance(node, rdflib.Literal):
            return (node.language or "").lower(), str(node)
        return f"_:{scope}.{node}" if isinstance(node, rdflib.BNode) else str(node)

    graph, kind = rdflib.Graph(bind_namespaces="none"), FORMATS[path.suffix.lower()]
    readers: dict[str, Callable[[Path], str | bytes]]
    readers = {"turtle": read_text, "xml": _read_xml, "json-ld": _read_json}
    data = readers[kind](path)
    try:
        graph.parse(data=data, format=kind, publicID="file:///" + quote(path.name))
    except Exception as error:  # a damaged file leads rdflib to anything: TypeError, NameError, ...
        problem, line = _fault(error)
        raise DataError(f"not {kind}: {problem}", file=path, line=line) from error
    triples = [(str(term(subject)), str(predicate), term(object_)) for subject, predicate, object_ in graph]
    return triples, {str(namespace): prefix for prefix, namespace in graph.namespaces()}


def _fault(error: Exception) -> tuple[str, int | None]:
    """Return what rdflib has against the file, and the line where it says one."""
    if isinstance(error, RecursionError):
        return "nested too deeply", None
    if isinstance(error, SyntaxError):  # Turtle: lines from 0
        found = re.search(r"Bad syntax \((.*)\) at \^ in", str(error), re.DOTALL)
        return (found[1] if found else str(error)), getattr(error, "lines", -1) + 1 or None
    placed = re.match(r"[^:\s]*:(\d+):\d+: (.*)", str(error), re.DOTALL)  # XML: file:line:column: problem
    return (placed[2], int(placed[1])) if placed else (str(error), None)


def _read_xml(path: Path) -> bytes:
    """Return the content, unless it is no XML, asks for other files, or grows too much when expanded."""
    from xml.parsers import expat

    content, parser = read_bytes(path), expat.ParserCreate()
    lengths = dict.fromkeys(("lt", "gt", "amp", "quot", "apos"), 1)
    size = 0

    def fail(problem: str) -> NoReturn:
        raise DataError(problem, file=path, line=parser.CurrentLineNumber)

    def doctype(name: str, system: str | None, public: str | None, internal: bool) -> None:
        if system:
            fail(f"the DOCTYPE names the file {system!r}, which is not read: write its entities here")

    def entity(name: str, parameter: bool, value: str | None, base: Any, system: Any, *_: Any) -> None:
        if value is None:
            fail(f"the entity {name!r} stands for the file {system!r}, which is not read")
        used = _ENTITY.findall(value)
        lengths[name] = len(_ENTITY.sub("", value)) + sum(lengths.get(it, _MAX_ENTITY + 1) for it in used)
        if lengths[name] > _MAX_ENTITY:
            fail(f"the entity {name!r} is too long when expanded; allowed: {_MAX_ENTITY} characters")

    def grow(number: int) -> None:
        nonlocal size
        size += number
        if size > _MAX_GROWTH * len(content):
            fail(f"its entities make it more than {_MAX_GROWTH} times as long")

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.CharacterDataHandler = lambda text: grow(len(text))
    parser.StartElementHandler = lambda name, given: grow(sum(map(len, given.values())))
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an encoding
        line = getattr(error, "lineno", parser.CurrentLineNumber)
        raise DataError(f"not XML: {re.sub(': line .*', '', str(error))}", file=path, line=line) from error
    return content


def _read_json(path: Path) -> str:
    """Return the content, unless it is no JSON object or list, or has a context elsewhere."""
    text = read_text(path)
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise DataError("not JSON-LD: nested too deeply", file=path) from error
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", file=path, line=error.lineno) from error
    if not isinstance(found, dict | list):
        raise DataError(f"an object or a list is expected, found {text.strip()[:40]}", file=path)
    for key, context in _contexts(found):
        if isinstance(context, str):
            problem = f"{key} names {context!r}, which is not fetched: write the context here"
            raise DataError(problem, file=path)
    return text


def _contexts(found: Any) -> Iterator[tuple[str, Any]]:
    """Yield the contexts and imports at any depth, those of a list one by one."""
    ahead = [found]
    while ahead:
        item = ahead.pop()
        if isinstance(item, list):
            ahead += item
        elif isinstance(item, dict):
            ahead += item.values()
            for key in ("@context", "@import"):
                given = item.get(key)
                yield from ((key, context) for context in (given if isinstance(given, list) else [given]))
