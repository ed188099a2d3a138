"""What all subjects are told."""

from dataclasses import dataclass

TASKS = ("inference", "forward_backward", "training_step")
NETWORKS = ("generator", "discriminator")
PRECISIONS = ("float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """The networks. `num_classes` leaves void out; `latent_dim` `None`: no latent, no encoder.

    Attributes:
        task: of `TASKS`.
        precision: of `PRECISIONS`.
        network: that runs, of `NETWORKS`; a training step takes all.
    """

    num_classes: int
    void_class: bool
    instance_edges: bool
    height: int = 256
    width: int = 256
    latent_dim: int | None = 256
    base_filters: int = 64
    hidden_filters: int = 128
    task: str = "inference"
    precision: str = "float32"
    network: str = "generator"

    @property
    def label_channels(self):
        """Channels of the one-hot map, edges included."""
        return self.num_classes + self.void_class + self.instance_edges
