"""The sets of pictures that need no --data: ten drawn classes, and one to download."""
