"""From files on disk (or from nothing) to `{"labels", "instances", "image"}` batches."""

from keras_spade.datasets._small_label_sets import OUTDOOR_SCENES as OUTDOOR_SCENES
from keras_spade.datasets.ade20k import ade20k as ade20k
from keras_spade.datasets.ade20k_outdoor import ade20k_outdoor as ade20k_outdoor
from keras_spade.datasets.by_epoch import by_epoch as by_epoch
from keras_spade.datasets.by_epoch import epoch_order as epoch_order
from keras_spade.datasets.camvid import camvid as camvid
from keras_spade.datasets.cityscapes import cityscapes as cityscapes
from keras_spade.datasets.cmp_facades import cmp_facades as cmp_facades
from keras_spade.datasets.coco_stuff import coco_stuff as coco_stuff
from keras_spade.datasets.dataset_report import DatasetReport as DatasetReport
from keras_spade.datasets.inspect_dataset import inspect_dataset as inspect_dataset
from keras_spade.datasets.label_mapping import LabelMapping as LabelMapping
from keras_spade.datasets.landscapes import landscapes as landscapes
from keras_spade.datasets.named_dataset import NAMED_DATASETS as NAMED_DATASETS
from keras_spade.datasets.named_dataset import NamedDataset as NamedDataset
from keras_spade.datasets.paired_folders import paired_folders as paired_folders
from keras_spade.datasets.read_label_map import read_label_map as read_label_map
from keras_spade.datasets.synthetic_scenes import SCENE_CLASSES as SCENE_CLASSES
from keras_spade.datasets.synthetic_scenes import SCENE_PALETTE as SCENE_PALETTE
from keras_spade.datasets.synthetic_scenes import draw_scenes as draw_scenes
from keras_spade.datasets.synthetic_scenes import synthetic_scenes as synthetic_scenes
from keras_spade.datasets.tfrecords import tfrecords as tfrecords
from keras_spade.datasets.write_tfrecords import write_tfrecords as write_tfrecords
