"""Convolutions in the fast way: a plan says how, and a ReLU that follows is the epilogue of each
part's output.

A plan has two methods, `forward(x, weight, bias, epilogue) -> y` and `backward(x, weight, incoming,
needed) -> (dx, dW, db)`. `Plan` is the one product of `ops/convolution.py`, for a few images at a
time; the maps that bring weights, images and output into the product's form and back are left to
its kinds: im2col.py, batched.py, winograd.py, space_to_depth.py, gpu.py.

The columns of a whole batch would fill the memory (conv1's alone 562 MB at 128 images), so a few
images at a time share one buffer, and backward builds the columns again, which is cheaper than
keeping them. Gains: what each kind says; the epilogue the five ReLUs' own passes, 2 to 4 % of the
paper's step (RESULTS.md, "What each step brought").
"""
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from .. import ops
from ..aliases import Array
from ..device import array_module
from ..ops.im2col import output_size
from .buffers import empty
from .threads import for_rows, sum_over_images


class Convolution(ops.Conv2d):
    """ops.Conv2d by a plan. `relu`: y = max(W · columns + b, 0), where dy counts where y > 0: the
    same numbers as two operations, but the output before ReLU is never kept."""

    plan = None
    fresh_gradients = True
    relu = False

    @property
    def name(self) -> str:
        return "Conv2dReLU" if self.relu else "Conv2d"

    def forward(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        plan = self.plan_for(x, weight, forward=True)
        y = plan.forward(x, weight, bias, _relu if self.relu else None)
        self.backward_plan = plan if plan.both_ways else None
        self.save_for_backward(x, weight, *([y] if self.relu else []))
        return y

    def backward(self, grad_output: Array) -> tuple[Array | None, ...]:
        x, weight, *y = self.saved
        xp = array_module(x)

        def incoming(images: slice) -> Array:
            dy = grad_output[images]
            if not self.relu:
                return dy
            out = dy if self.owns_grad_output else xp.empty_like(dy)
            for_rows(lambda dy, y, out: xp.multiply(dy, y > 0, out=out), dy, y[0][images], out)
            return out

        plan = self.backward_plan or self.plan_for(x, weight, forward=False)
        gradients = plan.backward(x, weight, incoming, self.needs_input_grad)
        return gradients[:len(self.input_types)]  # without a bias there is no third input

    def plan_for(self, x: Array, weight: Array, forward: bool) -> Any:
        """The plan for these arrays and this direction."""
        size = output_size("conv2d", x.shape, weight.shape[2:], self.stride, self.padding)
        return self.plan(x, weight, self.stride, self.padding, self.groups, size, forward)

    def describe(self, x: Array, weight: Array, *bias: Array) -> str:
        """How this convolution is computed, in a few words."""
        return (f"{self.plan_for(x, weight, forward=True).describe()}, "
                f"{len(x)} images" + ", ReLU as epilogue" * self.relu)


def _relu(y: Array) -> None:
    array_module(y).maximum(y, 0, out=y)


class Plan:
    """y = W · columns + b and its transposes, some images at a time. Matrices have four axes, of
    which the first two number the products beside each other: (1, T, ...) for im2col, with T =
    groups towers."""

    both_ways = True  # forward and backward by the same plan
    # each core takes images of its own through all steps; otherwise each step shares its work
    by_image = True

    def forward(self, x: Array, weight: Array, bias: Array | None,
                epilogue: Callable[[Array], None] | None) -> Array:
        """y (N, C_out, OH, OW). epilogue: called with each part of it, to change it in place."""
        W = self.weights(weight)
        y = self.empty_images((len(x), len(weight), *self.output_size))
        b = 0 if bias is None else bias.reshape(-1, 1, 1)

        def some_images(images: slice) -> Any:
            product = self.multiply(W, self.columns(x[images]),
                                    out=self.empty_product(len(x[images])))
            self.output(product, b, out=y[images], finish=epilogue or _nothing)

        # Forward there is nothing to add up: some_images returns None.
        self.sum_over_images(some_images, len(x), operations=weight.size * y[0, 0].size)
        return y

    def backward(self, x: Array, weight: Array, incoming: Callable[[slice], Array],
                 needed: Sequence[bool]) -> tuple[Array | None, Array | None, Array | None]:
        """dL/dx, dL/dweight, dL/dbias, each None where `needed` says so. incoming(images): dL/d(W ·
        columns + b) of a slice."""
        need_x, need_weight, *need_bias = needed
        W = self.weights(weight)
        dx = self.empty_images(x.shape) if need_x else None

        def some_images(images: slice) -> Any:
            dW = db = None
            dy = incoming(images)
            dproduct = self.output_back(dy)
            if need_weight:
                dW = self.multiply(dproduct, self.columns(x[images]).swapaxes(2, 3),
                                   out=empty(W.shape, W.dtype, like=W))
            if need_x:
                dcolumns = self.multiply(W.swapaxes(2, 3), dproduct,
                                         out=self.empty_columns(len(dy)))
                self.columns_back(dcolumns, out=dx[images])
            if any(need_bias):
                db = dy.sum(axis=(0, 2, 3))
            return dW, db

        dW, db = self.sum_over_images(some_images, len(x),
                                      operations=weight.size * prod(self.output_size))
        return dx, self.weights_back(dW) if need_weight else None, db


    def sum_over_images(self, function: Callable[..., Any], count: int, operations: float) -> Any:
        """Call `function(slice)` for all of `count` images, some at a time, and add up what it
        returns."""
        return sum_over_images(function, count, self.images_at_a_time(), self.by_image, operations)


def _nothing(y: Array) -> None:
    pass
