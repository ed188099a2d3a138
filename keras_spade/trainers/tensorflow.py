"""Gradients, updates and checks on TensorFlow."""

import tensorflow as tf


class Trainer:
    """What `GauGAN` needs of TensorFlow: a mixin in front of `keras.Model`."""

    def train_step(self, data):
        """One update of generator and encoder, then one of the discriminator."""
        batch = self.prepare_batch(data)
        return self.track(self.training_losses(batch), tf.shape(batch["image"])[0])

    def test_step(self, data):
        """The losses of a batch, in inference mode."""
        batch = self.prepare_batch(data)
        return self.track(self.evaluation_losses(batch), tf.shape(batch["image"])[0])

    def minimize(self, losses, variables, optimizer):
        """Differentiates the sum of `losses()`, a dict, and applies the optimizer."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape() as tape:
            values = losses()
            # Keras optimizers sum gradients over replicas; these losses are means over each.
            total = optimizer.scale_loss(tf.add_n(list(values.values())) / replicas)
        optimizer.apply(tape.gradient(total, variables), variables)
        return values

    def check_label_range(self, labels, num_classes):
        """Fails, naming the range, on ids outside `0..num_classes-1`."""
        message = f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest):"
        low, high = tf.reduce_min(labels), tf.reduce_max(labels)
        ok = tf.logical_and(low >= 0, high < num_classes)
        with tf.control_dependencies([tf.debugging.Assert(ok, [message, low, high])]):
            return tf.identity(labels)
