"""Sequence classification: the concepts of an ontology that a text has, all facets in one encoder pass.

`shared.text_windows` makes windows of the texts, `shared.facet_loss` says how the scores are trained, and
`shared.facet_decoding` makes answers of them that the ontology allows.

B windows in a batch, T tokens, C concepts, F facets, N facets that are numbers, D units of an embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Outputs, Reviewer
from shared.errors import BundleError
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.facet_calibration import Classes
from shared.facet_decoding import FacetDecoder, FacetOutputs
from shared.facet_sets import NONE
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import SequenceClassification
from shared.ontology import Facet, read_ontology_row
from shared.padding import padded_tokens
from shared.text_windows import MARKER_TOKENS, TextReader, TextWindow

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = np.ndarray[Any, np.dtype[np.float32]]


class SequenceClassificationHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self,
        settings: SequenceClassification,
        *,
        types: Mapping[str, Any],
        tokenizer: FastTokenizer,
        module: Any,
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.ontology = read_ontology_row(types)
        self.new_tokens = tokenizer.ids(MARKER_TOKENS) if self.ontology.relations else []
        self.remembers = True
        self.decoder = FacetDecoder(
            self.ontology,
            detectors=settings.detectors,
            sent_away=settings.sent_away,
            explained_by=settings.explained_by,
        )
        self.decoding = self.decoder.thresholds
        self.reader = TextReader(
            self.ontology,
            tokenizer,
            window_tokens=settings.window_tokens,
            overlap_tokens=settings.overlap_tokens,
            first_tokens=settings.first_tokens,
        )
        self.kept: dict[str, Any] = {}
        self.inspector = None
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.source = {"ontology": self.ontology.digest}
        self.numbers = self.reader.numbers
        self.module = module

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The ontology's facets, in order."""
        return self.ontology.facets

    def start(self, backbone: nn.Module, examples: Sequence[FacetExample]) -> None:
        """Let each concept begin at the embedding of its name, and tell common concepts from rare ones."""
        found = Counter(place for example in examples for place in self.reader.targets(example))
        counts = [found[place] for place in range(len(self.ontology.concepts))]
        self.module.start(backbone, self.tokenizer, counts)

    def encode(self, examples: Sequence[FacetExample]) -> list[TextWindow]:
        """Return the windows of each example."""
        return self.reader.encode(examples)

    def collate(self, features: Sequence[TextWindow]) -> Arrays:
        """Return tokens, mask (B, T), marks (B, 2), targets (B, C), labelled (B, F), values (B, N)."""
        targets = np.zeros((len(features), len(self.ontology.concepts)), dtype=np.float32)
        for row, window in zip(targets, features, strict=True):
            row[window.targets] = 1.0
        values = np.array([window.values for window in features], dtype=np.float32)
        return {
            **padded_tokens([window.tokens for window in features], fill=self.tokenizer.pad_token_id),
            "marks": np.array([window.marks for window in features]),
            "targets": targets,
            "labelled": np.array([window.labelled for window in features]),
            "values": values.reshape(len(features), -1),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the loss, a mean over the facets of the batch that are labelled, and (B, C + N + D)."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def decode(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> list[FacetPrediction]:
        """Return the most probable answers that the ontology allows together."""
        return self.decoder.decode(examples, self._outputs(examples, features, logits))

    def remember(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> None:
        """Keep the training examples with their embeddings, to explain answers by."""
        self.decoder.remember(examples, self._outputs(examples, features, logits))

    def measures(self, validation: Sequence[FacetExample]) -> bool:
        """Return whether some are out of scope, and distance to the training classes may be what tells."""
        return self.decoder.measures(validation)

    def measure(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> None:
        """Keep where the classes of the training examples lie, for the Mahalanobis distance."""
        self.decoder.measure(examples, self._outputs(examples, features, logits))
        known = self.decoder.classes
        self.module.keep({"means": known.means, "precision": known.precision})

    def tune(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> None:
        """Fit temperatures, and where validation has texts out of scope, detectors and thresholds."""
        self.decoder.tune(examples, self._outputs(examples, features, logits))

    def _outputs(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> FacetOutputs:
        """Return the outputs of each example, the mean over its windows."""
        size, numbers, known = len(self.ontology.concepts), len(self.numbers), self.module.arrays()
        width = size + numbers + known["means"].shape[1]
        total, counts = np.zeros((len(examples), width)), np.zeros((len(examples), 1))
        for window, row in zip(features, logits, strict=True):
            total[window.example] += row
            counts[window.example] += 1
        mean = total / np.maximum(counts, 1)
        self.decoder.shift = known["shift"]
        if known["means"] is not self.decoder.classes.means:
            self.decoder.classes = Classes(known["means"], known["precision"])
        return FacetOutputs(
            mean[:, :size], mean[:, size : size + numbers], mean[:, size + numbers :].astype(np.float32)
        )

    def give_sets(self, risk: float) -> None:
        """Give prediction sets beside the answers, see `shared.facet_sets`."""
        self.decoder.give_sets(risk)

    def ask(self, types: Mapping[str, Any]) -> None:
        """Accept the trained ontology alone."""
        asked = read_ontology_row(types)
        if asked.digest != self.ontology.digest:
            raise BundleError(
                f"this bundle answers by the ontology {self.ontology.name} ({self.ontology.digest[:12]}), "
                f"asked for {asked.name} ({asked.digest[:12]}): train anew, or give the one it was trained on"
            )

    def row(self, example: FacetExample, prediction: FacetPrediction) -> dict[str, Any]:
        """Return the answers with paths, probabilities and reasons, and the digests an audit asks for."""
        facets = [self._answer_row(name, answer) for name, answer in prediction.facets.items()]
        row = {"id": prediction.id, "facets": facets, **self.source}
        if prediction.nearest:
            by_id = {item.id: item for item in self.decoder.memory}
            row["nearest"] = [
                {"id": id, "similarity": same, "text": by_id[id].text, "labels": dict(by_id[id].labels)}
                for id, same in prediction.nearest
            ]
        return row

    def _answer_row(self, facet: str, answer: FacetAnswer) -> dict[str, Any]:
        if answer.value is not None:
            return {"facet": facet, "value": answer.value}
        row = {
            "facet": facet,
            "concepts": list(answer.given),
            "paths": self._paths(answer.given),
            "probability": answer.probability,
            "abstained": bool(answer.abstained),
            "reason": answer.abstained,
            "guess": list(answer.concepts),
        }
        for name, concepts in (("candidates", answer.candidates), ("sure", answer.sure)):
            if concepts is not None:
                row |= {name: list(concepts), f"{name}_paths": self._paths(concepts)}
        return row

    def _paths(self, concepts: Sequence[str]) -> list[str]:
        """Return the path of each concept, '' for none."""
        return [self.ontology.path(concept) if concept != NONE else NONE for concept in concepts]

    def finds(self) -> str:
        """Return the facets with their number of concepts."""
        return ", ".join(
            f"{facet.label} ({len(self.ontology.by_facet[facet.id]) or 'a number'})" for facet in self.facets
        )
