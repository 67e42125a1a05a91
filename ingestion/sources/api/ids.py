"""The ids seen in a list so far, as ranges: ids without gaps take no more memory than one id."""

import numpy as np

Ranges = tuple[np.ndarray, np.ndarray]  # first and last ids, both ascending, without overlaps


class SeenIds:
    """A set of 64-bit integers that detects repetitions."""

    def __init__(self) -> None:
        # Each level is more than twice as long as the next, so an id is merged at most once per level.
        self._levels: list[Ranges] = []

    def add(self, ids: np.ndarray) -> int | None:
        """Add ids; return the first that is already in the set or repeated among them, else None."""
        ordered, places = np.unique(ids, return_index=True)
        is_again = self._have(ids)
        is_again[np.delete(np.arange(len(ids)), places)] = True
        if is_again.any():
            return int(ids[is_again][0])
        if len(ordered):
            self._levels.append(_join(ordered, ordered))
        while len(self._levels) > 1 and len(self._levels[-2][0]) <= 2 * len(self._levels[-1][0]):
            both = zip(self._levels.pop(), self._levels.pop(), strict=True)
            self._levels.append(_join(*(np.sort(np.concatenate(ends)) for ends in both)))
        return None

    def _have(self, ids: np.ndarray) -> np.ndarray:
        found = np.zeros(len(ids), dtype=bool)
        for firsts, lasts in self._levels:
            place = np.searchsorted(firsts, ids, side="right") - 1
            found |= (place >= 0) & (ids <= lasts[place])
        return found


def _join(firsts: np.ndarray, lasts: np.ndarray) -> Ranges:
    """Return ascending ranges with adjacent ones merged."""
    is_gap = firsts[1:] - 1 != lasts[:-1]
    return firsts[np.concatenate(([True], is_gap))], lasts[np.concatenate((is_gap, [True]))]
