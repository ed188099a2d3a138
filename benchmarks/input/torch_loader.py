"""The input pipeline's task in a PyTorch DataLoader: Pillow in worker processes."""

import numpy as np
import torch
from PIL import Image


class PairDataset(torch.utils.data.Dataset):
    """Decodes, resizes, crops and flips a photograph and its label map.

    Args:
        files: `(image, label)` paths.
        load_size: both edges before the crop.
        size: both edges after it.
        floats: whether images become float32 in [-1, 1] here, or stay uint8.
    """

    def __init__(self, files, load_size, size, floats):
        self.files, self.load_size, self.size, self.floats = files, load_size, size, floats
        self.rng = None

    def __len__(self):
        return len(self.files)

    def loaded(self, index):
        """Image and labels before the crop."""
        image_file, label_file = self.files[index]
        square = (self.load_size, self.load_size)
        with Image.open(image_file) as image, Image.open(label_file) as labels:
            image = image.convert("RGB").resize(square, Image.Resampling.BICUBIC)
            return np.asarray(image), np.asarray(labels.resize(square, Image.Resampling.NEAREST))

    def __getitem__(self, index):
        if self.rng is None:
            self.rng = np.random.default_rng(torch.initial_seed() % 2**32)
        image, labels = self.loaded(index)
        top, left = self.rng.integers(0, self.load_size - self.size + 1, 2)
        step = -1 if self.rng.random() < 0.5 else 1
        window = np.s_[top : top + self.size, left : left + self.size]
        image = torch.from_numpy(image[window][:, ::step].copy())
        labels = torch.from_numpy(labels[window][:, ::step].astype(np.int32))
        return {"image": as_floats(image) if self.floats else image, "labels": labels}


class DecodedDataset(PairDataset):
    """The same from memory: decoded and resized in advance, shared by the workers."""

    def __init__(self, *args):
        super().__init__(*args)
        images, labels = zip(*map(super().loaded, range(len(self))), strict=True)
        self.images = torch.from_numpy(np.stack(images)).share_memory_()
        self.labels = torch.from_numpy(np.stack(labels)).share_memory_()

    def loaded(self, index):
        """Image and labels before the crop."""
        return self.images[index].numpy(), self.labels[index].numpy()


def as_floats(image):
    """uint8 images as float32 in [-1, 1]."""
    return image.to(torch.float32).div_(127.5).sub_(1.0)


def one_thread(worker):
    """Restricts a worker to one thread, because there is one worker per core."""
    torch.set_num_threads(1)


def loader(dataset, batch_size, workers):
    """A DataLoader with persistent workers."""
    torch.set_num_threads(1)
    return torch.utils.data.DataLoader(
        dataset,
        batch_size,
        shuffle=True,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
        worker_init_fn=one_thread,
    )
