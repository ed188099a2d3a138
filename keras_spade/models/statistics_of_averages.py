"""Moving statistics for the averages of the weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np

PREFIX = "statistic_of_averages_"


@dataclass(frozen=True)
class StatisticsOfAverages:
    """Moving statistics for the averages of the weights, computed by `calibrate`.

    Args:
        step: the number of training steps made until then.
        values: arrays by their position in the GAN's weights.
    """

    step: int
    values: dict[int, np.ndarray]

    def save(self, store: Any) -> None:
        """Saves them to a store of Keras."""
        store["step_of_averages"] = np.array(self.step)
        for place, value in self.values.items():
            store[f"{PREFIX}{place}"] = value

    @classmethod
    def load(cls, store: Any) -> "StatisticsOfAverages | None":
        """Loads them from a store of Keras, `None` if it has none."""
        if "step_of_averages" not in store.keys():
            return None
        keys = [key for key in store.keys() if key.startswith(PREFIX)]
        values = {int(key.removeprefix(PREFIX)): np.array(store[key]) for key in keys}
        return cls(int(np.array(store["step_of_averages"])), values)
