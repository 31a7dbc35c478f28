"""The trained part of sequence classification: how near a text is to each concept of an ontology.

B windows in a batch, T tokens, C concepts, F facets, N facets that are numbers, D units of an embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Arrays, Base, Head, Outputs
from shared.encoder import embed_texts, load_encoder
from shared.facet_decoding import prior_shift
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import Classifier, SequenceClassification
from shared.modules.facet_loss import FacetLoss
from shared.modules.rows import encoded
from shared.ontology import Cardinality, Ontology, read_ontology_row
from shared.text_windows import MARKER_TOKENS, MARKERS

EVEN_COSINE = 0.5  # between a text and the name of a concept that it may or may not have


class FacetScorer(nn.Module):
    """The trained part: a vector for each concept, compared with the text's embedding, and number outputs."""

    inputs = ("tokens", "mask", "marks")

    def __init__(self, size: int, ontology: Ontology, settings: SequenceClassification) -> None:
        super().__init__()
        self.settings, self.ontology, self.with_marks = settings, ontology, bool(ontology.relations)
        self.loss = FacetLoss(ontology, settings)
        self.dropout = nn.Dropout(settings.dropout)
        self.concepts = nn.Parameter(torch.randn(len(ontology.concepts), size) * 0.02)
        self.bias = nn.Parameter(torch.zeros(len(ontology.concepts)))
        count = sum(facet.cardinality is Cardinality.number for facet in ontology.facets)
        self.numbers = nn.Linear(size, count) if count else None
        # of the training examples, for the Mahalanobis distance: class means (K, D) and the precision (D, D)
        self.means: Tensor
        self.precision: Tensor
        self.shift: Tensor
        self.register_buffer("shift", torch.zeros(len(ontology.concepts)))  # see `facet_decoding.prior_shift`
        self.register_buffer("means", torch.zeros(0, size))
        self.register_buffer("precision", torch.zeros(0, size))
        self.register_load_state_dict_pre_hook(_resize_buffers)  # type: ignore[no-untyped-call]

    def start(self, backbone: nn.Module, tokenizer: FastTokenizer, counts: Sequence[int]) -> None:
        """Let each concept begin at the embedding of its name, and tell common concepts from rare ones.

        `counts` (C,) says how many training examples have each concept.
        """
        self.loss.weigh(counts)
        shift = prior_shift(self.ontology, counts, power=self.settings.prior_shift)
        self.shift.copy_(torch.from_numpy(shift))
        if self.with_marks or not self.settings.name_start:
            return
        with torch.no_grad():
            names = [concept.text for concept in self.ontology.concepts]
            limit = self.settings.window_tokens
            self.concepts.copy_(embed_texts(backbone, tokenizer, names, max_tokens=limit))
            if self.settings.classifier is Classifier.cosine:
                for places in self.loss.alone.values():  # any may be chosen: only those near the text
                    self.bias[places] = -self.settings.scale * EVEN_COSINE

    def keep(self, values: Arrays) -> None:
        """Keep where the classes of the training examples lie: `means` and `precision`."""
        for name, array in values.items():
            setattr(self, name, torch.from_numpy(array).to(self.means.device))

    def arrays(self) -> Arrays:
        """Return what decoding reads: the shift, and the classes' means and precision."""
        return {name: getattr(self, name).cpu().numpy() for name in ("shift", "means", "precision")}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the loss, a mean over the facets of the batch that are labelled, and (B, C + N + D)."""
        outputs = self.logits(backbone, batch)
        size, number = len(self.concepts), self.numbers.out_features if self.numbers is not None else 0
        logits, numbers = outputs[:, :size].float(), outputs[:, size : size + number].float()
        return Outputs(logits=outputs, loss=self.loss(logits, numbers, batch))

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, C + N + D): logits of the concepts, the numbers, and the text's embedding."""
        return self.read(encoded(backbone, batch), batch)

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, C + N + D) of the token vectors (B, T, H)."""
        mask = batch["mask"].unsqueeze(-1)
        embedded = (hidden * mask).sum(1) / mask.sum(1)
        if self.with_marks:
            rows = torch.arange(hidden.shape[0], device=hidden.device)
            marked = [hidden[rows, batch["marks"][:, which]] for which in (0, 1)]
            embedded = torch.cat([embedded, *marked], dim=1)
        read = self.dropout(embedded)
        parts = [self._compared(read), *([self.numbers(read)] if self.numbers is not None else []), embedded]
        return torch.cat(parts, dim=1)

    def _compared(self, read: Tensor) -> Tensor:
        if self.settings.classifier is Classifier.linear:
            return functional.linear(read, self.concepts, self.bias)
        same = functional.linear(
            functional.normalize(read, dim=1), functional.normalize(self.concepts, dim=1)
        )
        return self.settings.scale * same + self.bias


def build(
    settings: SequenceClassification, base: Base, *, types: Mapping[str, Any]
) -> tuple[nn.Module, Any, Head]:
    """Return the encoder, its tokenizer and a fresh head; an ontology with relations adds four markers."""
    backbone, tokenizer = load_encoder(base)
    ontology = read_ontology_row(types)
    if ontology.relations:
        tokenizer.add_tokens(MARKER_TOKENS, special_tokens=True)
        new_tokens = tokenizer.convert_tokens_to_ids(MARKER_TOKENS)
        backbone.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        with torch.no_grad():  # not by chance: where only the head trains, a bundle does not hold them
            embeddings = backbone.get_input_embeddings().weight
            embeddings[new_tokens] = embeddings[: min(new_tokens)].mean(dim=0)
    size = backbone.config.hidden_size * (1 + len(MARKERS) * bool(ontology.relations))
    module = FacetScorer(size, ontology, settings)
    head = settings.head(FastTokenizer.of(tokenizer), types=types, module=module)
    return backbone, tokenizer, head


def _resize_buffers(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Make room for what a bundle remembers: how many classes there were is known from its tensors alone."""
    for name in ("means", "precision"):
        if prefix + name in state:
            setattr(module, name, torch.zeros_like(state[prefix + name]))
