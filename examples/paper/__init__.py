"""The experiments of the SPADE paper, one command each; see `docs/paper_experiments.md`."""
