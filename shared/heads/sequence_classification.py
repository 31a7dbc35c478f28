"""Sequence classification: the concepts of an ontology that a text has, all facets in one encoder pass.

`shared.text_windows` makes windows of the texts, `shared.facet_loss` says how the scores are trained, and
`shared.facet_decoding` makes answers of them that the ontology allows.

B windows in a batch, T tokens, C concepts, F facets, N facets that are numbers, D units of an embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Base, Outputs, Reviewer
from shared.encoder import embed_texts, load_encoder
from shared.errors import BundleError
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.facet_decoding import Classes, FacetDecoder, FacetOutputs, prior_shift
from shared.facet_loss import FacetLoss
from shared.facet_sets import NONE
from shared.heads.settings import Classifier, SequenceClassification
from shared.ontology import Cardinality, Facet, Ontology, read_ontology_row
from shared.text_windows import MARKERS, TextReader, TextWindow

EVEN_COSINE = 0.5  # between a text and the name of a concept that it may or may not have

Array = np.ndarray[Any, np.dtype[np.float32]]


class FacetScorer(nn.Module):
    """The trained part: a vector for each concept, compared with the text's embedding, and number outputs."""

    def __init__(self, size: int, ontology: Ontology, settings: SequenceClassification) -> None:
        super().__init__()
        self.settings, self.with_marks = settings, bool(ontology.relations)
        self.dropout = nn.Dropout(settings.dropout)
        self.concepts = nn.Parameter(torch.randn(len(ontology.concepts), size) * 0.02)
        self.bias = nn.Parameter(torch.zeros(len(ontology.concepts)))
        numbers = [facet for facet in ontology.facets if facet.cardinality is Cardinality.number]
        self.numbers = nn.Linear(size, len(numbers)) if numbers else None
        # of the training examples, for the Mahalanobis distance: class means (K, D) and the precision (D, D)
        self.means: Tensor
        self.precision: Tensor
        self.shift: Tensor
        self.register_buffer("shift", torch.zeros(len(ontology.concepts)))  # see `facet_decoding.prior_shift`
        self.register_buffer("means", torch.zeros(0, size))
        self.register_buffer("precision", torch.zeros(0, size))
        self.register_load_state_dict_pre_hook(_resize_buffers)  # type: ignore[no-untyped-call]

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, C + N + D): logits of the concepts, the numbers, and the text's embedding."""
        hidden = backbone(input_ids=batch["tokens"], attention_mask=batch["mask"]).last_hidden_state
        mask = batch["mask"].unsqueeze(-1)
        embedded = (hidden * mask).sum(1) / mask.sum(1)
        if self.with_marks:
            rows = torch.arange(len(hidden), device=hidden.device)
            marked = [hidden[rows, batch["marks"][:, which]] for which in (0, 1)]
            embedded = torch.cat([embedded, *marked], dim=1)
        read = self.dropout(embedded)
        parts = [self._logits(read), *([self.numbers(read)] if self.numbers is not None else []), embedded]
        return torch.cat(parts, dim=1)

    def _logits(self, read: Tensor) -> Tensor:
        if self.settings.classifier is Classifier.linear:
            return functional.linear(read, self.concepts, self.bias)
        same = functional.linear(
            functional.normalize(read, dim=1), functional.normalize(self.concepts, dim=1)
        )
        return self.settings.scale * same + self.bias


class SequenceClassificationHead:
    """See `shared.contracts.Head`."""

    def __init__(
        self,
        settings: SequenceClassification,
        *,
        types: Mapping[str, Any],
        tokenizer: Any,
        hidden_size: int,
        new_tokens: Sequence[int],
    ) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.ontology = read_ontology_row(types)
        self.new_tokens, self.remembers = list(new_tokens), True
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
        self.loss = FacetLoss(self.ontology, settings)
        size = hidden_size * (1 + len(MARKERS) * bool(self.ontology.relations))
        self.module = FacetScorer(size, self.ontology, settings)

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The ontology's facets, in order."""
        return self.ontology.facets

    def start(self, backbone: nn.Module, examples: Sequence[FacetExample]) -> None:
        """Let each concept begin at the embedding of its name, and tell common concepts from rare ones."""
        found = Counter(place for example in examples for place in self.reader.targets(example))
        counts = [found[place] for place in range(len(self.ontology.concepts))]
        self.loss.weigh(counts)
        shift = prior_shift(self.ontology, counts, power=self.settings.prior_shift)
        self.module.shift.copy_(torch.from_numpy(shift))
        if not self.module.with_marks and self.settings.name_start:
            with torch.no_grad():
                names = [concept.text for concept in self.ontology.concepts]
                limit = self.settings.window_tokens
                self.module.concepts.copy_(embed_texts(backbone, self.tokenizer, names, max_tokens=limit))
                if self.settings.classifier is Classifier.cosine:
                    for places in self.loss.alone.values():  # any may be chosen: only those near the text
                        self.module.bias[places] = -self.settings.scale * EVEN_COSINE

    def encode(self, examples: Sequence[FacetExample]) -> list[TextWindow]:
        """Return the windows of each example."""
        return self.reader.encode(examples)

    def collate(self, features: Sequence[TextWindow]) -> dict[str, Tensor]:
        """Return tokens, mask (B, T), marks (B, 2), targets (B, C), labelled (B, F), values (B, N)."""
        width = max(window.num_tokens for window in features)
        targets = torch.zeros(len(features), len(self.ontology.concepts))
        for row, window in enumerate(features):
            targets[row, window.targets] = 1.0
        pad = self.tokenizer.pad_token_id
        return {
            "tokens": torch.tensor([[*w.tokens, *[pad] * (width - w.num_tokens)] for w in features]),
            "mask": torch.tensor([[1] * w.num_tokens + [0] * (width - w.num_tokens) for w in features]),
            "marks": torch.tensor([window.marks for window in features]),
            "targets": targets,
            "labelled": torch.tensor([window.labelled for window in features]),
            "values": torch.tensor([window.values for window in features]).view(len(features), -1),
        }

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the loss, a mean over the facets of the batch that are labelled, and (B, C + N + D)."""
        outputs = self.module(backbone, batch)
        size = len(self.ontology.concepts)
        logits, numbers = outputs[:, :size].float(), outputs[:, size : size + len(self.numbers)].float()
        return Outputs(logits=outputs, loss=self.loss(logits, numbers, batch))

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
        self.module.means = torch.from_numpy(self.decoder.classes.means)
        self.module.precision = torch.from_numpy(self.decoder.classes.precision)

    def tune(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> None:
        """Fit temperatures, and where validation has texts out of scope, detectors and thresholds."""
        self.decoder.tune(examples, self._outputs(examples, features, logits))

    def _outputs(
        self, examples: Sequence[FacetExample], features: Sequence[TextWindow], logits: Sequence[Array]
    ) -> FacetOutputs:
        """Return the outputs of each example, the mean over its windows."""
        size, numbers = len(self.ontology.concepts), len(self.numbers)
        width = size + numbers + self.module.concepts.shape[1]
        total, counts = np.zeros((len(examples), width)), np.zeros((len(examples), 1))
        for window, row in zip(features, logits, strict=True):
            total[window.example] += row
            counts[window.example] += 1
        mean = total / np.maximum(counts, 1)
        self.decoder.shift = self.module.shift.cpu().numpy()
        self.decoder.classes = Classes(self.module.means.cpu().numpy(), self.module.precision.cpu().numpy())
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


def build(
    settings: SequenceClassification, base: Base, *, types: Mapping[str, Any]
) -> tuple[nn.Module, Any, SequenceClassificationHead]:
    """Return the encoder, its tokenizer and a fresh head; an ontology with relations adds four markers."""
    backbone, tokenizer = load_encoder(base)
    new_tokens: list[int] = []
    if types["relations"]:
        markers = [marker for pair in MARKERS.values() for marker in pair]
        tokenizer.add_tokens(markers, special_tokens=True)
        new_tokens = tokenizer.convert_tokens_to_ids(markers)
        backbone.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        with torch.no_grad():  # not by chance: where only the head trains, a bundle does not hold them
            embeddings = backbone.get_input_embeddings().weight
            embeddings[new_tokens] = embeddings[: min(new_tokens)].mean(dim=0)
    head = SequenceClassificationHead(
        settings,
        types=types,
        tokenizer=tokenizer,
        hidden_size=backbone.config.hidden_size,
        new_tokens=new_tokens,
    )
    return backbone, tokenizer, head


def _resize_buffers(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Make room for what a bundle remembers: how many classes there were is known from its tensors alone."""
    for name in ("means", "precision"):
        if prefix + name in state:
            setattr(module, name, torch.zeros_like(state[prefix + name]))
