"""Which labels are probably wrong: confident learning (Northcutt et al. 2021, JAIR 70, arXiv 1911.00068).

A label is doubted where a classifier that did not see it gives another class at least the probability that it
gives, in the mean, to the members of that class. How many labels of each class are wrong is estimated from
how many are doubted so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def likely_classes(given: Array, probabilities: Array) -> Array:
    """Return the class of each item that it confidently belongs to, its given one where there is none.

    `given` (N,) int are classes, `probabilities` (N, C) are of a model that did not see the item. Of several
    classes over their thresholds the most probable counts. A class that nothing is given has no threshold.
    """
    members = [given == label for label in range(probabilities.shape[1])]
    thresholds = np.array(
        [probabilities[own, label].mean() if own.any() else np.inf for label, own in enumerate(members)]
    )
    over = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely: Array = np.where(over.max(axis=1) < 0, given, over.argmax(axis=1))
    return likely


def noise_matrix(given: Array, likely: Array, *, num_classes: int) -> Array:
    """Return (C, C), the estimated share of all items that are given class i and are of class j.

    Row i sums up to the share of the class among the given labels. The estimate is a careful one: an item
    that confidently belongs to no class counts as rightly labelled.
    """
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (given, likely), 1)
    return counts / max(len(given), 1)
