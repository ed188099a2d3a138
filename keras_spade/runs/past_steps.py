"""Steps that an interrupted epoch has made already."""

from keras_spade.backends import backend


class PastSteps:
    """Stands in front of a train function: of a resumed epoch, the first steps are made already.

    Args:
        model: a `GauGAN`.
        train_function: makes the other steps.
        steps: how many were made.
        restore_metrics: gives the model the averages of the losses of these steps.
    """

    def __init__(self, model, train_function, steps, restore_metrics):
        self.model = model
        self.train_function = train_function
        self.steps = steps
        self.restore_metrics = restore_metrics

    def __call__(self, *arguments):
        """Makes a step, or passes over one."""
        if self.steps <= 0:
            return self.train_function(*arguments)
        self.steps -= self.model.steps_per_execution
        restore, self.restore_metrics = self.restore_metrics, None
        counters = self.model.skipped_steps.counters
        return backend.pass_over(self.model, arguments, restore, counters)
