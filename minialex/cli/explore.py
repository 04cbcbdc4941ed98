"""Writes a network as one page that a browser shows without any network: drawn
to scale, every layer's arithmetic, what each unit sees of the picture.

  minialex explore paper alexnet.html
  minialex explore lenet5 lenet.html
"""
from ..explore.command import explore
from . import FORCE, Command

main = Command("explore", "VARIANT OUT.html [options]", __doc__, explore, {"options": [
    ("network", "NETWORK", "its name: paper, caffenet, caffe, single-tower, keras, torchvision, krizhevsky or lenet5"),
    ("out", "OUT.html", "where the page goes"),
    FORCE]})
