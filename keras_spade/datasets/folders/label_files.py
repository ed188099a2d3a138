"""The label maps in a folder."""

import os

from keras_spade.datasets.folders.pairing import Files, existing_directory, files_by_name


def label_files(
    directory: str | os.PathLike, folder: str = "", kind: str = "label"
) -> dict[str, str]:
    """Lists label or instance maps by name, as the folder datasets find them.

    Args:
        directory: a folder.
        folder: where in it the maps are, like `label_folder` of `paired_folders`, such as
            `*/labels`; "": in the folder itself.
        kind: "label" or "instance", for messages.

    Returns:
        A dict name -> path, sorted by name; a name is the path in the folder without suffix.

    Raises:
        ValueError: if a folder is missing, contains no maps or two of the same name, or cannot be
            read.

    Example:

    ```python
    keras_spade.datasets.label_files("street", "*/labels")
    # {"Tile 1/x": "/home/me/street/Tile 1/labels/x.png", ...}
    ```
    """
    messages = []
    files = Files(kind, existing_directory(directory), within=folder)
    found, _ = files_by_name(files, {}, messages)
    if messages:
        raise ValueError(messages[0])
    return dict(sorted(found.items()))
