"""Finite differences for every operation of the engine, over drawn shapes, windows, groups, values
and memory layouts."""
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import minialex as ma
import minialex.functional as F
from minialex.gradcheck import gradcheck

few = settings(max_examples=12, deadline=None, derandomize=True,
               suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2 ** 16)
sizes = st.integers(1, 4)
layouts = st.sampled_from(["plain", "transposed", "every second", "backwards", "channels last"])
kinds = st.sampled_from(["normal", "whole", "large"])


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small arrays are not worth the cores' time to agree on who does what."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIALEX_THREADS", "1")
        yield


def values(shape, seed, kind="normal"):
    """"whole": small whole numbers, full of zeros and ties. "large": around a hundred, as pixels
    are."""
    generator = np.random.default_rng(seed)
    if kind == "whole":
        return generator.integers(-2, 3, shape).astype(float)
    if kind == "positive":
        return generator.uniform(0.5, 2, shape)
    return generator.standard_normal(shape) * (100 if kind == "large" else 1)


def laid_out(array, layout):
    """(an array to hand over, how to get a non-contiguous view with the values of `array` from its
    Tensor)"""
    if array.ndim == 0 or layout == "plain":
        return array, lambda tensor: tensor
    if layout == "transposed":
        return np.ascontiguousarray(array.T), lambda tensor: tensor.T
    if layout == "channels last":
        back = (2, 3, 0, 1) if array.ndim == 4 else tuple(range(array.ndim))
        return np.ascontiguousarray(array.transpose(back)), lambda tensor: tensor.transpose(*back)
    if layout == "every second":
        return np.repeat(array, 2, axis=-1), lambda tensor: tensor[..., ::2]
    return np.ascontiguousarray(array[..., ::-1]), lambda tensor: tensor[..., ::-1]


def check(fn, *arrays, layout="plain", **options):
    """All gradients of `fn` are right where its inputs lie in memory as `layout` says."""
    handed_over, views = zip(*(laid_out(array, layout) for array in arrays))
    report = gradcheck(lambda *tensors: fn(*(view(tensor) for view, tensor in zip(views, tensors))),
                       handed_over, samples=10, directions=1, **options)
    assert report, f"\n{report}"
    assert report.largest_error < 1e-6


@st.composite
def broadcast_pairs(draw):
    """Two shapes that NumPy broadcasts against each other."""
    full = draw(st.lists(sizes, min_size=0, max_size=3))
    thin = [draw(st.sampled_from([1, n])) for n in full][draw(st.integers(0, len(full))):]
    pair = [tuple(full), tuple(thin)]
    return tuple(reversed(pair)) if draw(st.booleans()) else tuple(pair)


BINARY = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
          "/": lambda a, b: a / b, "**": lambda a, b: a ** b}


@pytest.mark.parametrize("symbol", BINARY)
@few
@given(shapes=broadcast_pairs(), seed=seeds, layout=layouts)
def test_arithmetic_with_broadcasting(symbol, shapes, seed, layout):
    kind = "positive" if symbol in ("/", "**") else "normal"
    check(BINARY[symbol], values(shapes[0], seed, kind), values(shapes[1], seed + 1, kind),
          layout=layout)


UNARY = {"neg": lambda x: -x, "exp": lambda x: x.exp(), "square": lambda x: x ** 2,
         "twice": lambda x: x * x + x, "reciprocal": lambda x: 1 / (x * x + 1), "relu": F.relu,
         "tanh": F.tanh, "sigmoid": F.sigmoid, "flatten": F.flatten}


@pytest.mark.parametrize("name", UNARY)
@few
@given(shape=st.lists(sizes, min_size=1, max_size=3), seed=seeds, layout=layouts,
       kind=st.sampled_from(["normal", "whole"]))
def test_entry_by_entry(name, shape, seed, layout, kind):
    check(UNARY[name], values(shape, seed, kind), layout=layout)


@few
@given(shape=st.lists(sizes, max_size=3), seed=seeds, layout=layouts)
def test_logarithm(shape, seed, layout):
    check(lambda x: x.log(), values(shape, seed, "positive"), layout=layout)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
@few
@given(data=st.data(), shape=st.lists(sizes, min_size=1, max_size=3), seed=seeds, layout=layouts,
       keepdims=st.booleans(), kind=kinds)
def test_reductions(name, data, shape, seed, layout, keepdims, kind):
    axes = data.draw(st.one_of(st.none(),
                               st.sets(st.integers(0, len(shape) - 1), min_size=1).map(tuple)))
    check(lambda x: getattr(x, name)(axis=axes, keepdims=keepdims), values(shape, seed, kind),
          layout=layout)


@few
@given(seed=seeds, layout=layouts, n=sizes, m=sizes, k=sizes,
       left=st.sampled_from(["m", "row", "batch"]), right=st.sampled_from(["m", "column", "batch"]))
def test_matrix_product(seed, layout, n, m, k, left, right):
    a = {"m": (n, k), "row": (k,), "batch": (2, n, k)}[left]
    b = {"m": (k, m), "column": (k,), "batch": (2, k, m)}[right]
    check(lambda a, b: a @ b, values(a, seed), values(b, seed + 1), layout=layout)


@few
@given(data=st.data(), seed=seeds, layout=layouts, shape=st.tuples(sizes, sizes, sizes))
def test_shapes_and_indices(data, seed, layout, shape):
    order = data.draw(st.permutations(range(3)))
    rows = data.draw(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=6))
    x = values(shape, seed)
    check(lambda x: x.transpose(*order).reshape(-1), x, layout=layout)
    # a row that is picked twice gets both gradients
    check(lambda x: x[np.array(rows)], x, layout=layout)
    check(lambda x: x[rows[0], ::2], x, layout=layout)


@st.composite
def windows(draw, largest_padding=2):
    """(image shape (N, C, H, W), kernel_size, stride, padding) in which at least one window
    fits."""
    kernel, stride = (draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(2))
    padding = draw(st.tuples(*[st.integers(0, largest_padding)] * 2))
    N, C, H, W = (draw(st.integers(1, n)) for n in (3, 3, 7, 7))
    assume(all(k <= size + 2 * p for k, size, p in zip(kernel, (H, W), padding)))
    return (N, C, H, W), kernel, stride, padding


@settings(few, max_examples=40)
@given(window=windows(), groups=st.integers(1, 3), kernels=st.integers(1, 2), bias=st.booleans(),
       seed=seeds, layout=layouts, kind=kinds)
def test_convolution(window, groups, kernels, bias, seed, layout, kind):
    (N, C, H, W), kernel_size, stride, padding = window
    x = values((N, C * groups, H, W), seed, kind)
    weight = values((kernels * groups, C, *kernel_size), seed + 1)
    rest = (values((kernels * groups,), seed + 2),) if bias else ()
    check(lambda x, weight, bias=None: F.conv2d(x, weight, bias, stride, padding, groups), x,
          weight, *rest, layout=layout)


@settings(few, max_examples=12)
@given(sizes=st.tuples(*[st.integers(3, 7)] * 2), padding=st.tuples(*[st.integers(0, 2)] * 2),
       groups=st.integers(1, 2), extra=st.tuples(*[st.integers(0, 1)] * 2), seed=seeds,
       layout=layouts, kind=kinds)
def test_convolution_by_tiles(sizes, padding, groups, extra, seed, layout, kind):
    """3x3 kernels between many channels, which fast/winograd.py computes (5x5 and strides:
    test_convolution.py)."""
    C_out, C = ((32 + more) * groups for more in extra)
    x, weight = values((8, C, *sizes), seed, kind), values((C_out, C // groups, 3, 3), seed + 1)
    check(lambda x, weight: F.conv2d(x, weight, None, 1, padding, groups), x, weight, layout=layout)


@settings(few, max_examples=40)
@given(window=windows(), seed=seeds, layout=layouts, kind=kinds)
def test_max_pooling(window, seed, layout, kind):
    shape, kernel_size, stride, padding = window
    assume(all(2 * p <= k for p, k in zip(padding, kernel_size)))
    check(lambda x: F.max_pool2d(x, kernel_size, stride, padding), values(shape, seed, kind),
          layout=layout)


@few
@given(window=windows(largest_padding=0), seed=seeds, layout=layouts)
def test_average_pooling(window, seed, layout):
    shape, kernel_size, stride, _ = window
    check(lambda x: F.avg_pool2d(x, kernel_size, stride), values(shape, seed), layout=layout)


@few
@given(widths=st.tuples(*[st.integers(0, 3)] * 4), seed=seeds, layout=layouts)
def test_zero_padding(widths, seed, layout):
    check(lambda x: F.zero_pad2d(x, *widths), values((2, 2, 3, 4), seed), layout=layout)


@settings(few, max_examples=30)
@given(towers=st.integers(1, 2), channels=st.integers(1, 6), size=st.integers(1, 6),
       alpha=st.sampled_from([1e-4, 0.1, 1.0]), beta=st.sampled_from([0.5, 0.75, 1.0]),
       k=st.sampled_from([1.0, 2.0]), seed=seeds, layout=layouts, kind=kinds)
def test_local_response_norm(towers, channels, size, alpha, beta, k, seed, layout, kind):
    x = values((2, channels * towers, 2, 3), seed, kind)
    check(lambda x: F.local_response_norm(x, size, alpha, beta, k, towers), x, layout=layout)


@few
@given(size=st.integers(1, 5), alpha=st.sampled_from([4e-5, 0.1]),
       beta=st.sampled_from([0.75, 1.0]), seed=seeds, layout=layouts)
def test_map_response_norm(size, alpha, beta, seed, layout):
    check(lambda x: F.map_response_norm(x, size, alpha, beta), values((2, 2, 4, 5), seed),
          layout=layout)


@few
@given(N=sizes, inputs=sizes, outputs=sizes, bias=st.booleans(), seed=seeds, layout=layouts,
       kind=kinds)
def test_linear(N, inputs, outputs, bias, seed, layout, kind):
    rest = (values((outputs,), seed + 2),) if bias else ()
    check(F.linear, values((N, inputs), seed, kind), values((outputs, inputs), seed + 1), *rest,
          layout=layout)


@few
@given(p=st.sampled_from([0.0, 0.3, 0.5, 0.9]), training=st.booleans(), seed=seeds, layout=layouts)
def test_dropout(p, training, seed, layout):
    check(lambda x: F.dropout(x, p, training), values((4, 5), seed), layout=layout)


@few
@given(N=sizes, classes=st.integers(1, 6), axis=st.sampled_from([0, 1, -1]), seed=seeds,
       layout=layouts, kind=st.sampled_from(["normal", "whole"]))
def test_softmax_and_its_logarithm(N, classes, axis, seed, layout, kind):
    for fn in (F.softmax, F.log_softmax):
        check(lambda x, fn=fn: fn(x, axis=axis), values((N, classes), seed, kind), layout=layout)


@few
@given(N=sizes, classes=st.integers(1, 6), seed=seeds, layout=layouts,
       kind=st.sampled_from(["normal", "large"]))
def test_losses(N, classes, seed, layout, kind):
    labels = np.random.default_rng(seed).integers(0, classes, N)
    check(lambda logits: F.cross_entropy(logits, labels), values((N, classes), seed, kind),
          layout=layout)
    weight = np.random.default_rng(seed + 1).uniform(0.1, 9, classes)
    check(lambda logits: F.cross_entropy(logits, labels, weight), values((N, classes), seed, kind),
          layout=layout)
    check(F.mse_loss, values((N, classes), seed, kind), values((N, classes), seed + 1),
          layout=layout)


def test_a_tensor_that_only_passes_through():
    check(lambda x: x, values((2, 3), 0))
    check(lambda x, unused: x * 2, values((2, 3), 0), values((2, 3), 1))


def test_every_operation_is_in_the_command_s_list():
    """A new Function in ops/ that `python -m minialex.gradcheck` does not check fails here."""
    from minialex import tensor
    from minialex.gradcheck import engine

    seen = set()

    def watch(direction, function, call):
        seen.add(function.name)
        return call

    tensor.observers.append(watch)
    try:
        for _, fn, inputs in engine.operations():
            fn(*map(ma.Tensor, inputs if isinstance(inputs, tuple) else (inputs,)))
    finally:
        tensor.observers.remove(watch)
    modules = (getattr(ma.ops, name)
               for name in ("activation", "arithmetic", "convolution", "dropout", "linear", "loss",
                            "normalization", "padding", "pooling"))
    functions = {name for module in modules for name, value in vars(module).items()
                 if isinstance(value, type) and issubclass(value, ma.Function)
                 and value is not ma.Function and name[0] != "_"}
    assert functions <= seen, f"not checked: {sorted(functions - seen)}"
