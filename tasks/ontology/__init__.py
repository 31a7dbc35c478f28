"""Ontology classification: which concepts of an ontology a text has, for several questions at once.

A *facet* is one question about a text (its topic, the actors in it, its tone), answered by concepts that
stand below broader ones, by a number, or by a relation between two marked stretches. The ontology is read
from RDF (OWL, SKOS) or from a short YAML file, and a model reads the names and definitions of its concepts.

Data: Banking77 (intents; CC BY 4.0), CLINC150 (intents in domains, queries out of scope; CC BY 3.0), FiQA
(aspects and sentiment; terms of the data not stated), SemEval-2010 task 8 (relations with direction;
CC BY 3.0), SubjECTive-QA (six facets of an answer; MIT and CC BY 4.0), FIBO (the place of a class in an
ontology; MIT), tables of your own, and an invented sample corpus. Answer: for each facet its most specific
concepts or a number, with a probability, or none where the model abstains. Metric: per data set, hierarchical
F1 or macro F1.
"""
