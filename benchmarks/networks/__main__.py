"""Times our networks against PyTorch, MONAI or another commit, on a CPU or a GPU.

    python -m benchmarks.networks --quick
    python -m benchmarks.networks --data=coco_stuff:../shared/data/coco_stuff_sample \
        --subjects="ours tensorflow,torch,torch compile"
    python -m benchmarks.networks --tasks=training_step --precisions=float32,tf32,bfloat16 \
        --batch_sizes=1..64 --records=run.jsonl
    python -m benchmarks.networks --old=../old --tasks=inference,training_step \
        --subjects="ours tensorflow patterns,ours tensorflow dense,ours jax patterns,ours jax dense"

Needs Keras and at least one of PyTorch, JAX and TensorFlow. Every subject runs in its own process,
with its own backend, and takes turns with the base: ratios are computed from adjacent
turns. A turn is some steps on one batch; the next turn uses the next batch. Its first step, on the
previous batch, does not count. Each step is timed until its result is complete, and data are
already on the device. (Our training step is one of `fit`, which on JAX and TensorFlow includes the
copy of the batch, about a megabyte per sample.) Between turns, PyTorch releases unused memory; JAX
and TensorFlow keep theirs. Subjects that are not installed, do not fit or fail get a row with the
reason.
With --records, the same command resumes where it was stopped. Environment variables are passed to
the processes: `TORCHINDUCTOR_FREEZING=1`, for example, lets torch.compile fold constants.
--batch_sizes=1..64 doubles until memory runs out, 1.. without a limit.

"Held" is the memory in use once networks, optimizers and their slots are built; "above held" is the
additional peak of all steps: on a GPU, of the library's allocator, on a CPU, of the resident
memory of the process. The first step compiles.

Precisions: "float32": without TF32; "tf32": float32 whose products may use TF32; "bfloat16": Keras'
policy `mixed_bfloat16`, or autocast for plain PyTorch.
"""

from dataclasses import asdict, replace

from absl import app, flags

from benchmarks.harness import command, label_flags
from benchmarks.harness.label_maps import distinct_shares, pick_batch, shares_line
from benchmarks.harness.plan import Group
from benchmarks.networks.batch_sizes import batch_sizes
from benchmarks.networks.flops import COUNTED, flops
from benchmarks.networks.settings import NETWORKS, PRECISIONS, TASKS, Settings
from benchmarks.networks.subjects import DEFAULT, SUBJECTS

FLAGS = flags.FLAGS
flags.DEFINE_list("subjects", DEFAULT, f"Subjects to run, of: {', '.join(SUBJECTS)}.")
flags.DEFINE_list("tasks", ["inference"], f"Tasks to measure, of: {', '.join(TASKS)}.")
flags.DEFINE_enum(
    "network", "generator", NETWORKS, "The network to run, except in a training step."
)
flags.DEFINE_list("precisions", ["float32"], f"Precisions, of: {', '.join(PRECISIONS)}.")
flags.DEFINE_string(
    "batch_sizes", "1", "1,4: these; 1..64: doubling until memory runs out; 1..: without limit."
)

flags.DEFINE_integer("hidden_filters", 128, "Width inside the SPADEs.", lower_bound=1)
flags.DEFINE_integer("latent_dim", 256, "0: no latent, and no encoder.", lower_bound=0)

QUICK = {
    "height": 96,
    "width": 128,
    "num_classes": 20,
    "base_filters": 4,
    "hidden_filters": 8,
    "latent_dim": 4,
    "cores": 1,
    "rounds": 3,
    "turn_seconds": 0.05,
}
MOST_SAMPLES = 64
MOST_COUNTED = 16


def main(argv):
    """Measures and prints."""
    command.start(argv, QUICK)
    for flag, known in (("tasks", TASKS), ("precisions", PRECISIONS)):
        if unknown := [name for name in FLAGS[flag].value if name not in known]:
            raise app.UsageError(f"--{flag}: unknown: {unknown}; there are {list(known)}")
    pairs = command.pairs(SUBJECTS, FLAGS.subjects)
    sizes = batch_sizes(FLAGS.batch_sizes)
    count = min(MOST_SAMPLES, max(sizes[-1], FLAGS.rounds * sizes[0]))
    maps = label_flags.load(count)
    settings = Settings(
        num_classes=maps.num_classes,
        void_class=maps.void_class,
        instance_edges="edges" in maps.samples,
        height=FLAGS.height,
        width=FLAGS.width,
        latent_dim=FLAGS.latent_dim or None,
        base_filters=FLAGS.base_filters,
        hidden_filters=FLAGS.hidden_filters,
        network=FLAGS.network,
    )
    cases = tuple({"batch": size} for size in sizes)
    groups = [
        Group(
            {"task": task, "precision": precision},
            replace(settings, task=task, precision=precision),
            cases,
            precision,
        )
        for task in FLAGS.tasks
        for precision in FLAGS.precisions
    ]
    about = {"data": FLAGS.data, **asdict(settings)}
    lines = list(header(settings, maps, sizes))
    command.run("networks", groups, pairs, about, maps.samples, lines)


def header(settings, maps, sizes):
    """The conditions of the numbers."""
    yield (
        f"{settings.height} x {settings.width}, {settings.label_channels} label channels: "
        f"{settings.num_classes} classes{', void' * settings.void_class}"
        f"{', edges' * settings.instance_edges}; {FLAGS.data}"
    )
    for size in sizes:
        if size <= MOST_COUNTED:
            batches = [pick_batch(maps.samples, index, size) for index in range(FLAGS.rounds)]
            shares = shares_line([distinct_shares(batch) for batch in batches])
            yield (
                f"distinct 5 x 5 label patterns, share of the pixels of a batch of {size}: {shares}"
            )
    tasks = [task for task in FLAGS.tasks if task in COUNTED and settings.network == "generator"]
    if tasks:
        counted = [f"{task} {flops(replace(settings, task=task)) / 1e9:.4g}" for task in tasks]
        yield (
            f"GFLOP a sample of the plain, dense model: {', '.join(counted)}. GFLOP/s and the "
            "share of the matrix peak are of these operations for every subject: with patterns "
            "fewer are made, so theirs is an effective share, which may exceed 100 %."
        )


if __name__ == "__main__":
    app.run(main)
