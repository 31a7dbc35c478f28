import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.crf import (
    FORBIDDEN,
    best_tags,
    forbidden_transitions,
    marginals,
    path_probability,
)
from shared.modules.word_tagger import negative_log_likelihood

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]


def drawn(seed: int, num_words: int) -> tuple[Tensor, Tensor]:
    """Random logits (W, C) and transitions (C + 1, C) under IOB2."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(num_words, len(TAGS), generator=generator)
    free = torch.randn(len(TAGS) + 1, len(TAGS), generator=generator)
    return logits, free + torch.from_numpy(forbidden_transitions(TAGS))


def every_path(logits: Tensor, transitions: Tensor) -> tuple[list[tuple[int, ...]], Tensor]:
    """All tag sequences and their scores, by adding up one after the other."""
    paths = list(itertools.product(range(len(TAGS)), repeat=len(logits)))
    scores = []
    for path in paths:
        before = [len(TAGS), *path[:-1]]
        scores.append(
            sum(
                logits[word, tag] + transitions[last, tag]
                for word, (last, tag) in enumerate(zip(before, path, strict=True))
            )
        )
    return paths, torch.stack(scores)


def test_an_inside_tag_may_only_follow_its_own_type() -> None:
    penalty = forbidden_transitions(TAGS)
    allowed = [[*TAGS, "start"][row] for row in np.flatnonzero(penalty[:, TAGS.index("I-B")] == 0)]
    assert allowed == ["B-B", "I-B"]
    assert (penalty[:, [0, 1, 3]] == 0).all()
    assert penalty.min() == FORBIDDEN


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_that_of_every_sequence_counted_out(seed: int) -> None:
    long, transitions = drawn(seed, 4)
    short = drawn(seed + 100, 2)[0]
    logits = torch.stack([long, torch.cat([short, torch.zeros(2, len(TAGS))])])
    targets = torch.tensor([[1, 2, 0, 3], [0, 3, -100, -100]])
    expected = 0.0
    for words, gold in ((long, (1, 2, 0, 3)), (short, (0, 3))):
        paths, scores = every_path(words, transitions)
        expected += float(torch.logsumexp(scores, 0) - scores[paths.index(gold)])
    assert float(negative_log_likelihood(logits, targets, transitions)) == pytest.approx(
        expected / 6, rel=1e-5
    )


@pytest.mark.parametrize("seed", range(5))
def test_best_tags_and_marginals_equal_those_of_every_sequence(seed: int) -> None:
    logits, transitions = drawn(seed, 4)
    paths, scores = every_path(logits, transitions)
    assert tuple(best_tags(logits.numpy(), transitions.numpy())) == paths[int(scores.argmax())]
    expected = np.zeros((4, len(TAGS)))
    for path, probability in zip(paths, torch.softmax(scores, 0).tolist(), strict=True):
        expected[range(4), path] += probability
    np.testing.assert_allclose(marginals(logits.numpy(), transitions.numpy()), expected, atol=1e-5)
    for path, probability in zip(paths, torch.softmax(scores, 0).tolist(), strict=True):
        found = path_probability(logits.numpy(), np.array(path), transitions.numpy())
        assert found == pytest.approx(probability, abs=1e-6)


def test_no_words_have_no_tags() -> None:
    nothing = np.zeros((0, len(TAGS)), dtype=np.float32)
    transitions = forbidden_transitions(TAGS)
    assert best_tags(nothing, transitions).shape == (0,)
    assert marginals(nothing, transitions).shape == (0, len(TAGS))


def test_logits_of_a_hundred_over_long_texts_keep_a_sum_of_one() -> None:
    logits, transitions = drawn(0, 300)
    found = marginals(30 * logits.numpy(), transitions.numpy())
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-4)
    best = best_tags(30 * logits.numpy(), transitions.numpy())
    assert 0 < path_probability(30 * logits.numpy(), best, transitions.numpy()) < 1
