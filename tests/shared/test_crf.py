import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.crf import FORBIDDEN, forbidden_transitions, solve
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
def test_texts_that_are_solved_together_have_the_best_of_every_sequence(seed: int) -> None:
    """Of different lengths, in no order, one of them without words."""
    texts, transitions = [drawn(seed + number, number)[0] for number in (2, 4, 0, 1, 3)], drawn(seed, 1)[1]
    found = solve([logits.numpy() for logits in texts], transitions.numpy())
    for logits, solution in zip(texts, found, strict=True):
        if not len(logits):
            assert (solution.tags.shape, solution.probability) == ((0,), 1.0)
            assert solution.marginals.shape == (0, len(TAGS))
            continue
        paths, scores = every_path(logits, transitions)
        shares = torch.softmax(scores, 0).tolist()
        assert tuple(solution.tags) == paths[int(scores.argmax())]
        assert solution.probability == pytest.approx(max(shares), abs=1e-6)
        expected = np.zeros((len(logits), len(TAGS)))
        for path, share in zip(paths, shares, strict=True):
            expected[range(len(logits)), path] += share
        np.testing.assert_allclose(solution.marginals, expected, atol=1e-5)


def test_a_text_has_the_same_solution_alone_and_among_others() -> None:
    texts = [drawn(seed, words)[0].numpy() for seed, words in enumerate((7, 300, 7, 40, 1))]
    transitions = drawn(9, 1)[1].numpy()
    for text, together in zip(texts, solve(texts, transitions), strict=True):
        (alone,) = solve([text], transitions)
        assert together.tags.tolist() == alone.tags.tolist()
        assert together.probability == pytest.approx(alone.probability, rel=1e-9)
        np.testing.assert_allclose(together.marginals, alone.marginals, rtol=1e-6)


def test_no_text_has_no_solution() -> None:
    assert solve([], forbidden_transitions(TAGS)) == []


def test_logits_of_a_hundred_over_long_texts_keep_a_sum_of_one() -> None:
    logits, transitions = drawn(0, 300)
    (found,) = solve([30 * logits.numpy()], transitions.numpy())
    np.testing.assert_allclose(found.marginals.sum(axis=1), 1.0, atol=1e-4)
    assert 0 < found.probability < 1
