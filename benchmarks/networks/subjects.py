"""The subjects by name."""

from benchmarks.harness.plan import Subject

MODULATIONS = ("auto", "dense", "patterns")


def _ours(backend, modulation, folded):
    options = {"modulation": modulation, "folded": folded}
    return Subject(backend, "benchmarks.networks.ours", options)


def _plain(**options):
    return Subject("torch", "benchmarks.networks.plain_torch", options, ours=False)


SUBJECTS = {
    "torch": _plain(),
    "torch channels_last": _plain(channels_last=True),
    "torch compile": _plain(compiled=True),
    "torch compile channels_last": _plain(compiled=True, channels_last=True),
    "torch folded": _plain(folded=True),
    "torch compile folded": _plain(folded=True, compiled=True),
    "monai": Subject("torch", "benchmarks.networks.monai", ours=False),
}
for _name, _options in {
    "exported tf_saved_model": {"format": "tf_saved_model"},
    "exported tf_saved_model dense": {"format": "tf_saved_model", "modulation": "dense"},
    "exported onnx": {"format": "onnx"},
    "exported litert": {"format": "litert"},
}.items():
    SUBJECTS[_name] = Subject("tensorflow", "benchmarks.networks.exported", _options)
for _backend in ("tensorflow", "jax", "torch"):
    for _modulation in MODULATIONS:
        for _folded in (False, True):
            _words = [f"ours {_backend}", _modulation, "folded" * _folded]
            _name = " ".join(word for word in _words if word not in ("auto", ""))
            SUBJECTS[_name] = _ours(_backend, _modulation, _folded)

# Otherwise the host searches before the step, as in `GauGAN`.
SUBJECTS["ours jax patterns on_device"] = Subject(
    "jax",
    "benchmarks.networks.ours",
    {"modulation": "patterns", "folded": False, "on_device": True},
)
SUBJECTS["ours tensorflow xla"] = Subject(
    "tensorflow", "benchmarks.networks.ours", {"modulation": "auto", "folded": False, "xla": True}
)
SUBJECTS["ours torch dense compile"] = Subject(
    "torch",
    "benchmarks.networks.ours",
    {"modulation": "dense", "folded": False, "compiled": True},
)

DEFAULT = [
    name
    for name in SUBJECTS
    if not name.startswith("exported")
    and "folded" not in name
    and not name.endswith(("patterns", "on_device", "xla", "dense compile"))
]
