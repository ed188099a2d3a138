"""Training on JAX: gradients, updates, and the state that Keras' loop carries."""

import itertools

import jax
import keras
import numpy as np
from jax import numpy as jnp

from keras_spade.trainers.jax_steps import (
    CheckedBatches,
    StepsMadeBefore,
    check_batches,
    whole_state,
)
from keras_spade.trainers.one_process import OneProcess
from keras_spade.trainers.streams import is_tf_dataset


class Trainer(OneProcess):
    """What `GauGAN` needs of JAX: a mixin in front of `keras.Model`.

    The step is written for variables that change. Here it runs inside a `keras.StatelessScope`,
    which holds their values, and what they are in the end is the new state.
    """

    # === Steps ===

    def train_step(self, state, data):
        """One update of generator and encoder, then one of the discriminator."""

        def step():
            batch = self._prepared(data)
            return self.track(self.training_losses(batch), batch, leave_out_bad=True)

        return self._run(step, state, self.optimizer.variables)

    def test_step(self, state, data):
        """The losses of a batch, in inference mode."""

        def step():
            batch = self._prepared(data)
            return self.track(self.evaluation_losses(batch), batch)

        return self._run(step, state, None)

    def _run(self, step, state, optimizer_variables):
        groups = [self.trainable_variables, self.non_trainable_variables]
        groups += [] if optimizer_variables is None else [optimizer_variables]
        groups += [self.metrics_variables]
        pairs = [
            pair
            for variables, values in zip(groups, state, strict=True)
            for pair in zip(variables, values, strict=True)
        ]
        with keras.StatelessScope(state_mapping=pairs) as scope:
            logs = step()
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    def minimize(self, losses, variables, optimizer, statistics=(), share=1.0):
        """Differentiates the sum of `losses()` and applies the optimizer, if all is finite.

        Args:
            losses: function that returns a dict of scalars, each a mean over the batch.
            variables: what to differentiate by.
            optimizer: of these variables.
            statistics: variables that `losses` changes; if not all is finite, they get back the
                values of before.
            share: 1, as there are no other replicas.

        Returns:
            The losses, and whether the update was skipped. Where loss scaling finds its scale by
            overflows, that does not count as skipped.
        """
        constants = self.trainable_variables + self.non_trainable_variables
        constants = [(variable, variable.value) for variable in constants]
        changing = [*statistics, self.seed_generator.state]
        scale = optimizer.scale_loss(jnp.ones(()))

        def scalar(values):
            mapping = constants + list(zip(variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping) as scope:
                found = losses()
            total = sum(found.values())
            changed = [scope.get_current_value(variable) for variable in changing]
            return total * scale.astype(total.dtype), (total, found, changed)

        values = [variable.value for variable in variables]
        (_, found), gradients = jax.value_and_grad(scalar, has_aux=True)(values)
        total, found, changed = found
        finite = all_finite([total, *gradients])
        skipped = jnp.logical_not(finite)
        self.seed_generator.state.assign(changed.pop())
        for variable, value in zip(statistics, changed, strict=True):
            variable.assign(jnp.where(finite, value, variable.value))
        if not variables:
            return found, skipped
        if len(variables) != len(optimizer._trainable_variables):
            raise ValueError(
                "The weights that are trained are not those of `compile`: after `trainable` has "
                "been changed, call `compile` again."
            )

        state = [variable.value for variable in optimizer.variables]
        scales_loss = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if scales_loss:
            searching = optimizer.dynamic_scale.value > 1.0
            skipped &= jnp.logical_not(searching & all_finite([total]))
            # It looks for itself whether all is finite.
            gradients[0] = jnp.where(finite, gradients[0], jnp.nan)
        new_values, new_state = optimizer.stateless_apply(state, gradients, values)
        for variable, new in zip(
            [*variables, *optimizer.variables], [*new_values, *new_state], strict=True
        ):
            variable.assign(new if scales_loss else jnp.where(finite, new, variable.value))
        return found, skipped

    def without_gradients(self):
        """A context for what is a constant to the gradients; JAX finds that out by itself."""
        return self.scope()

    def check_label_range(self, labels, num_classes):
        """Raises, naming the range, on ids outside `0..num_classes-1`.

        Not while JAX traces: then labels have no values. So trainings look at each batch before.
        """
        if isinstance(labels, jax.core.Tracer) or not labels.size:
            return labels
        array = np.asarray(labels)
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest): "
                f"{low}, {high}."
            )
        return labels

    # === Data on several devices ===

    def training_data(self, data, place, epochs, backup):
        """The arguments of `fit` that are data, so that they begin at a place."""
        check_batches(data["x"], data["batch_size"], data["steps_per_epoch"])
        self._jax_state = None  # What `predict_on_batch` and its like leave behind is old by now.
        return super().training_data(data, place, epochs, backup)

    def evaluation_data(self, data):
        """Data, of which a dataset gives the same batches each time."""
        if is_tf_dataset(data):
            check_batches(data)
        return super().evaluation_data(data)

    @property
    def smallest_batch(self):
        """The fewest samples that a batch can have."""
        distribution = keras.distribution.distribution()
        return 1 if distribution is None else distribution.num_model_replicas

    # === What Keras' loop calls ===

    @property
    def metrics_variables(self):
        """The averages of the losses, and the counts of skipped steps, which go with them."""
        return super().metrics_variables + self.skipped_steps.counters

    def make_train_function(self, force=False):
        """Puts the check of the labels in front of the step."""
        if self.train_function is None or force:
            super().make_train_function(force=True)
            self.train_function = self._guarded(self.train_function, self.show_counts)

    def make_test_function(self, force=False):
        """Puts the check of the labels in front of the step."""
        if self.test_function is None or force:
            super().make_test_function(force=True)
            self.test_function = self._guarded(self.test_function)

    def make_predict_function(self, force=False):
        """Puts the check of the labels in front of the step."""
        if self.predict_function is None or force:
            super().make_predict_function(force=True)
            self.predict_function = self._guarded(self.predict_function)

    def _guarded(self, function, then=lambda state: None):
        def guarded(state, iterator):
            with whole_state(self, state):
                # All that it takes, before the first step has used up the state.
                checked = CheckedBatches(iterator, self.check_batch_labels)
                batches = list(itertools.islice(checked, self.steps_per_execution))
                if not batches:
                    raise StopIteration
                logs, state = function(state, iter(batches))
            then(state)
            return logs, state

        return guarded

    def show_counts(self, state):
        """Makes the counts of skipped steps known outside of the state that the loop carries."""
        counters = self.skipped_steps.counters
        for variable, value in zip(counters, state[-1][-len(counters) :], strict=True):
            variable.assign(value)

    def passing_over(self, train_function, steps, restore_metrics):
        """A train function that passes over its first steps, which were made before."""
        return StepsMadeBefore(self, train_function, steps, restore_metrics)


def all_finite(tensors):
    """Whether all tensors are finite, and the sums of their squares too.

    A gradient whose square is too large for float32, beyond about 1e19, is finite itself, but makes
    the second moments of Adam infinite and the weights not a number a step later.
    """
    wide = [x.astype("float32") if x.dtype.itemsize < 4 else x for x in tensors]
    return jnp.all(jnp.isfinite(jnp.stack([jnp.sum(jnp.square(x)) for x in wide])))
