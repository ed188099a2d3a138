"""The generators that the paper compares with, for `GauGAN`."""

from examples.paper.networks.concat_decoder import ConcatDecoder as ConcatDecoder
from examples.paper.networks.crn import CRN as CRN
from examples.paper.networks.pix2pix import Pix2Pix as Pix2Pix
from examples.paper.networks.pix2pixhd import Pix2PixHD as Pix2PixHD
from examples.paper.networks.pix2pixhd_plus import Pix2PixHDPlus as Pix2PixHDPlus
