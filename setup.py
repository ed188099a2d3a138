"""Everything is declared in setup.cfg, except README as PyPI shows it."""

import re
from pathlib import Path

from setuptools import setup

REPOSITORY = "keras-spade/keras_spade"


def readme():
    """README.md; links to files and pictures of the repository become addresses on GitHub."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    pictures = rf"\1https://raw.githubusercontent.com/{REPOSITORY}/main/"
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", pictures, text)
    return re.sub(r"(\]\()(?!https?:)", rf"\1https://github.com/{REPOSITORY}/blob/main/", text)


setup(long_description=readme())
