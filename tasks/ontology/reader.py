"""Reading an ontology: SKOS and OWL in Turtle, RDF/XML or JSON-LD, or the short form in YAML.

SKOS: a concept scheme is a facet, a concept is a concept; a scheme may say `rs:cardinality "exactly_one"`
and a concept `rs:implies <another>`, where rs: is `https://rightsize.dev/ns#`. A concept without a scheme has
that of its broader ones. The order of an ordinal scheme is that of a skos:OrderedCollection of its concepts.

OWL: classes are the concepts of one facet, `class`, with their named superclasses as broader ones; object
properties are the relations of the facet `relation`. What is both class and SKOS concept is a SKOS concept.
Equivalent classes, subproperties and classes without a name are not read, and counted.

Ids are local names where those are unique, else prefixed names. A graph has no order, so facets, and the
concepts of each, stand in the order of their ids. Nothing is fetched: an import outside the files stays
unread, and is listed.

The short form, in which every field but `facets` may be left out, and nesting makes broader concepts:

    name: desk
    facets:
      topic: {label: Topic, cardinality: exactly_one}     # any_number where none is said
      tone: {cardinality: ordinal, concepts: [negative, neutral, positive]}
      score: {cardinality: number}
      relation: {cardinality: at_most_one}
    concepts:
      topic:
        markets:
          label: Markets                                  # the id in plain words where none is said
          definition: What is bought and sold, and at what price.
          narrower:
            rates: {definition: The price of money.}
            fx:
        banks: {narrower: [lending, deposits]}
        mortgages: {broader: [lending, rates]}            # several parents
    relations:
      Cause-Effect: {label: cause and effect, directed: true, domain: [event], range: [event]}
    disjoint: [[fx, lending, deposits]]                   # of several, each excludes each other
    implies: [[mortgages, "Cause-Effect(e1,e2)"]]         # quotes, because of the comma
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, unquote

import yaml

from shared.errors import DataError, suggest
from shared.files import decode_line
from shared.ontology import (
    NAMED,
    Cardinality,
    Concept,
    Facet,
    Ontology,
    OntologyError,
    Relation,
    relation_concepts,
)

FORMATS = {
    ".ttl": "turtle",
    ".rdf": "xml",
    ".owl": "xml",
    ".xml": "xml",
    ".jsonld": "json-ld",
    ".json": "json-ld",
    ".yaml": "yaml",
    ".yml": "yaml",
}
FOLDER_SUFFIXES = (".ttl", ".rdf", ".owl", ".jsonld")  # .xml and .json in a folder are often something else
RS = "https://rightsize.dev/ns#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
CLASS, RELATION = "class", "relation"  # the facets of OWL

_CONCEPTS = (SKOS + "Concept", OWL + "Class", RDFS + "Class")
_OWN = (RS + "cardinality", RS + "implies")
_ENTITY = re.compile("&([^#;]+);")
_MAX_ENTITY = 1_000  # characters of an expanded XML entity: they stand for the beginnings of IRIs
_MAX_GROWTH = 20  # times the file's size, of its text with all entities expanded


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
            return _RdfReader(_read_graph(_rdf_files(path), path), cardinality).read()
        if _format(path) == "yaml":
            return _YamlReader(path).read()
        return _RdfReader(_read_graph([path], path), cardinality).read()
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


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error


def _decode(content: bytes, path: Path) -> str:
    lines = enumerate(content.splitlines(keepends=True), start=1)
    return "".join(decode_line(line, file=path, number=number) for number, line in lines)


def _words(name: str) -> str:
    """Return a name as plain words: ClosedEndCredit is closed end credit, US_LIBOR stays US LIBOR."""
    apart = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-\s]+", " ", name).split()
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in apart)


# RDF ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Text:
    text: str
    language: str  # lower case, '' for none


_Term = str | _Text  # an IRI, a blank node ('_:' and a name) or a text
_Triple = tuple[str, str, _Term]


class _Graph:
    """The triples of all files by predicate and its ends; `prefixes` maps a namespace to its prefix."""

    def __init__(
        self, path: Path, triples: Iterable[_Triple], *, prefixes: Mapping[str, str], declarations: int = 0
    ) -> None:
        self.path, self.prefixes, self.declarations = path, prefixes, declarations
        self._pairs: dict[str, list[tuple[str, _Term]]] = defaultdict(list)
        self._objects: dict[tuple[str, str], list[_Term]] = defaultdict(list)
        self._subjects: dict[tuple[str, _Term], list[str]] = defaultdict(list)
        for subject, predicate, term in dict.fromkeys(triples):
            self._pairs[predicate].append((subject, term))
            self._objects[subject, predicate].append(term)
            self._subjects[predicate, term].append(subject)

    @property
    def predicates(self) -> list[str]:
        return list(self._pairs)

    def pairs(self, predicate: str) -> list[tuple[str, str]]:
        """Return (subject, IRI or blank node) of each statement."""
        return [(subject, term) for subject, term in self._pairs.get(predicate, []) if isinstance(term, str)]

    def linked(self, subject: str, *predicates: str) -> list[str]:
        """Return the IRIs and blank nodes that the predicates lead to, each once."""
        found = itertools.chain.from_iterable(self._objects.get((subject, it), []) for it in predicates)
        return list(dict.fromkeys(term for term in found if isinstance(term, str)))

    def linked_from(self, target: str, predicate: str) -> list[str]:
        """Return the subjects that the predicate leads from."""
        return self._subjects.get((predicate, target), [])

    def typed(self, *kinds: str) -> set[str]:
        """Return the IRIs of these types, without those of the vocabularies themselves."""
        return {subject for subject, kind in self.pairs(RDF + "type") if kind in kinds and _is_own(subject)}

    def text(self, subject: str, *predicates: str) -> str:
        """Return the text of the first predicate that has one, in English if possible; '' for none."""
        for predicate in predicates:
            terms = self._objects.get((subject, predicate), [])
            texts = sorted((term for term in terms if isinstance(term, _Text)), key=_preference)
            if texts:
                return " ".join(texts[0].text.split())
        return ""

    def members(self, head: str) -> list[str]:
        """Return the members of an RDF list; one that runs in a circle ends where it began."""
        found, seen = [], set()
        while head != RDF + "nil" and head not in seen:
            seen.add(head)
            found += self.linked(head, RDF + "first")
            head = next(iter(self.linked(head, RDF + "rest")), RDF + "nil")
        return found


def _preference(text: _Text) -> tuple[int, str, str]:
    """Sort English first, then no language, then others."""
    rank = 0 if text.language == "en" else 1 if text.language.startswith("en-") else 2
    return (rank if text.language else 2, text.language, text.text)


def _is_named(term: str) -> bool:
    return not term.startswith("_:")


def _is_own(term: str) -> bool:
    """Whether the term is named and not one of the vocabularies, such as owl:Thing."""
    return _is_named(term) and not term.startswith((RDF, RDFS, OWL, SKOS))


def _read_graph(files: Sequence[Path], path: Path) -> _Graph:
    triples: list[_Triple] = []
    prefixes: dict[str, str] = {}
    declarations = 0
    for number, file in enumerate(files):
        found, bound = _parse(file, scope=number)
        triples += found
        prefixes |= {**bound, **prefixes}
        declarations += len(_Graph(file, found, prefixes={}).typed(*_CONCEPTS))
    return _Graph(path, triples, prefixes=prefixes, declarations=declarations)


def _parse(path: Path, *, scope: int) -> tuple[list[_Triple], dict[str, str]]:
    """Return the triples and prefixes of one file; the names of blank nodes begin with `scope`."""
    import rdflib

    def term(node: Any) -> _Term:
        if isinstance(node, rdflib.Literal):
            return _Text(str(node), (node.language or "").lower())
        return f"_:{scope}.{node}" if isinstance(node, rdflib.BNode) else str(node)

    graph = rdflib.Graph(bind_namespaces="none")
    content, kind = _read_bytes(path), _format(path)
    if kind == "xml":
        _check_xml(content, path)
    data = content if kind == "xml" else _decode(content, path)
    if kind == "json-ld":
        _check_json(str(data), path)
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


def _check_xml(content: bytes, path: Path) -> None:
    """Raise `DataError` for what is no XML, asks for other files, or grows too much when expanded."""
    from xml.parsers import expat

    parser = expat.ParserCreate()
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


def _check_json(text: str, path: Path) -> None:
    """Raise `DataError` for what is no JSON object or list, or has a context elsewhere."""
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


class _RdfReader:
    """Makes an ontology of a graph; `cardinality` is that of the facet of classes."""

    def __init__(self, graph: _Graph, cardinality: Cardinality) -> None:
        self.graph, self.cardinality = graph, cardinality
        self.name = graph.path.name if graph.path.is_dir() else graph.path.stem
        self.skipped: Counter[str] = Counter(superclasses=0)
        self.schemes = graph.typed(SKOS + "ConceptScheme")
        self.concepts = graph.typed(SKOS + "Concept")
        self.classes = graph.typed(OWL + "Class", RDFS + "Class") - self.concepts
        self.properties = graph.typed(OWL + "ObjectProperty")
        self.superclasses = self._superclasses()
        named = set().union(*self.superclasses.values())
        self.dangling = named - self.classes - self.concepts
        self.ends = {
            (item, end): self._ends(item, end) for item in self.properties for end in ("domain", "range")
        }
        types = set().union(*self.ends.values())
        known = self.concepts | self.classes | self.dangling
        self.ids = _names(known | self.properties | types, graph.prefixes)
        self.known = {iri: self.ids[iri] for iri in known}
        self.facets = _names(self.schemes, graph.prefixes)
        self.schemes_of = self._schemes_of()

    def read(self) -> ReadOntology:
        """Return the ontology with the facts on its files."""
        self._check(self._own_problems())
        self._check(self._skos_problems())
        relations = [self._relation(iri) for iri in sorted(self.properties, key=self.ids.__getitem__)]
        concepts = [*self._skos_concepts(), *self._owl_concepts()]
        if not concepts:
            raise OntologyError("no skos:Concept, owl:Class or rdfs:Class is declared")
        ontology = Ontology(
            name=self.name,
            facets=tuple(self._facets()),
            concepts=(
                *self._ordered(concepts),
                *itertools.chain.from_iterable(map(relation_concepts, relations)),
            ),
            relations=tuple(relations),
            disjoint=tuple(sorted(self._disjoint())),
            implies=tuple(sorted(self._implies())),
        )
        self.skipped["equivalent classes"] = len(self.graph.pairs(OWL + "equivalentClass"))
        self.skipped["subproperties"] = len(self.graph.pairs(RDFS + "subPropertyOf"))
        return ReadOntology(
            ontology,
            declared=len(self.concepts | self.classes),
            declarations=self.graph.declarations,
            dangling=tuple(sorted(self.ids[iri] for iri in self.dangling)),
            unread_imports=tuple(sorted(self._unread_imports())),
            skipped=dict(self.skipped),
        )

    def _check(self, problems: Iterable[str]) -> None:
        found = sorted(problems)
        more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
        if found:
            raise OntologyError("\n".join([*found[:NAMED], *more]))

    def _own_problems(self) -> Iterator[str]:
        """Yield what is wrong with the annotations of our own."""
        allowed = ", ".join(_OWN)
        for predicate in self.graph.predicates:
            if predicate.startswith(RS) and predicate not in _OWN:
                yield f"unknown property {predicate}{suggest(predicate, _OWN)}; allowed: {allowed}"
        for subject, target in self.graph.pairs(RS + "implies"):
            for iri in {subject, target} - set(self.known):
                yield f"rs:implies: {self._unknown(iri)}"
        values = [item.value for item in Cardinality]
        for scheme in self.schemes:
            given = self.graph.text(scheme, RS + "cardinality")
            if given and given not in values:
                allowed = ", ".join(values)
                yield (
                    f"{self.facets[scheme]}: unknown cardinality {given!r}{suggest(given, values)}; "
                    f"allowed: {allowed}"
                )

    def _unknown(self, iri: str) -> str:
        name, known = _local(iri), list(self.known.values())
        return f"{name} ({iri}) is no declared concept{suggest(name, known)}"

    def _skos_problems(self) -> Iterator[str]:
        """Yield what the SKOS part says of things that it does not declare, or leaves open."""
        for predicate in ("broader", "narrower", "topConceptOf", "hasTopConcept"):
            for subject, target in self.graph.pairs(SKOS + predicate):
                narrow = {subject, target} if predicate in ("broader", "narrower") else set()
                concepts = narrow or {subject if predicate == "topConceptOf" else target}
                for iri in concepts - self.concepts:
                    yield f"skos:{predicate} of {_local(subject)}: {self._unknown(iri)}"
        for concept, schemes in self.schemes_of.items():
            if not schemes:
                yield f"{self.ids[concept]} is in no concept scheme: add skos:inScheme"
            if len(schemes) > 1:
                several = ", ".join(sorted(map(_local, schemes)))
                yield f"{self.ids[concept]} is in several concept schemes, {several}; allowed: one"
            for scheme in schemes - self.schemes:
                near = suggest(_local(scheme), self.facets.values())
                yield f"{self.ids[concept]} is in {_local(scheme)}, which is no skos:ConceptScheme{near}"

    def _broader(self, concept: str) -> list[str]:
        """Return the broader concepts, said of it or of them."""
        said = self.graph.linked(concept, SKOS + "broader")
        return list(dict.fromkeys(said + self.graph.linked_from(concept, SKOS + "narrower")))

    def _schemes_of(self) -> dict[str, set[str]]:
        """Return concept -> its schemes; one that names none has those of its broader concepts."""
        found = {
            concept: {
                *self.graph.linked(concept, SKOS + "inScheme", SKOS + "topConceptOf"),
                *self.graph.linked_from(concept, SKOS + "hasTopConcept"),
            }
            for concept in sorted(self.concepts)
        }
        while True:
            taken = {
                concept: set().union(*(found.get(parent, set()) for parent in self._broader(concept)))
                for concept, schemes in found.items()
                if not schemes
            }
            if not any(taken.values()):
                return found
            found |= taken

    def _skos_concepts(self) -> Iterator[Concept]:
        for iri, (scheme,) in self.schemes_of.items():
            yield self._concept(
                iri,
                facet=self.facets[scheme],
                label=self.graph.text(iri, SKOS + "prefLabel", RDFS + "label"),
                broader=self._broader(iri),
            )

    def _owl_concepts(self) -> Iterator[Concept]:
        for iri in self.classes | self.dangling:
            label = self.graph.text(iri, RDFS + "label", SKOS + "prefLabel")
            yield self._concept(iri, facet=CLASS, label=label, broader=self.superclasses.get(iri, ()))

    def _concept(self, iri: str, *, facet: str, label: str, broader: Iterable[str]) -> Concept:
        return Concept(
            id=self.ids[iri],
            facet=facet,
            label=label or _words(_local(iri)),
            definition=self.graph.text(iri, SKOS + "definition", RDFS + "comment"),
            broader=tuple(sorted({self.ids[parent] for parent in broader})),
        )

    def _ordered(self, concepts: Sequence[Concept]) -> Iterator[Concept]:
        """Yield the concepts by facet and id, those of an ordinal scheme in the order of their collection."""
        ranks = {
            concept: rank
            for scheme in self.schemes
            if self._cardinality(scheme) is Cardinality.ordinal
            for rank, concept in enumerate(self._order(scheme))
        }
        yield from sorted(concepts, key=lambda item: (item.facet, ranks.get(item.id, 0), item.id))

    def _order(self, scheme: str) -> list[str]:
        own = {self.ids[iri] for iri, schemes in self.schemes_of.items() if scheme in schemes}
        for _, head in self.graph.pairs(SKOS + "memberList"):
            members = [self.ids.get(iri, iri) for iri in self.graph.members(head)]
            if set(members) == own and len(members) == len(own):
                return members
        raise OntologyError(
            f"{self.facets[scheme]} is ordinal and has no order: add a skos:OrderedCollection whose "
            f"skos:memberList has each of its {len(own)} concepts once"
        )

    def _facets(self) -> Iterator[Facet]:
        for scheme in sorted(self.schemes, key=self.facets.__getitem__):
            label = self.graph.text(scheme, SKOS + "prefLabel", RDFS + "label")
            name = self.facets[scheme]
            yield Facet(name, label or _words(_local(scheme)), self._cardinality(scheme))
        if self.classes:
            yield Facet(CLASS, self._title(), self.cardinality)
        if self.properties:
            yield Facet(RELATION, RELATION, Cardinality.any_number)

    def _cardinality(self, scheme: str) -> Cardinality:
        given = self.graph.text(scheme, RS + "cardinality")
        return Cardinality(given) if given else Cardinality.any_number

    def _title(self) -> str:
        """Return the label of the one owl:Ontology, else the name of the file or folder."""
        titles = {self.graph.text(iri, RDFS + "label") for iri in self.graph.typed(OWL + "Ontology")}
        return titles.pop() if len(titles) == 1 and titles != {""} else self.name

    def _superclasses(self) -> dict[str, set[str]]:
        """Return class -> its named superclasses; those without a name are counted."""
        found: dict[str, set[str]] = {iri: set() for iri in self.classes}
        for subject, target in self.graph.pairs(RDFS + "subClassOf"):
            if subject in found and _is_own(target):
                found[subject].add(target)
            self.skipped["superclasses"] += subject in found and not _is_named(target)
        for whole, head in self.graph.pairs(OWL + "disjointUnionOf"):
            for part in self.graph.members(head):
                if part in found and _is_own(whole):
                    found[part].add(whole)
        return found

    def _relation(self, iri: str) -> Relation:
        return Relation(
            id=self.ids[iri],
            facet=RELATION,
            label=self.graph.text(iri, RDFS + "label", SKOS + "prefLabel") or _words(_local(iri)),
            definition=self.graph.text(iri, SKOS + "definition", RDFS + "comment"),
            directed=OWL + "SymmetricProperty" not in self.graph.linked(iri, RDF + "type"),
            domain=tuple(sorted(self.ids[end] for end in self.ends[iri, "domain"])),
            range=tuple(sorted(self.ids[end] for end in self.ends[iri, "range"])),
        )

    def _ends(self, iri: str, end: str) -> set[str]:
        """Return the named classes of a property's domain or range, those of a union among them."""
        given = self.graph.linked(iri, RDFS + end)
        unions = {item: self.graph.linked(item, OWL + "unionOf") for item in given}
        parts = [part for item in given for head in unions[item] for part in self.graph.members(head)]
        found = {item for item in [*given, *parts] if _is_own(item)}
        self.skipped["domains and ranges"] += sum(
            not _is_named(item) and not unions.get(item) for item in [*given, *parts]
        )
        return found

    def _disjoint(self) -> set[tuple[str, str]]:
        """Return the disjoint pairs, each sorted; those that name no class of these files are counted."""
        groups = [list(pair) for pair in self.graph.pairs(OWL + "disjointWith")]
        groups += [self.graph.members(head) for _, head in self.graph.pairs(OWL + "disjointUnionOf")]
        groups += [self.graph.members(head) for _, head in self.graph.pairs(OWL + "members")]
        pairs = {tuple(sorted(pair)) for group in groups for pair in itertools.combinations(group, 2)}
        read = {pair for pair in pairs if set(pair) <= set(self.known)}
        self.skipped["disjoint pairs"] += len(pairs - read)
        named = [sorted((self.known[left], self.known[right])) for left, right in read]
        return {(left, right) for left, right in named}

    def _implies(self) -> set[tuple[str, str]]:
        pairs = self.graph.pairs(RS + "implies")
        return {(self.known[subject], self.known[target]) for subject, target in pairs}

    def _unread_imports(self) -> set[str]:
        here = self.graph.typed(OWL + "Ontology")
        here |= {version for _, version in self.graph.pairs(OWL + "versionIRI")}
        return {iri for _, iri in self.graph.pairs(OWL + "imports")} - here


def _local(iri: str) -> str:
    """Return the last part of an IRI: behind its last #, else its last / or colon."""
    trimmed = iri.rstrip("#/")
    return unquote(trimmed.rpartition("#")[2] if "#" in trimmed else re.split("[/:]", trimmed)[-1])


def _names(iris: Iterable[str], prefixes: Mapping[str, str]) -> dict[str, str]:
    """Return IRI -> a short name that no other has: the local one, the prefixed one, or the IRI itself."""
    iris = set(iris)
    found: dict[str, str] = {}
    for name in (_local, lambda iri: _prefixed(iri, prefixes), str):
        names = {iri: name(iri) for iri in iris - set(found)}
        uses = Counter(names.values())
        found |= {iri: short for iri, short in names.items() if uses[short] == 1}
    return found


def _prefixed(iri: str, prefixes: Mapping[str, str]) -> str:
    """Return the prefix bound to the namespace, else the namespace's last part, and the local name."""
    cut = max(iri.rstrip("#/").rfind(mark) for mark in "#/:") + 1
    prefix = prefixes.get(iri[:cut]) or _local(iri[:cut])
    return f"{prefix}:{_local(iri)}"


# The short form -----------------------------------------------------------------------------------------

_TOP = ("name", "facets", "concepts", "relations", "disjoint", "implies")
_FACET = ("label", "cardinality", "concepts")
_CONCEPT = ("label", "definition", "broader", "narrower")
_RELATION = ("facet", "label", "definition", "directed", "domain", "range")


class _YamlReader:
    """Walks the nodes of one file, which know their lines; concepts gather on the way.

    Scalars are read as they are written: a concept may be called no, null or 2020.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facets: dict[str, Facet] = {}
        self.concepts: dict[str, Concept] = {}
        self.lines: dict[str, int] = {}
        self.broader: list[tuple[str, yaml.Node]] = []  # a concept, and the name of one that is broader

    def read(self) -> ReadOntology:
        """Return the ontology; relations are not among its declared concepts."""
        top = self._fields(self._root(), _TOP, "an ontology")
        facets = {key.value: (key, node) for key, node in self._entries(top.get("facets"))}
        for name, (_, node) in facets.items():
            self._facet(name, node)
        for key, node in self._entries(top.get("concepts")):
            self._known(key, self.facets, "facet")
            self._concepts(node, key.value, ())
        declared = len(self.concepts)
        relations = [self._relation(key, node) for key, node in self._entries(top.get("relations"))]
        for concept, name in self.broader:
            self._check_broader(concept, name)
        ontology = Ontology(
            name=self._text(top.get("name")) or self.path.stem,
            facets=tuple(self.facets.values()),
            concepts=tuple(self.concepts.values()),
            relations=tuple(relations),
            disjoint=tuple(
                pair
                for group in self._groups(top.get("disjoint"))
                for pair in itertools.combinations(group, 2)
            ),
            implies=tuple((left, right) for left, right in self._groups(top.get("implies"), only=2)),
        )
        return ReadOntology(ontology, declared=declared, declarations=declared)

    def _root(self) -> yaml.Node:
        text = _decode(_read_bytes(self.path), self.path)
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else None
            problem = ", ".join(filter(None, (error.context, error.problem)))
            raise DataError(f"not YAML: {problem}", file=self.path, line=line) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            problem = f"the character {error.character:#x}, {error.reason}"
            raise DataError(f"not YAML: {problem}", file=self.path, line=line) from error
        except RecursionError as error:
            raise DataError("not YAML: nested too deeply", file=self.path) from error
        if root is None:
            raise DataError("the file is empty; expected: facets, concepts", file=self.path)
        return root

    def _facet(self, name: str, node: yaml.Node) -> None:
        given = self._fields(node, _FACET, "a facet")
        cardinality = self._text(given.get("cardinality")) or Cardinality.any_number.value
        values = [item.value for item in Cardinality]
        if cardinality not in values:
            near = suggest(cardinality, values)
            self._fail(
                given["cardinality"],
                f"unknown cardinality {cardinality!r}{near}; allowed: {', '.join(values)}",
            )
        self.facets[name] = Facet(
            name, self._text(given.get("label")) or _words(name), Cardinality(cardinality)
        )
        self._concepts(given.get("concepts"), name, ())

    def _concepts(self, node: yaml.Node | None, facet: str, above: tuple[str, ...]) -> None:
        """Gather the concepts of a list of names, or of a mapping from names to fields."""
        if isinstance(node, yaml.SequenceNode):
            for item in self._list(node):
                self._add(item, Concept(item.value, facet, _words(item.value), "", above))
            return
        for key, body in self._entries(node):
            given = self._fields(body, _CONCEPT, "a concept")
            further = self._list(given.get("broader"))
            self.broader += [(key.value, item) for item in further]
            broader = tuple(dict.fromkeys([*above, *(item.value for item in further)]))
            label = self._text(given.get("label")) or _words(key.value)
            self._add(key, Concept(key.value, facet, label, self._text(given.get("definition")), broader))
            self._concepts(given.get("narrower"), facet, (key.value,))

    def _add(self, node: yaml.Node, concept: Concept) -> None:
        if concept.id in self.concepts:
            self._fail(node, f"{concept.id!r} stands on line {self.lines[concept.id]} too")
        self.concepts[concept.id] = concept
        self.lines[concept.id] = node.start_mark.line + 1

    def _check_broader(self, concept: str, name: yaml.Node) -> None:
        self._known(name, self.concepts, "concept")
        facet, other = self.concepts[concept].facet, self.concepts[name.value].facet
        if other != facet:
            self._fail(name, f"{concept!r} of {facet} has the broader concept {name.value!r} of {other}")

    def _relation(self, key: yaml.Node, node: yaml.Node) -> Relation:
        given = self._fields(node, _RELATION, "a relation")
        facet = given.get("facet", key)
        name = facet.value if "facet" in given else RELATION
        if name not in self.facets:
            allowed = ", ".join(self.facets)
            self._fail(facet, f"{key.value!r} is of the unknown facet {name!r}; facets: {allowed}")
        relation = Relation(
            id=key.value,
            facet=name,
            label=self._text(given.get("label")) or _words(key.value),
            definition=self._text(given.get("definition")),
            directed=self._truth(given["directed"]) if "directed" in given else True,
            domain=tuple(item.value for item in self._list(given.get("domain"))),
            range=tuple(item.value for item in self._list(given.get("range"))),
        )
        for concept in relation_concepts(relation):
            self._add(key, concept)
        return relation

    def _groups(self, node: yaml.Node | None, *, only: int | None = None) -> Iterator[list[str]]:
        """Yield the lists of known concepts, of two or more (or `only` so many)."""
        for item in self._items(node):
            names = self._list(item)
            for name in names:
                self._known(name, self.concepts, "concept")
            if len(names) < 2 or (only and len(names) != only):
                self._fail(item, f"{len(names)} concepts; expected {only or 'two or more'}, as in [a, b]")
            yield [name.value for name in names]

    def _known(self, node: yaml.Node, known: Iterable[str], kind: str) -> None:
        if node.value not in known:
            self._fail(
                node, f"unknown {kind} {node.value!r}{suggest(node.value, known)}{_listed(known, kind)}"
            )

    def _fields(self, node: yaml.Node | None, allowed: Sequence[str], of: str) -> dict[str, yaml.Node]:
        """Return the fields of a mapping that knows only these."""
        found = self._entries(node)
        for key, _ in found:
            if key.value not in allowed:
                near = suggest(key.value, allowed)
                self._fail(key, f"unknown field {key.value!r} of {of}{near}; allowed: {', '.join(allowed)}")
        return {key.value: value for key, value in found}

    def _entries(self, node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Return the keys and values of a mapping, none for nothing; a key may stand there once."""
        if node is None or _is_empty(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"expected a mapping, found {_shown(node)}")
        lines: dict[str, int] = {}
        for key, _ in node.value:
            self._name(key)
            if key.value in lines:
                self._fail(key, f"{key.value!r} stands on line {lines[key.value]} too")
            lines[key.value] = key.start_mark.line + 1
        return list(node.value)

    def _items(self, node: yaml.Node | None) -> list[yaml.Node]:
        if node is None or _is_empty(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._fail(node, f"expected a list, found {_shown(node)}")
        return list(node.value)

    def _list(self, node: yaml.Node | None) -> list[yaml.Node]:
        """Return the names of a list."""
        items = self._items(node)
        for item in items:
            self._name(item)
        return items

    def _name(self, node: yaml.Node) -> None:
        if not isinstance(node, yaml.ScalarNode) or node.value in ("", "~"):
            self._fail(node, f"expected a name, found {_shown(node)}")

    def _text(self, node: yaml.Node | None) -> str:
        """Return a text in one line, '' for none."""
        if node is None or _is_empty(node):
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"expected a text, found {_shown(node)}")
        return " ".join(node.value.split())

    def _truth(self, node: yaml.Node) -> bool:
        if node.value not in ("true", "false"):
            self._fail(node, f"expected true or false, found {_shown(node)}")
        return bool(node.value == "true")

    def _fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise DataError(problem, file=self.path, line=node.start_mark.line + 1)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.CollectionNode):
        return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
    return "nothing" if _is_empty(node) else repr(node.value[:40])


def _listed(known: Iterable[str], kind: str) -> str:
    """Return what is allowed, where that is short enough to be read."""
    names = list(known)
    return f"; {kind}s: {', '.join(names)}" if len(names) <= NAMED else ""
