"""Training on PyTorch: gradients and updates."""

import keras
import torch

from keras_spade.trainers.one_process import OneProcess
from keras_spade.trainers.resuming import StepsMadeBefore


class Trainer(OneProcess):
    """What `GauGAN` needs of PyTorch: a mixin in front of `keras.Model`."""

    def train_step(self, data):
        """One update of generator and encoder, then one of the discriminator."""
        batch = self._prepared(data)
        return self.track(self.training_losses(batch), batch, leave_out_bad=True)

    def test_step(self, data):
        """The losses of a batch, in inference mode."""
        batch = self._prepared(data)
        return self.track(self.evaluation_losses(batch), batch)

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
        before = [variable.value.detach().clone() for variable in statistics]
        with torch.enable_grad():
            values = losses()
            total = sum(values.values())
            scaled = optimizer.scale_loss(total)
        values = {name: value.detach() for name, value in values.items()}
        with torch.no_grad():
            gradients, variables = _gradients(scaled, variables)
            finite = bool(all_finite([total, *gradients]))
            if finite and variables:
                optimizer.apply(gradients, variables)
            skipped = not finite
            if skipped:
                for variable, value in zip(statistics, before, strict=True):
                    variable.assign(value)
                if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and variables:
                    searching = optimizer.dynamic_scale > 1.0
                    skipped = not (bool(searching) and bool(all_finite([total])))
                    optimizer.apply([gradients[0] * float("nan"), *gradients[1:]], variables)
        return values, torch.tensor(skipped, device=total.device)

    def without_gradients(self):
        """A context for what is a constant to the gradients: nothing is kept for them there."""
        return torch.no_grad()

    def check_label_range(self, labels, num_classes):
        """Raises, naming the range, on ids outside `0..num_classes-1`."""
        if labels.is_meta or torch.compiler.is_compiling() or not labels.numel():
            return labels
        low, high = (int(end) for end in torch.aminmax(labels))
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest): "
                f"{low}, {high}."
            )
        return labels

    def passing_over(self, train_function, steps, restore_metrics):
        """A train function that passes over its first steps, which were made before."""
        return StepsMadeBefore(self, train_function, steps, restore_metrics)


def _gradients(scalar, variables):
    """Gradients, and the variables that have one."""
    pairs = [(variable, variable.value) for variable in variables]
    pairs = [(variable, value) for variable, value in pairs if value.requires_grad]
    if not pairs or not scalar.requires_grad:
        return [], []
    found = torch.autograd.grad(scalar, [value for _, value in pairs], allow_unused=True)
    pairs = [(g, v) for g, (v, _) in zip(found, pairs, strict=True) if g is not None]
    return [g for g, _ in pairs], [v for _, v in pairs]


def all_finite(tensors):
    """Whether all tensors are finite, and the sums of their squares too.

    A gradient whose square is too large for float32, beyond about 1e19, is finite itself, but makes
    the second moments of Adam infinite and the weights not a number a step later.
    """
    wide = [x.float() if x.dtype.itemsize < 4 else x for x in tensors]
    norms = torch._foreach_norm(wide)
    return torch.isfinite(torch.stack([(norm * norm).double() for norm in norms])).all()
