"""What stands around the steps of Keras' loop on JAX, which carries the model's state."""

import contextlib

import jax
import keras

from keras_spade.trainers.streams import is_tf_dataset

GROUPS = ("trainable_variables", "non_trainable_variables")
HELP = (
    "Under `keras.distribution` every batch must be divisible by the number of devices: choose "
    "`batch_size` so, and leave out what remains at the end (`drop_remainder=True`)."
)


def check_batches(x, batch_size=None, steps_per_epoch=None):
    """Raises if it can be seen beforehand that the devices cannot share a batch.

    Args:
        x: arrays or a dataset, as in `fit`.
        batch_size: as in `fit`.
        steps_per_epoch: as in `fit`.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return
    devices = distribution.num_model_replicas
    if steps_per_epoch is not None:
        return
    if is_tf_dataset(x):
        sizes = {spec.shape[0] for spec in keras.tree.flatten(x.element_spec)} - {None}
    else:
        shapes = [getattr(array, "shape", ()) for array in keras.tree.flatten(x)]
        samples = {shape[0] for shape in shapes if shape}
        batch_size = batch_size or 32
        sizes = {min(batch_size, n) for n in samples} | {n % batch_size for n in samples}
    for size in sorted(sizes):
        if size % devices:
            raise ValueError(f"`x`: a batch of {size} for {devices} devices. {HELP}")


class CheckedBatches:
    """An iterator over batches that looks at each before it hands it on.

    Args:
        batches: an iterator.
        check: raises for batches that are not right.
    """

    def __init__(self, batches, check):
        self.batches = batches
        self.check = check

    def __iter__(self):
        return self

    def __next__(self):
        try:
            batch = next(self.batches)
        except ValueError as error:
            if type(error).__name__ != "IndivisibleError":
                raise
            raise ValueError(f"A batch cannot be shared by the devices. {HELP}") from error
        self.check(batch)
        return batch


@contextlib.contextmanager
def whole_state(model, state):
    """Gives a model its variables back if a step fails.

    Keras' loop takes them out of the model before the first step of an epoch, and puts them back
    only after one that was made.

    Args:
        model: a `GauGAN`.
        state: what a step of training, evaluation or painting is given.
    """
    try:
        yield
    except BaseException:
        names = [*GROUPS]
        if len(state) == 4:
            names.append("optimizer_variables")
        if len(state) > 2:
            names.append("metrics_variables")
        values = [value for group in state for value in group]
        if not any(isinstance(x, jax.Array) and x.is_deleted() for x in values):
            model._jax_state = dict(zip(names, state, strict=True))
            model._jax_state_synced = False
            model.jax_state_sync()
        raise


class StepsMadeBefore:
    """Stands in front of a train function: of a resumed epoch, the first steps are made already.

    Args:
        model: a `GauGAN`.
        train_function: makes the other steps.
        steps: how many were made; the batches that stand for them are passed over.
        restore_metrics: gives the model the averages of the losses of these steps.
    """

    def __init__(self, model, train_function, steps, restore_metrics):
        self.model = model
        self.train_function = train_function
        self.steps = steps
        self.restore_metrics = restore_metrics

    def __call__(self, state, batches):
        """Makes a step, or passes over one."""
        if self.steps <= 0:
            return self.train_function(state, batches)
        for _ in range(self.model.steps_per_execution):
            next(batches)
        self.steps -= self.model.steps_per_execution
        self.model.show_counts(state)
        if self.restore_metrics is not None:
            self.restore_metrics()
            self.restore_metrics = None
            averages = [v.value for m in self.model.metrics for v in m.variables]
            state = (*state[:-1], averages + state[-1][len(averages) :])
        return self.model.get_metrics_result(), state
