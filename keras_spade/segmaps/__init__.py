"""How layers read label maps: patterns, windows, resizing, instance edges, dense maps."""

from keras_spade.segmaps.bounded_patterns import BoundedPatterns as BoundedPatterns
from keras_spade.segmaps.conditioning_map import ConditioningMap as ConditioningMap
from keras_spade.segmaps.conditioning_map import encode_labels as encode_labels
from keras_spade.segmaps.dense import Dense as Dense
from keras_spade.segmaps.distinct_windows import distinct_windows as distinct_windows
from keras_spade.segmaps.found_patterns import found_patterns as found_patterns
from keras_spade.segmaps.gamma_and_beta import GammaAndBeta as GammaAndBeta
from keras_spade.segmaps.half_pool import half_pool as half_pool
from keras_spade.segmaps.host_search import host_searches as host_searches
from keras_spade.segmaps.host_search import search_on_host as search_on_host
from keras_spade.segmaps.instance_edges import instance_edges as instance_edges
from keras_spade.segmaps.label_patterns import LabelPatterns as LabelPatterns
from keras_spade.segmaps.modulation import check_modulation as check_modulation
from keras_spade.segmaps.modulation import resolve_modulation as resolve_modulation
from keras_spade.segmaps.nearest_resize import nearest_resize as nearest_resize
from keras_spade.segmaps.patterns import Patterns as Patterns
from keras_spade.segmaps.pooled_convolution import PooledConvolution as PooledConvolution
from keras_spade.segmaps.pooled_convolution import padded_convolution as padded_convolution
from keras_spade.segmaps.segmap import Segmap as Segmap
from keras_spade.segmaps.segmap_reader import SegmapReader as SegmapReader
