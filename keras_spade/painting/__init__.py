"""The painter: a page to draw a label map and see the picture that a model paints from it."""

from keras_spade.painting.command import main as main
from keras_spade.painting.in_precision import in_precision as in_precision
from keras_spade.painting.load_gan import load_gan as load_gan
from keras_spade.painting.painting_model import PaintingModel as PaintingModel
from keras_spade.painting.server import make_app as make_app
from keras_spade.painting.site import write_site as write_site
