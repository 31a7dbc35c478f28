"""The trained part of token classification: tags of words from their first tokens, and the loss of their CRF.

B windows in a batch, T tokens, W words, H hidden units, C tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared.contracts import Arrays, Base, Head, Outputs
from shared.crf import IGNORED, forbidden_transitions, iob2_tags
from shared.encoder import load_encoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import TokenClassification
from shared.modules.rows import encoded
from shared.word_shape import SHAPES

TRANSITION_SCALE = 10.0  # Adam moves a weight by its learning rate a step; transitions must go farther
SOFTNESS = 4.0


class WordTagger(nn.Module):
    """The trained part: word-shape embeddings on the way in and out, a linear layer, and tag transitions."""

    inputs = ("tokens", "mask", "shapes", "first_tokens")

    def __init__(self, hidden_size: int, tags: Sequence[str], settings: TokenClassification) -> None:
        super().__init__()
        into = settings.word_shape and settings.word_shape_in
        self.shape_in = nn.Embedding(len(SHAPES), hidden_size) if into else None
        self.shape_out = nn.Embedding(len(SHAPES), hidden_size) if settings.word_shape else None
        for shape in (self.shape_in, self.shape_out):
            if shape is not None:
                nn.init.zeros_(shape.weight)  # training starts from the base as it is
        self.reference_weight = 0.0  # of the disagreement with a reference
        self.dropout = nn.Dropout(settings.dropout)
        self.classifier = nn.Linear(hidden_size, len(tags))
        self.free_transitions = nn.Parameter(torch.zeros(len(tags) + 1, len(tags)))
        self.forbidden: Tensor
        self.register_buffer("forbidden", torch.from_numpy(forbidden_transitions(tags)), persistent=False)

    @property
    def transitions(self) -> Tensor:
        """The table (C + 1, C) of `shared.crf`."""
        return TRANSITION_SCALE * self.free_transitions + self.forbidden

    def arrays(self) -> Arrays:
        """Return what decoding reads: the transitions."""
        return {"transitions": self.transitions.detach().cpu().numpy()}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the mean negative log likelihood of a word's tag and the logits (B, W, C).

        Where a reference is followed, the disagreement with it is added.
        """
        logits = self.logits(backbone, batch)
        loss = negative_log_likelihood(logits.float(), batch["targets"], self.transitions)
        if "reference" in batch:
            apart = disagreement(logits.float(), batch["reference"], batch["targets"])
            loss = loss + self.reference_weight * apart
        return Outputs(logits=logits, loss=loss)

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the logits (B, W, C) of `tokens` (B, T), `shapes` (B, T) and `first_tokens` (B, W)."""
        if self.shape_in is None:
            return self.read(encoded(backbone, batch), batch)
        known = backbone.get_input_embeddings()(batch["tokens"])  # type: ignore[operator]  # of transformers
        embedded = self.embed(known, batch)
        hidden = backbone(inputs_embeds=embedded, attention_mask=batch["mask"]).last_hidden_state
        return self.read(hidden, batch)

    def embed(self, embedded: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the tokens' embeddings (B, T, H) with those of their words' shapes added."""
        return embedded if self.shape_in is None else embedded + self.shape_in(batch["shapes"])

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the logits (B, W, C) of the token vectors (B, T, H)."""
        if self.shape_out is not None:
            hidden = hidden + self.shape_out(batch["shapes"])
        index = batch["first_tokens"].unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        logits: Tensor = self.classifier(self.dropout(hidden.gather(1, index)))
        return logits


def build(
    settings: TokenClassification, base: Base, *, types: Mapping[str, str]
) -> tuple[nn.Module, Any, Head]:
    """Return the encoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_encoder(base)
    module = WordTagger(backbone.config.hidden_size, iob2_tags(types), settings)
    head = settings.head(FastTokenizer.of(tokenizer), types=types, module=module)
    return backbone, tokenizer, head


def negative_log_likelihood(logits: Tensor, targets: Tensor, transitions: Tensor) -> Tensor:
    """Return the mean over words of -log p(targets); logits (B, W, C), targets (B, W), padding `IGNORED`."""
    real = targets != IGNORED
    tags = targets.clamp(min=0)
    start = torch.full_like(tags[:, :1], logits.shape[-1])
    moves = transitions[torch.cat([start, tags[:, :-1]], dim=1), tags]
    gold = (logits.gather(2, tags.unsqueeze(-1)).squeeze(-1) + moves) * real
    totals = logits[:, 0] + transitions[-1]  # (B, C), log sum over all paths that end in each tag
    for word in range(1, logits.shape[1]):
        longer = torch.logsumexp(totals.unsqueeze(-1) + transitions[:-1], dim=1) + logits[:, word]
        totals = torch.where(real[:, word, None], longer, totals)
    return (torch.logsumexp(totals, dim=1).sum() - gold.sum()) / real.sum()


def disagreement(logits: Tensor, reference: Tensor, targets: Tensor) -> Tensor:
    """Return the mean over all words of KL(reference || model), 0 where the reference's best tag is wrong.

    All are (B, W, C) but the targets (B, W); tags are compared word by word, without their transitions. On
    its own training words a reference is sure of all: what it thinks of the other tags shows at SOFTNESS, a
    temperature, whose square keeps the gradients' size (Hinton et al. 2015, arXiv 1503.02531).
    """
    right = (reference.argmax(dim=2) == targets).float()
    known, found = ((scores / SOFTNESS).log_softmax(dim=2) for scores in (reference, logits))
    gap = (known.exp() * (known - found)).sum(dim=2)
    return SOFTNESS**2 * (gap * right).sum() / (targets != IGNORED).sum()
