"""SPADE / GauGAN in plain PyTorch, the model that the benchmarks compare with.

Architecture, losses and step of `keras_spade` (Park et al. 2019, arXiv 1903.07291) in PyTorch
style: NCHW, the library's own layers, one-hot labels made once per batch and resized in each
SPADE. The names are those of `keras_spade.checkpoints.nvlabs_weights`, so weights can be copied:

    weights = nvlabs_weights(keras_generator)
    generator.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import spectral_norm

FEATURE_MATCHING_WEIGHT = 10.0
KL_WEIGHT = 0.05


def label_channels_of(labels, num_classes, edges=None):
    """One-hot channels of label ids, and the edges last: `(batch, num_classes + 1, H, W)`.

    `labels` are int64 `(batch, H, W)` in `0..num_classes-1` (the void class counts), `edges` float
    `(batch, H, W)` of 0 and 1, or `None`: one channel less.
    """
    size = (len(labels), num_classes + (edges is not None), *labels.shape[1:])
    channels = labels.new_zeros(size, dtype=torch.float32 if edges is None else edges.dtype)
    channels.scatter_(1, labels.unsqueeze(1), 1.0)
    if edges is not None:
        channels[:, -1] = edges
    return channels


def initialize(module):
    """Xavier-normal weights with gain 0.02 and zero biases."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_normal_(parameter, gain=0.02)
        else:
            nn.init.zeros_(parameter)


# === Generator ===


class SPADE(nn.Module):
    """`norm(x) * (1 + gamma(map)) + beta(map)`, the norm without parameters."""

    def __init__(self, channels, label_channels, hidden_filters=128):
        super().__init__()
        self.param_free_norm = nn.BatchNorm2d(channels, eps=1e-5, affine=False)
        shared = nn.Conv2d(label_channels, hidden_filters, 3, padding=1)
        self.mlp_shared = nn.Sequential(shared, nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden_filters, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden_filters, channels, 3, padding=1)

    def forward(self, x, label_channels):
        hidden = self.mlp_shared(F.interpolate(label_channels, size=x.shape[2:], mode="nearest"))
        return self.param_free_norm(x) * (1 + self.mlp_gamma(hidden)) + self.mlp_beta(hidden)


class SPADEResBlock(nn.Module):
    """Residual block of SPADEs and spectrally normalised convolutions."""

    def __init__(self, inputs, outputs, label_channels, hidden_filters=128):
        super().__init__()
        middle = min(inputs, outputs)
        self.learned_shortcut = inputs != outputs
        self.norm_0 = SPADE(inputs, label_channels, hidden_filters)
        self.conv_0 = spectral_norm(nn.Conv2d(inputs, middle, 3, padding=1))
        self.norm_1 = SPADE(middle, label_channels, hidden_filters)
        self.conv_1 = spectral_norm(nn.Conv2d(middle, outputs, 3, padding=1))
        if self.learned_shortcut:
            self.norm_s = SPADE(inputs, label_channels, hidden_filters)
            self.conv_s = spectral_norm(nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x, label_channels):
        y = self.conv_0(F.leaky_relu(self.norm_0(x, label_channels), 0.2))
        y = self.conv_1(F.leaky_relu(self.norm_1(y, label_channels), 0.2))
        if self.learned_shortcut:
            x = self.conv_s(self.norm_s(x, label_channels))
        return x + y


class SPADEGenerator(nn.Module):
    """Label channels, and a latent unless `latent_dim` is `None`, to an image; five doublings."""

    def __init__(
        self, label_channels, image_shape, latent_dim=256, base_filters=64, hidden_filters=128
    ):
        super().__init__()
        self.label_channels = label_channels
        self.latent_dim = latent_dim
        self.grid = (image_shape[0] // 32, image_shape[1] // 32)
        f = base_filters
        if latent_dim is None:
            self.fc = nn.Conv2d(label_channels, 16 * f, 3, padding=1)
        else:
            self.fc = nn.Linear(latent_dim, 16 * f * self.grid[0] * self.grid[1])

        def block(inputs, outputs):
            return SPADEResBlock(inputs, outputs, label_channels, hidden_filters)

        self.head_0 = block(16 * f, 16 * f)
        self.G_middle_0 = block(16 * f, 16 * f)
        self.G_middle_1 = block(16 * f, 16 * f)
        self.up_0 = block(16 * f, 8 * f)
        self.up_1 = block(8 * f, 4 * f)
        self.up_2 = block(4 * f, 2 * f)
        self.up_3 = block(2 * f, f)
        self.conv_img = nn.Conv2d(f, 3, 3, padding=1)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        initialize(self)

    def forward(self, label_channels, latent=None):
        if self.latent_dim is None:
            x = self.fc(F.interpolate(label_channels, size=self.grid, mode="nearest"))
        else:
            x = self.fc(latent).unflatten(1, (-1, *self.grid))
        x = self.head_0(x, label_channels)
        x = self.G_middle_0(self.upsample(x), label_channels)
        x = self.G_middle_1(x, label_channels)
        for block in (self.up_0, self.up_1, self.up_2, self.up_3):
            x = block(self.upsample(x), label_channels)
        return torch.tanh(self.conv_img(F.leaky_relu(x, 0.2)))


# === Discriminator ===


class PatchDiscriminator(nn.Module):
    """4 x 4 convolutions to one logit a patch; returns all feature maps, logits last."""

    def __init__(self, inputs, base_filters=64, num_layers=4):
        super().__init__()
        first = nn.Conv2d(inputs, base_filters, 4, stride=2, padding=2)
        self.model0 = nn.Sequential(first, nn.LeakyReLU(0.2))
        channels = base_filters
        for index in range(1, num_layers):
            filters = min(base_filters * 2**index, 512)
            stride = 1 if index == num_layers - 1 else 2
            conv = nn.Conv2d(channels, filters, 4, stride=stride, padding=2, bias=False)
            normalized = nn.Sequential(spectral_norm(conv), nn.InstanceNorm2d(filters))
            self.add_module(f"model{index}", nn.Sequential(normalized, nn.LeakyReLU(0.2)))
            channels = filters
        self.add_module(f"model{num_layers}", nn.Sequential(nn.Conv2d(channels, 1, 4, padding=2)))

    def forward(self, x):
        features = []
        for layer in self.children():
            x = layer(x)
            features.append(x)
        return features


class MultiScaleDiscriminator(nn.Module):
    """One `PatchDiscriminator` a scale, the input average-pooled between scales."""

    def __init__(self, label_channels, base_filters=64, num_scales=2, num_layers=4):
        super().__init__()
        for scale in range(num_scales):
            patches = PatchDiscriminator(label_channels + 3, base_filters, num_layers)
            self.add_module(f"discriminator_{scale}", patches)
        initialize(self)

    def forward(self, label_channels, image):
        x = torch.cat([label_channels, image], dim=1)
        scales = []
        for index, discriminator in enumerate(self.children()):
            if index:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            scales.append(discriminator(x))
        return scales


# === Encoder ===


class StyleEncoder(nn.Module):
    """Maps an image, not resized, to the mean and log variance of its latent."""

    def __init__(self, image_shape, latent_dim=256, base_filters=64):
        super().__init__()
        channels, (height, width) = 3, image_shape[:2]
        for index, factor in enumerate((1, 2, 4, 8, 8, 8), start=1):
            filters = factor * base_filters
            conv = nn.Conv2d(channels, filters, 3, stride=2, padding=1, bias=False)
            layer = nn.Sequential(spectral_norm(conv), nn.InstanceNorm2d(filters))
            self.add_module(f"layer{index}", layer)
            channels, height, width = filters, (height + 1) // 2, (width + 1) // 2
        self.fc_mu = nn.Linear(channels * height * width, latent_dim)
        self.fc_var = nn.Linear(channels * height * width, latent_dim)
        initialize(self)

    def forward(self, x):
        for index in range(1, 7):
            x = F.leaky_relu(getattr(self, f"layer{index}")(x), 0.2)
        x = x.flatten(1)
        return self.fc_mu(x), self.fc_var(x)


# === Training ===


class GauGAN:
    """The networks, their optimizers and the training step.

    Args:
        generator: a `SPADEGenerator`, on the device it is to run on.
        discriminator: a `MultiScaleDiscriminator`.
        encoder: a `StyleEncoder`, or `None`.
        channels_last: whether the networks and their inputs are laid out channels last.
        compile_options: the arguments of `nn.Module.compile`, `{}` for its defaults; `None`: eager.
    """

    def __init__(
        self, generator, discriminator, encoder=None, channels_last=False, compile_options=None
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.encoder = encoder
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        for network in filter(None, (generator, discriminator, encoder)):
            network.train().to(memory_format=self.memory_format)
            if compile_options is not None:
                network.compile(**compile_options)
        trained = [*generator.parameters(), *(encoder.parameters() if encoder else ())]
        adam = {"betas": (0.0, 0.9), "eps": 1e-8}
        self.generator_optimizer = torch.optim.Adam(trained, lr=1e-4, **adam)
        self.discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), 4e-4, **adam)

    def label_channels(self, labels, edges):
        """`label_channels_of` in the generator's number of classes and memory format."""
        classes = self.generator.label_channels - (edges is not None)
        channels = label_channels_of(labels, classes, edges)
        return channels.contiguous(memory_format=self.memory_format)

    def training_step(self, labels, edges, image, noise=None):
        """Updates generator and encoder, then the discriminator; the weighted losses by name.

        Labels and edges as in `label_channels_of`, image float `(batch, 3, H, W)` in [-1, 1].
        `noise` is a pair, `(batch, latent_dim)` each, for the two updates; `None`: drawn.
        """
        first, second = (None, None) if noise is None else noise
        label_channels = self.label_channels(labels, edges)
        image = image.contiguous(memory_format=self.memory_format)
        losses = self._update_generator(label_channels, image, first)
        return losses | self._update_discriminator(label_channels, image, second)

    def _update_generator(self, label_channels, image, noise):
        self.discriminator.requires_grad_(False)
        latent, posterior = self._encode(image, noise)
        fake = self.generator(label_channels, latent)
        scales = self._judge(label_channels, fake, image)
        pairs = [pair for f, r in scales for pair in zip(f[:-1], r[:-1], strict=True)]
        matching = sum(F.l1_loss(f, r.detach()) for f, r in pairs) / len(scales)
        losses = {
            "generator/adversarial": sum(-f[-1].mean() for f, _ in scales) / len(scales),
            "generator/feature_matching": FEATURE_MATCHING_WEIGHT * matching,
        }
        if posterior is not None:
            mean, log_variance = posterior
            divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
            losses["generator/kl"] = KL_WEIGHT * divergence
        return self._minimize(losses, self.generator_optimizer)

    def _update_discriminator(self, label_channels, image, noise):
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            latent, _ = self._encode(image, noise)
            fake = self.generator(label_channels, latent)
        scales = self._judge(label_channels, fake, image)
        losses = {
            "discriminator/real": sum(F.relu(1 - r[-1]).mean() for _, r in scales) / len(scales),
            "discriminator/fake": sum(F.relu(1 + f[-1]).mean() for f, _ in scales) / len(scales),
        }
        return self._minimize(losses, self.discriminator_optimizer)

    def _encode(self, image, noise):
        """A latent for each image (`None` without), and its posterior."""
        if self.generator.latent_dim is None:
            return None, None
        if noise is None:
            noise = image.new_empty(len(image), self.generator.latent_dim).normal_()
        if self.encoder is None:
            return noise, None
        mean, log_variance = self.encoder(image)
        return mean + torch.exp(0.5 * log_variance) * noise, (mean, log_variance)

    def _judge(self, label_channels, fake, image):
        """The features of fake and real images, passed as one batch: a pair of lists a scale."""
        scales = self.discriminator(torch.cat([label_channels] * 2), torch.cat([fake, image]))
        return [tuple(zip(*(f.chunk(2) for f in scale), strict=True)) for scale in scales]

    @staticmethod
    def _minimize(losses, optimizer):
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}
