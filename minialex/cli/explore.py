"""Writes a network as one page that a browser shows without any network: drawn
to scale, every layer's arithmetic, what each unit sees of the picture. Of a
run also its filters, feature maps, strongest patches and the ten crops.

  minialex explore paper alexnet.html
  minialex explore runs/RUN run.html
  minialex explore bvlc_alexnet.npy net.html --pictures FOLDER
"""
from ..explore.command import NETWORKS, explore
from . import CLASS_NAMES, CLASSES, FORCE, MEAN, Command, device

main = Command("explore", "RUN|WEIGHTS|VARIANT OUT.html [options]", __doc__, explore, {"options": [
    ("network", "NETWORK", "a run's folder, a file of weights, a network of your own as "
     "FILE.py:NAME, or a name: "
     + ", ".join(NETWORKS)),
    ("out", "OUT.html", "where the page goes"),
    ("--pictures", "DIR", "a picture or a folder of them to look at, in place of those that the "
     "run held out"),
    CLASSES, CLASS_NAMES, MEAN, FORCE, device("cpu")]})
