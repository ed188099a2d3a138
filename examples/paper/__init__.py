"""The experiments of the SPADE paper, one command each; see `docs/paper_experiments.md`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Before TensorFlow is imported.
