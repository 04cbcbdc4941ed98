"""Pictures in, batches out. Arrays only: nothing here knows of tensors or devices."""

from .loader import Loader
from .mean_image import Statistics, statistics
from .opening import (
    Picture,
    Subset,
    builtin,
    imagenette,
    open_data,
    open_folder,
    open_whole,
    parse_subset,
)
from .pictures import PictureSet, UnreadablePicture, decode
from .transforms import ten_crops
from .walk import files_below

__all__ = ["Loader", "Picture", "PictureSet", "Statistics", "Subset", "UnreadablePicture",
           "builtin", "decode", "files_below", "imagenette", "open_data", "open_folder",
           "open_whole", "parse_subset", "statistics", "ten_crops"]
