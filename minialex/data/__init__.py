"""Pictures in, batches out: arrays, on the device that is asked for. Nothing here knows of tensors
or networks."""

from ..folders.walk import files_below
from ..sets.subset import Subset, parse_subset
from .loader import Loader
from .mean_image import Statistics, statistics
from .opening import (
    Picture,
    builtin,
    imagenette,
    open_data,
    open_folder,
    open_whole,
)
from .pictures import PictureSet, UnreadablePicture, decode
from .transforms import ten_crops

__all__ = ["Loader", "Picture", "PictureSet", "Statistics", "Subset", "UnreadablePicture",
           "builtin", "decode", "files_below", "imagenette", "open_data", "open_folder",
           "open_whole", "parse_subset", "statistics", "ten_crops"]
