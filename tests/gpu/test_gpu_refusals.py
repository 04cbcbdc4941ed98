"""What a GPU's kernels refuse: types that are mixed or unknown, arrays with gaps."""
import numpy as np
import pytest


@pytest.mark.parametrize("types", [(np.float16, np.float16), (np.float32, np.float64),
                                   (np.int64, np.float32)])
def test_mixed_or_unknown_types_are_refused(cupy, gpu, types):
    weight, grad = (cupy.zeros(4, dtype=dtype) for dtype in types)
    with pytest.raises(TypeError,
                       match="all float32 or all float64, got .*" + np.dtype(types[0]).name):
        gpu.sgd_update(weight, grad, weight.copy(), 0.1, 0.9, 0.0)


def test_arrays_with_gaps_are_not_changed_in_place(cupy, gpu):
    gaps = cupy.zeros((4, 4), dtype=np.float32)[:, ::2]
    with pytest.raises(ValueError, match="C-contiguous"):
        gpu.sgd_update(gaps, cupy.zeros((4, 2), dtype=np.float32),
                       cupy.zeros((4, 2), dtype=np.float32), 0.1, 0.9, 0.0)
    with pytest.raises(ValueError, match="last axis"):
        x = cupy.zeros((1, 1, 4, 4), dtype=np.float32)
        gpu.im2col(x, (1, 1), (1, 1), (0, 0),
                   out=cupy.zeros((1, 1, 32), dtype=np.float32)[..., ::2])
