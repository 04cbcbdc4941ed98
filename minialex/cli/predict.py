"""The five most probable classes of each picture, as bars here and in a picture
beside the photo.

  minialex predict runs/RUN photo.jpg
  minialex predict runs/RUN FOLDER --csv guesses.csv   every picture in FOLDER
  minialex predict bvlc_alexnet.npy photo.jpg --classes synset_words.txt
  minialex predict runs/RUN photo.jpg --features       feature maps
  minialex predict runs/RUN --patches conv5:12         what excites a filter
"""
from ..evaluation.predict import DRAWN, predict
from . import FORCE, NETWORK, RUN, Command, device

main = Command(
    "predict", "RUN PICTURE|FOLDER... [options]", __doc__, predict, {"options": [
        RUN,
        ("pictures", "PICTURE", "files of pictures, or folders of them", {"nargs": "*"}),
        *NETWORK,
        ("--features", None, "also a picture of the feature maps of every convolution"),
        ("--patches", "[LAYER:]N", "a picture of the nine training patches that excite filter N of "
         "a layer (the last convolution) most"),
        ("--data", "DIR", "where --patches looks; without it, where the run learnt"),
        ("--out", "PNG", f"where the picture of the first {DRAWN} goes (PICTURE-prediction.png)"),
        ("--folder", "DIR", "where pictures without --out go (the current folder)",
         {"default": "."}),
        ("--csv", "FILE", "write the predictions as a table instead, a line for each picture; - "
         "for the screen"),
        FORCE,
        ("--json", None, "print the predictions as JSON"),
        device("cpu")]},
    statuses="0 done, 2 a mistake of the user, or a picture that cannot be read")
