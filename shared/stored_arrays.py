"""What decoding reads of a head's trained weights, where no torch module holds them."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts import Arrays


@dataclass(frozen=True)
class StoredArrays:
    """The arrays of an exported head, by the names that its module gives them."""

    values: Arrays

    def arrays(self) -> Arrays:
        """Return them."""
        return self.values
