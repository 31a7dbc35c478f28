"""The short form of an ontology, in YAML: every field but `facets` may be left out.

Nesting makes broader concepts:

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
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import yaml

from shared.errors import NAMED, DataError, suggest
from shared.ontology import Cardinality, Concept, Facet, Ontology, Relation, relation_concepts
from tasks.ontology.names import words
from tasks.ontology.owl import RELATION
from tasks.ontology.source import read_text

_TOP = ("name", "facets", "concepts", "relations", "disjoint", "implies")
_FACET = ("label", "cardinality", "concepts")
_CONCEPT = ("label", "definition", "broader", "narrower")
_RELATION = ("facet", "label", "definition", "directed", "domain", "range")


def read_short_form(path: Path) -> Ontology:
    """Return the ontology of a file; raises `DataError` with its line for the first mistake."""
    return _Reader(path).read()


class _Reader:
    """Walks the nodes of one file, which know their lines; facets and concepts gather on the way.

    Scalars are read as they are written: a concept may be called no, null or 2020.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facets: dict[str, Facet] = {}
        self.concepts: dict[str, Concept] = {}
        self.lines: dict[str, int] = {}
        self.broader: list[tuple[str, yaml.Node]] = []  # a concept, and the name of one that is broader

    def read(self) -> Ontology:
        top = self._fields(self._root(), _TOP, "an ontology")
        for key, node in self._entries(top.get("facets")):
            self._facet(key.value, node)
        for key, node in self._entries(top.get("concepts")):
            self._known(key, self.facets, "facet", listed="facets")
            self._concepts(node, key.value, ())
        relations = [self._relation(key, node) for key, node in self._entries(top.get("relations"))]
        for concept, name in self.broader:
            self._check_broader(concept, name)
        disjoint = [itertools.combinations(group, 2) for group in self._groups(top.get("disjoint"))]
        return Ontology(
            name=self._text(top.get("name")) or self.path.stem,
            facets=tuple(self.facets.values()),
            concepts=tuple(self.concepts.values()),
            relations=tuple(relations),
            disjoint=tuple(itertools.chain.from_iterable(disjoint)),
            implies=tuple((left, right) for left, right in self._groups(top.get("implies"), only=2)),
        )

    def _root(self) -> yaml.Node:
        text = read_text(self.path)
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
        cardinality = self._text(given.get("cardinality"))
        if cardinality:
            self._known(given["cardinality"], [item.value for item in Cardinality], "cardinality")
        self.facets[name] = Facet(
            name, self._label(name, given), Cardinality(cardinality or Cardinality.any_number)
        )
        self._concepts(given.get("concepts"), name, ())

    def _concepts(self, node: yaml.Node | None, facet: str, above: tuple[str, ...]) -> None:
        """Gather the concepts of a list of names, or of a mapping from names to fields."""
        listed = isinstance(node, yaml.SequenceNode)
        for key, body in [(item, None) for item in self._names(node)] if listed else self._entries(node):
            given = self._fields(body, _CONCEPT, "a concept")
            further = self._names(given.get("broader"))
            self.broader += [(key.value, item) for item in further]
            broader = tuple(dict.fromkeys([*above, *(item.value for item in further)]))
            definition = self._text(given.get("definition"))
            self._add(key, Concept(key.value, facet, self._label(key.value, given), definition, broader))
            self._concepts(given.get("narrower"), facet, (key.value,))

    def _add(self, node: yaml.Node, concept: Concept) -> None:
        if concept.id in self.concepts:
            self._fail(node, f"{concept.id!r} stands on line {self.lines[concept.id]} too")
        self.concepts[concept.id] = concept
        self.lines[concept.id] = node.start_mark.line + 1

    def _check_broader(self, concept: str, name: yaml.Node) -> None:
        self._known(name, self.concepts, "concept", listed="concepts")
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
            label=self._label(key.value, given),
            definition=self._text(given.get("definition")),
            directed=self._truth(given["directed"]) if "directed" in given else True,
            domain=tuple(item.value for item in self._names(given.get("domain"))),
            range=tuple(item.value for item in self._names(given.get("range"))),
        )
        for concept in relation_concepts(relation):
            self._add(key, concept)
        return relation

    def _groups(self, node: yaml.Node | None, *, only: int | None = None) -> Iterator[list[str]]:
        """Yield the lists of known concepts, of two or more (or `only` so many)."""
        for item in self._items(node):
            names = self._names(item)
            for name in names:
                self._known(name, self.concepts, "concept", listed="concepts")
            if len(names) < 2 or (only and len(names) != only):
                self._fail(item, f"{len(names)} concepts; expected {only or 'two or more'}, as in [a, b]")
            yield [name.value for name in names]

    def _known(
        self, node: yaml.Node, known: Collection[str], kind: str, *, of: str = "", listed: str = "allowed"
    ) -> None:
        """Fail on a name that is not known; the known ones are listed where they are few."""
        if node.value not in known:
            near = suggest(node.value, known)
            allowed = f"; {listed}: {', '.join(known)}" if len(known) <= NAMED else ""
            self._fail(node, f"unknown {kind} {node.value!r}{of}{near}{allowed}")

    def _fields(self, node: yaml.Node | None, allowed: Sequence[str], of: str) -> dict[str, yaml.Node]:
        """Return the fields of a mapping that knows only these."""
        found = self._entries(node)
        for key, _ in found:
            self._known(key, allowed, "field", of=f" of {of}")
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

    def _names(self, node: yaml.Node | None) -> list[yaml.Node]:
        """Return the names of a list."""
        items = self._items(node)
        for item in items:
            self._name(item)
        return items

    def _name(self, node: yaml.Node) -> None:
        if not isinstance(node, yaml.ScalarNode) or node.value in ("", "~"):
            self._fail(node, f"expected a name, found {_shown(node)}")

    def _label(self, name: str, given: Mapping[str, yaml.Node]) -> str:
        return self._text(given.get("label")) or words(name)

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
