"""Everything that differs between Keras' backends: the same functions in one module per backend.

`from keras_spade.backends import backend` imports the module of the backend in use: one of
`backends/tensorflow.py`, `backends/jax.py` and `backends/torch.py`. All three define:

**Constants**

- `COMPILES_STEPS`: whether `jit_compile` compiles training steps.
- `FIRST_STEP`: what happens in the first training step unless it runs eagerly: `"traced"`,
  `"compiled"`, or `None` for neither.
- `MULTIPLIES_BFLOAT16`: whether convolutions use the bfloat16 instructions of a CPU that has them,
  as measured on TensorFlow; unknown on JAX and PyTorch.
- `RUNS_MANY_STEPS`: whether Keras' loop supports `steps_per_execution` above 1.
- `ARRAYS_STREAM_AS_DATASETS`: whether a resumed `fit` reads arrays through `tf.data`.
- `READS_BATCHES_OF_PAST_STEPS`: whether Keras' loop reads a batch for a step that is passed over.
- `SHARES_BUFFERS`: whether assigning one variable to another makes them share memory, which a
  compiled step then takes away from both.
- `TRACES_TENSORFLOW`: whether models become TensorFlow graphs, from which files are exported.

**Inside a step**

- `minimize(losses, variables, optimizer, statistics, noise, reads, share)`: differentiates the sum
  of `losses()`, a dict of scalars by name, each a mean over this replica's batch, with respect to
  `variables`, and applies `optimizer`, unless the sum or a gradient, or its square, is not finite.
  (A gradient above 1e19 is itself finite, but makes Adam's second moments infinite, and the weights
  NaN one step later.) In that case the update is skipped: no variable changes, and the variables in
  `statistics`, which `losses` updates, are restored. Those in `noise`, states of random number
  generators, advance in any case. `reads` are the other variables that `losses` reads. `share` is
  this replica's share of the global batch. Returns the losses, and whether the update was skipped;
  overflows by which loss scaling searches for its scale do not count as skipped.
- `without_gradients()`: a context for computations that gradients treat as constant.
- `on_host(function, *tensors, shape)`: calls `function` with the tensors as NumPy arrays, one call
  at a time where replicas are threads; in a TensorFlow graph, each time the graph runs. Returns the
  function's result, a float64 array of `shape`; with `None`, nothing.
- `check_label_range(labels, num_classes)`: returns the labels; raises an error that names the range
  if ids are outside `0..num_classes-1`. While JAX traces, labels have no values: `guarded` has
  already checked them.
- `check_image_range(argument, image, others)`: returns images, and tensors that wait for the check;
  raises an error that names the range for floats outside [-1, 1] by more than rounding error, and
  for integers. (Not for NaN and infinity: such a step is skipped.) While JAX traces, as above.

**Around the steps, in Keras' loop**

- `run_step(model, step, *arguments)`: runs `step(data, part)` with the arguments of Keras'
  `train_step` or `test_step`; `part` is a `Part` of the global batch.
- `compiled(model, function, behind)`: calls `function()` within a step of the model. TensorFlow
  compiles it with XLA here if `jit_compile` says so; JAX compiles whole steps, whose batches
  `guarded` has checked. `behind` is a dict of checked tensors, one row per sample, for which the
  call waits.
- `checking_first(model)`: a context in which Keras creates the functions of its loop.
- `run_predict_step(step, *arguments)`: like `run_step`, for Keras' own `predict_step`.
- `guarded(model, function, prepare, counters, steps)`: a train, test or predict function of Keras.
  If the whole step is compiled, which cannot check values, `prepare` raises for invalid batches,
  and returns the batch for the step. Makes `counters` visible outside the loop's state. `steps()`
  is the number of steps after which Keras' loop stops reading, or `None`.
- `pass_over(model, arguments, restore, counters)`: the result of a train function for a step that
  was run before the interruption; calls `restore` first unless it is `None`.
- `inference(model, function, variables)`: compiles `function(inputs)`, which reads `variables` and
  changes none; runs on one replica, so that a single worker can call it.

**Devices and workers**

- `replicas(model)`, `workers(model)`: the number of replicas and of processes that train together.
- `writes_files(model)`: whether this process writes files.
- `scope(model)`: a context in which new variables are compatible with those of the model.
- `check_variables(model, **groups)`: raises, naming the argument, if variables are incompatible.
- `check_batches(x, batch_size, steps_per_epoch)`: raises if the devices cannot share a batch.
- `smallest_batch()`: the smallest possible number of samples in a batch.
- `losing_no_worker(model, advice)`: a context that explains what to do if another worker is lost.
- `place_check(model)`: `None`, or a function of a place and a checksum that raises if they differ
  between workers.
- `shared_by_workers(model, data)`: the data, each batch of which is shared by all workers.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_spade.backends import tensorflow as backend
elif keras.backend.backend() == "torch":
    from keras_spade.backends import torch as backend
else:
    from keras_spade.backends import jax as backend

__all__ = ["backend"]
