"""Keras callbacks, and functions to draw pictures."""

from keras_spade.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
from keras_spade.callbacks.draw_grid import draw_grid as draw_grid
from keras_spade.callbacks.evaluate_metrics import EvaluateMetrics as EvaluateMetrics
from keras_spade.callbacks.image_grid import ImageGrid as ImageGrid
from keras_spade.callbacks.linear_decay import LinearDecay as LinearDecay
from keras_spade.callbacks.plot_curves import plot_curves as plot_curves
from keras_spade.callbacks.run_page import RunPage as RunPage
from keras_spade.label_colors import label_colors as label_colors
