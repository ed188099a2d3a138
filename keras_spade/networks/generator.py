"""What every generator has."""

import os

from keras_spade.exporting import Export
from keras_spade.networks._network import Network


class Generator(Network):
    """A network that paints an image from a label map: what `GauGAN` takes as its `generator`.

    `SPADEGenerator` is one. A subclass is a functional model that sets the attributes below, of
    the same names as its constructor's arguments, and lists all of these in `ARGUMENTS`; it takes
    the inputs that `SPADEGenerator` takes, of which `Conditioning` makes those of label maps, and
    returns images in [-1, 1]. It then trains, paints, saves and exports as that one does.
    `examples/paper/networks` has four.

    Attributes:
        num_classes: number of label classes, the void class not counted.
        image_shape: `(height, width, channels)` of the images.
        void_class: whether one more class, id `num_classes`, means "don't care".
        instance_edges: whether it has the input `"edges"`.
        latent_dim: size of the input `"latent"`, or `None`.
        spectral_norm: whether any kernel is spectrally normalised.
        conditioning: `"labels"`, or `"dense"` for the input `"segmap"`.
        modulation: how label maps are convolved; see `SPADE`.
    """

    num_classes: int
    image_shape: tuple[int, int, int]
    void_class: bool
    instance_edges: bool
    latent_dim: int | None
    spectral_norm: bool
    conditioning: str
    modulation: str

    def export(
        self,
        path: str | os.PathLike,
        format: str = "tf_saved_model",
        image_size: tuple[int, int] | None = None,
        averaged: bool | str = "auto",
        verbose: bool | None = None,
        **options,
    ) -> None:
        """Exports as `GauGAN.export` does; a network alone has no averages of its weights.

        Args:
            path: as in `GauGAN.export`, and all that follow.
            format: `"tf_saved_model"`, `"onnx"` or `"litert"`.
            image_size: `(height, width)` of the label maps.
            averaged: `"auto"` or `False`.
            verbose: whether to print where the file is.
            **options: of the format.

        Raises:
            ValueError: naming the argument that does not fit.
            ImportError: naming what is to be installed.
            RuntimeError: if the generator cannot be converted; nothing was written, then.
        """
        if averaged not in ("auto", False):
            raise ValueError(
                f"`averaged` must be 'auto' or False, got {averaged!r}: a generator alone has no "
                "averages of its weights; call the GauGAN's `export`."
            )
        Export(path, format, image_size, verbose, options).write(self)
