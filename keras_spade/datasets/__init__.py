"""From files on disk (or from nothing) to `{"labels", "instances", "image"}` batches."""

from keras_spade.datasets.by_epoch import by_epoch as by_epoch
from keras_spade.datasets.by_epoch import epoch_order as epoch_order
from keras_spade.datasets.coco_stuff import coco_stuff as coco_stuff
from keras_spade.datasets.paired_folders import paired_folders as paired_folders
from keras_spade.datasets.read_label_map import read_label_map as read_label_map
from keras_spade.datasets.synthetic_scenes import SCENE_CLASSES as SCENE_CLASSES
from keras_spade.datasets.synthetic_scenes import SCENE_PALETTE as SCENE_PALETTE
from keras_spade.datasets.synthetic_scenes import draw_scenes as draw_scenes
from keras_spade.datasets.synthetic_scenes import synthetic_scenes as synthetic_scenes
