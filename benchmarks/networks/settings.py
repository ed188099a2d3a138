"""The settings of all subjects."""

from dataclasses import dataclass

TASKS = ("inference", "forward_backward", "training_step")
NETWORKS = ("generator", "discriminator")
PRECISIONS = ("float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """The networks. `num_classes` excludes void; `latent_dim` `None`: no latent, no encoder.

    Attributes:
        task: one of `TASKS`.
        precision: one of `PRECISIONS`.
        network: the network to run, one of `NETWORKS`; a training step uses all.
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
        """Channels of the one-hot map, including edges."""
        return self.num_classes + self.void_class + self.instance_edges
