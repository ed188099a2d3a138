"""Side-by-side measurements, to run from the root of the checkout.

    python -m benchmarks.networks    inference and training, against PyTorch, MONAI or a commit
    python -m benchmarks.input       images per second of the input pipeline, against PyTorch's
    python -m benchmarks.patterns    when label patterns help, and where time is spent
    python -m benchmarks.painting    the time from a stroke to its picture in the painter

The first three share one harness (`benchmarks/harness`) for CPU and GPU: each subject runs in its
own process, in turns with the base that it is compared with, and all print the same kind of table.

Two take no turns, because nothing is compared, and have clocks of their own: `benchmarks.painting`
times strokes in the page and answers of the server, `benchmarks.input --pairs` a single start.
"""
