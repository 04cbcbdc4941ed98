"""Pictures in, batches out. Arrays only: nothing here knows of tensors or devices."""

from minialex.data.folder import open_folder
from minialex.data.loader import Loader
from minialex.data.mean_image import Statistics, statistics
from minialex.data.pictures import PictureSet, UnreadablePicture, decode
from minialex.data.sources import builtin, imagenette
from minialex.data.subset import Picture, Subset, open_data, open_whole, parse_subset
from minialex.data.transforms import ten_crops
from minialex.data.walk import files_below

__all__ = [
    "Loader",
    "Picture",
    "PictureSet",
    "Statistics",
    "Subset",
    "UnreadablePicture",
    "builtin",
    "decode",
    "files_below",
    "imagenette",
    "open_data",
    "open_folder",
    "open_whole",
    "parse_subset",
    "statistics",
    "ten_crops",
]
