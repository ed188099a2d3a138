"""Side-by-side measurements, run from the folder of the checkout.

    python -m benchmarks.networks    inference and training, beside PyTorch, MONAI or another commit
    python -m benchmarks.input       images a second of the input pipeline, beside PyTorch's
    python -m benchmarks.patterns    when label patterns pay, and where the time goes

All three are one harness (`benchmarks/harness`), on a CPU and a GPU alike: each subject in a
process of its own, in turns with the base that it is compared with, in one kind of table.
"""
