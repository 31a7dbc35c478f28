"""The loss of facets: a softmax a level, or a sigmoid a concept, and the squared error of numbers.

A facet with at most one answer whose concepts form a tree is scored level by level: a softmax over the
concepts of each depth, and 0 for "no deeper". Every other concept has a sigmoid of its own.

B windows in a batch, C concepts, F facets, N facets that are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from shared.heads.settings import SequenceClassification
from shared.ontology import Cardinality, Facet, Ontology
from shared.text_windows import LABELLED, OUT_OF_SCOPE

NO_DEEPER = 0.0  # the logit of ending at the level above


@dataclass(frozen=True)
class Level:
    """One softmax: the concepts of a depth of a facet, and whether a text may end above it."""

    facet: int
    places: list[int]
    may_stop: bool


class FacetLoss:
    """The mean over the levels, the facets of sigmoids and the numbers that a batch labels.

    `alone` maps a facet of sigmoids to its concepts' places; `weights` (C,) are 1 until `weigh` sets them.
    """

    def __init__(self, ontology: Ontology, settings: SequenceClassification) -> None:
        self.ontology, self.settings = ontology, settings
        self.levels = [level for number in range(len(ontology.facets)) for level in self._levels(number)]
        self.alone = {
            number: ontology.by_facet[facet.id]
            for number, facet in enumerate(ontology.facets)
            if self._is_alone(facet)
        }
        self.weights = torch.ones(len(ontology.concepts))

    def weigh(self, counts: Sequence[int]) -> None:
        """Let a concept weigh (mean count / its count) to the power of `balance`; no count is below 1."""
        found = torch.tensor(counts, dtype=torch.float64)
        self.weights = ((found.mean() / found.clamp(min=1)) ** self.settings.balance).float()

    def __call__(self, logits: Tensor, numbers: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of logits (B, C) and numbers (B, N); 0 where the batch labels nothing."""
        losses = [
            *(self._level_loss(level, logits, batch) for level in self.levels),
            *(self._alone_loss(number, logits, batch) for number in self.alone),
            *self._number_losses(numbers, batch["values"]),
        ]
        found = [loss for loss in losses if loss is not None]
        return sum(found, logits.sum() * 0) / max(len(found), 1)

    def _levels(self, number: int) -> list[Level]:
        facet = self.ontology.facets[number]
        if not facet.single or self._is_alone(facet):
            return []
        optional, levels = facet.cardinality is Cardinality.at_most_one, self.ontology.levels[facet.id]
        return [Level(number, places, depth > 0 or optional) for depth, places in sorted(levels.items())]

    def _is_alone(self, facet: Facet) -> bool:
        """Whether each concept of the facet has a sigmoid of its own."""
        if facet.cardinality is Cardinality.number:
            return False
        return not facet.single or facet.id not in self.ontology.trees

    def _level_loss(self, level: Level, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor | None:
        """Return the mean cross-entropy over labelled texts; texts out of scope are drawn to no concept."""
        labelled, scores = batch["labelled"][:, level.facet], logits[:, level.places]
        weights = self.weights.to(logits.device)[level.places]
        if level.may_stop:
            scores = torch.cat([torch.full_like(scores[:, :1], NO_DEEPER), scores], dim=1)
            weights = torch.cat([torch.ones_like(weights[:1]), weights])
        gold = batch["targets"][:, level.places]
        target = torch.where(gold.any(1), gold.argmax(1) + level.may_stop, 0)
        inside = labelled == LABELLED
        outside = (labelled == OUT_OF_SCOPE) & (self.settings.outliers > 0)
        total = torch.zeros((), device=logits.device)
        if inside.any():
            total = (
                total
                + functional.cross_entropy(
                    scores[inside],
                    target[inside],
                    weight=weights,
                    label_smoothing=self.settings.label_smoothing,
                )
                * inside.sum()
            )
        if outside.any():
            even = -functional.log_softmax(scores[outside], dim=1).mean(1)
            total = total + self.settings.outliers * even.sum()
        count = inside.sum() + outside.sum()
        return total / count if count else None

    def _alone_loss(self, number: int, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor | None:
        """Return the binary cross-entropy, summed over the concepts, the mean over labelled texts."""
        places, labelled = self.alone[number], batch["labelled"][:, number]
        share = (labelled == LABELLED) + self.settings.outliers * (labelled == OUT_OF_SCOPE)
        if not share.any():
            return None
        losses = functional.binary_cross_entropy_with_logits(
            logits[:, places],
            batch["targets"][:, places],
            pos_weight=self.weights.to(logits.device)[places],
            reduction="none",
        )
        return (share * losses.sum(1)).sum() / (share > 0).sum()

    def _number_losses(self, numbers: Tensor, values: Tensor) -> list[Tensor | None]:
        losses: list[Tensor | None] = []
        for column in range(numbers.shape[1]):
            known = ~values[:, column].isnan()
            difference = numbers[known, column] - values[known, column]
            losses.append(self.settings.number_weight * (difference**2).mean() if known.any() else None)
        return losses
