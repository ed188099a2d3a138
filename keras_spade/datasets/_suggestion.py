"""How to load files in which these ids or colours were found."""

from keras_spade.datasets.label_mapping import LabelMapping

MOST_COLORS = 256
MOST_REMAPPED = 64


def suggest_call(directory, folders, pixels, image_sizes):
    """The call that loads a folder, as text; `None` if its labels are of no kind that can be.

    Args:
        directory: of the dataset.
        folders: dict of the arguments that name folders, where they are not the default.
        pixels: dict id or colour -> share of pixels.
        image_sizes: dict `(height, width)` -> number of images.
    """
    kinds = {isinstance(value, tuple) for value in pixels}
    if kinds == {True, False}:
        return None
    found = _colors(pixels) if True in kinds else _ids(pixels)
    if found is None:
        return None
    size = (256, 256)
    if image_sizes and all(width >= 1.8 * height for height, width in image_sizes):
        size = (256, 512)
    arguments = {**folders, "num_classes": found.pop("num_classes"), "image_size": size}
    arguments |= found
    arguments["load_size"] = tuple(round(edge * 286 / 256) for edge in size)
    arguments["flip"] = True
    if isinstance(mapping := arguments.get("label_mapping"), LabelMapping):
        arguments["label_mapping"] = _Text(f"keras_spade.datasets.{mapping!r}")
    lines = [f"    {str(directory)!r},", *(f"    {k}={v!r}," for k, v in arguments.items())]
    return "\n".join(["keras_spade.datasets.paired_folders(", *lines, ")"])


class _Text(str):
    """Text that shows itself without quotes."""

    def __repr__(self):
        return str(self)


def _colors(pixels):
    if len(pixels) > MOST_COLORS:
        return None
    palette = sorted(pixels, key=pixels.get, reverse=True)
    mapping = LabelMapping(palette=palette, void_labels=None)
    return {"num_classes": len(palette), "label_mapping": mapping}


def _ids(pixels):
    voids = [value for value in pixels if value < 0]
    ids = sorted(value for value in pixels if value >= 0)
    if len(ids) > 1 and ids[-1] == 255 and ids[-2] < 254:
        voids.append(ids.pop())
    if not ids:
        return None
    void = {"void_class": True} if voids else {}
    sparse = ids[-1] + 1 > 2 * len(ids)
    from_one = ids[0] == 1 and not sparse
    if len(ids) <= MOST_REMAPPED and sparse:
        remap = {value: number for number, value in enumerate(ids)}
        mapping = LabelMapping(remap=remap, void_labels=voids or None)
        return {"num_classes": len(ids), "label_mapping": mapping, **void}
    if from_one:
        mapping = LabelMapping(offset=-1, void_labels=voids or None)
        return {"num_classes": ids[-1], "label_mapping": mapping, **void}
    if len(voids) > 1:
        void["label_mapping"] = LabelMapping(void_labels=voids)
    elif voids != [255]:
        void["void_label"] = voids[0] if voids else None
    return {"num_classes": ids[-1] + 1, **void}
