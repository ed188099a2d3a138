"""Where Keras' backends differ: the same functions in one module for each.

`from keras_spade.backends import backend` gives the module of the backend in use, one of
`backends/tensorflow.py`, `backends/jax.py` and `backends/torch.py`. All three define:

**Facts**

- `COMPILES_STEPS`: whether `jit_compile` compiles training steps.
- `FIRST_STEP`: what happens to the first step of training, `"traced"` or `"compiled"`, unless it
  runs eagerly; `None`: nothing.
- `RUNS_MANY_STEPS`: whether Keras' loop takes `steps_per_execution` above 1.
- `ARRAYS_STREAM_AS_DATASETS`: whether a resumed `fit` reads arrays by `tf.data`.
- `READS_BATCHES_OF_PAST_STEPS`: whether Keras' loop reads a batch for a step that is passed over.
- `SHARES_BUFFERS`: whether assigning one variable to another makes them share memory that a
  compiled step then takes away from both.
- `TRACES_TENSORFLOW`: whether models become TensorFlow's graphs, which exported files are made of.

**A step**

- `minimize(losses, variables, optimizer, statistics, noise, reads, share)`: differentiates the sum
  of `losses()`, a dict of scalars by name, each a mean over this replica's batch, by `variables`,
  and applies `optimizer`, unless the sum or a gradient is not finite, or so large that its square
  is not. (A gradient beyond 1e19 is finite itself, but makes the second moments of Adam infinite,
  and the weights not a number a step later.) Then nothing moves, and the variables in `statistics`,
  which `losses` changes, get back their values of before. Those in `noise`, states of random
  numbers, move in any case. `reads` are the other variables that `losses` reads. `share` is this
  replica's part of the global batch. Returns the losses, and whether the update was skipped; where
  loss scaling searches for its scale by overflows, that does not count as skipped.
- `without_gradients()`: a context for what is a constant to the gradients.
- `on_host(function, *tensors, shape)`: calls `function` with the tensors as NumPy arrays, one call
  after the other where replicas are threads; on TensorFlow in a graph too, whenever that runs.
  Returns what it returns, a float64 array of `shape`; `None`: nothing.
- `check_label_range(labels, num_classes)`: returns the labels; fails, naming the range, on ids
  outside `0..num_classes-1`. While JAX traces, labels have no values: `guarded` has looked then.
- `check_image_range(argument, image, others)`: returns images and tensors that wait for the check;
  fails, naming the range, on floats beyond [-1, 1] by more than rounding makes, and on integers.
  (Not on NaN and infinity: a step that meets them is skipped.) While JAX traces, as above.

**What stands around steps in Keras' loop**

- `run_step(model, step, *arguments)`: runs `step(data, part)` with the arguments of Keras'
  `train_step` or `test_step`; `part` is a `Part` of the global batch.
- `compiled(model, function, behind)`: calls `function()`, in a step of the model. Here TensorFlow
  compiles by XLA, if `jit_compile` asks for it; JAX compiles whole steps, whose batches `guarded`
  has looked at. `behind` is a dict of checked tensors, a row a sample, which it waits for.
- `checking_first(model)`: a context in which Keras makes the functions of its loop.
- `run_predict_step(step, *arguments)`: the same for Keras' own `predict_step`.
- `guarded(model, function, check, counters)`: a train, test or predict function of Keras that calls
  `check` for each batch where the step itself cannot look, and shows `counters` outside of the
  loop's state.
- `pass_over(model, arguments, restore, counters)`: what a train function returns for a step that
  was made before; `restore` is called first, unless it is `None`.
- `inference(model, function, variables)`: compiles `function(inputs)`, which reads `variables` and
  changes none; on one replica, so that a worker can call it alone.

**Devices and workers**

- `replicas(model)`, `workers(model)`, `writes_files(model)`, `scope(model)`: how many replicas and
  processes train together; whether this process writes files; a context in which new variables fit
  those of the model.
- `check_variables(model, **groups)`: raises, naming the argument, if variables do not fit.
- `check_batches(x, batch_size, steps_per_epoch)`: raises if the devices cannot share a batch.
- `smallest_batch()`: the fewest samples that a batch can have.
- `losing_no_worker(model, advice)`: a context that says what to do if another worker is lost.
- `place_check(model)`: `None`, or a function of a place and a checksum that raises if workers
  differ.
- `shared_by_workers(model, data)`: the data, each batch of which all workers share.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_spade.backends import tensorflow as backend
elif keras.backend.backend() == "torch":
    from keras_spade.backends import torch as backend
else:
    from keras_spade.backends import jax as backend

__all__ = ["backend"]
