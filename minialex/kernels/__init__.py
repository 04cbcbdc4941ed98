"""The hot loops, once for each kind of array: `cpu` (NumPy, all cores) and `gpu` (CuPy). Same names, same tests."""
