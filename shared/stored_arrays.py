"""What decoding reads of a head's trained weights, where no torch module holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shared.contracts import Arrays


class StoredArrays:
    """The arrays of an exported head, by the names that its module gives them."""

    def __init__(self, values: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self._values = dict(values)

    def arrays(self) -> Arrays:
        """Return them."""
        return dict(self._values)

    def keep(self, values: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Put these in their place, or beside them."""
        self._values.update(values)
