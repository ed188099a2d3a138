"""Steps on batches of label maps, with the batch size as the case."""

from benchmarks.harness.label_maps import pick_batch
from benchmarks.harness.run import Run
from benchmarks.networks.flops import COUNTED, flops


class BatchRun(Run):
    """The steps of a network.

    Args:
        device: the `Device`.
        settings: `Settings`.
        samples: dict of arrays, see `LabelMaps`.
    """

    def __init__(self, device, settings, samples):
        super().__init__(device)
        self.settings = settings
        self.all_samples = samples
        counted = settings.task in COUNTED and settings.network == "generator"
        self.sample_flops = flops(settings) if counted else 0

    def prepare(self, case):
        self.samples = case["batch"]
        self.flops = self.samples * self.sample_flops

    def batch(self, index):
        return self.place(pick_batch(self.all_samples, index, self.samples))

    def place(self, batch):
        """Puts a batch of NumPy arrays on the device, in the form for a step."""
        raise NotImplementedError
