"""A turn: some steps of a subject, one after another, each timed until it is complete."""

import time


class Run:
    """The steps of a subject.

    Args:
        device: the `Device` it runs on.
        batches: a function of a batch size that returns the batches, on the device, which steps
            take in turn.
        step: a function of a batch that makes a step, and returns what is waited for.
        begin: called before steps of another batch size, if given.
    """

    def __init__(self, device, batches, step, begin=None):
        self.device = device
        self.make_batches = batches
        self.step = step
        self.begin = begin

    def prepare(self, batch_size):
        """Makes the batches of a size."""
        self.batches = None
        self.device.release()
        self.device.reset_peak()
        if self.begin is not None:
            self.begin()
        self.batches = self.make_batches(batch_size)

    def turn(self, steps):
        """Seconds of each of so many steps, and of one before them, which does not count."""
        seconds = []
        for index in range(steps + 1):
            start = time.perf_counter()
            self.device.wait(self.step(self.batches[index % len(self.batches)]))
            seconds.append(time.perf_counter() - start)
        return seconds
