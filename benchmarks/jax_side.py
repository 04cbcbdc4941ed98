"""JAX's side of a comparison: one jitted function for a whole step. Groups are split by hand: twice
as fast on a CPU."""
import os

import jax
import jax.numpy as jnp
import numpy as np
from nhwc import converted, window_sums
from sides import LR, MOMENTUM, WEIGHT_DECAY, batch, host_peak_bytes, network


class Jax:
    def __init__(self, options):
        if hasattr(os, "sched_setaffinity") and options["threads"] < os.cpu_count():
            # it has no setting for the number of threads
            os.sched_setaffinity(0, range(options["threads"]))
        self.options = options
        self.layers, weights, _ = converted(network(options), "JAX's")
        self.weights = jax.tree.map(jnp.asarray, weights)
        self.velocity = jax.tree.map(jnp.zeros_like, self.weights)
        images, labels = batch(options)
        self.images, self.labels = (jnp.asarray(np.ascontiguousarray(images.transpose(0, 2, 3, 1))),
                                    jnp.asarray(labels))
        self.key = jax.random.key(0)
        self.train = jax.jit(self.train_step, static_argnames="training", donate_argnums=(0, 1))
        self.forward = jax.jit(lambda weights, images: self.logits(weights, images, self.key,
                                                                   False))

    def logits(self, weights, x, key, training):
        for number, (layer, arrays) in enumerate(zip(self.layers, weights)):
            if type(layer).__name__ == "Dropout":
                kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - layer.p,
                                            x.shape) if training else None
                x = jnp.where(kept, x / (1 - layer.p), 0) if training else x
            else:
                x = OPERATIONS[type(layer).__name__](layer, x, arrays)
        return x

    def train_step(self, weights, velocity, key, images, labels, training):
        def loss_of(weights):
            log_p = jax.nn.log_softmax(self.logits(weights, images, key, training))
            return -jnp.take_along_axis(log_p, labels[:, None], axis=1).mean()

        loss, gradients = jax.value_and_grad(loss_of)(weights)
        velocity = jax.tree.map(lambda v, g, w: MOMENTUM * v - LR * (g + WEIGHT_DECAY * w),
                                velocity, gradients, weights)
        return jax.tree.map(jnp.add, weights, velocity), velocity, loss

    def one_step(self, images, labels, training):
        self.key = jax.random.fold_in(self.key, 1)
        arguments = self.weights, self.velocity, self.key, images, labels
        self.weights, self.velocity, loss = self.train(*arguments, training=training)
        return float(loss)

    def losses(self, count, steps):
        return [self.one_step(self.images[:count], self.labels[:count], False)
                for _ in range(steps)]

    def start(self):
        pass

    def step(self):
        if self.options["forward"]:
            self.forward(self.weights, self.images).block_until_ready()
        else:
            self.one_step(self.images, self.labels, True)

    def wait(self):
        jax.block_until_ready(self.weights)

    def peak_bytes(self):
        return host_peak_bytes()

    def describe(self):
        return f"JAX {jax.__version__}, {self.options['threads']} threads, float32"


def conv2d(layer, x, weights):
    W, *bias = weights
    padding = [(P, P) for P in layer.padding]
    towers = zip(jnp.split(x, layer.groups, axis=3), jnp.split(W, layer.groups, axis=3))
    y = jnp.concatenate([jax.lax.conv_general_dilated(part, kernels, layer.stride, padding,
                                                      dimension_numbers=("NHWC", "HWIO", "NHWC"))
                         for part, kernels in towers], axis=3)
    return y + bias[0] if bias else y


def response_norm(layer, x, weights):
    """The sum over neighbouring channels is a product with a band of ones."""
    scale = layer.k + layer.alpha * (x * x) @ window_sums(x.shape[-1], layer.size)
    root = jax.lax.rsqrt(scale)
    return x * (root * jnp.sqrt(root) if layer.beta == 0.75 else scale ** -layer.beta)


def pool(start, function, divisor):
    def operation(layer, x, weights):
        window, stride = (1, *layer.kernel_size, 1), (1, *layer.stride, 1)
        return jax.lax.reduce_window(x, start, function, window, stride,
                                     "VALID") / divisor(layer.kernel_size)
    return operation


OPERATIONS = {"Conv2d": conv2d, "LocalResponseNorm": response_norm,
              "MaxPool2d": pool(-np.inf, jax.lax.max, lambda size: 1),
              "AvgPool2d": pool(0.0, jax.lax.add, lambda size: size[0] * size[1]),
              "Linear": lambda layer, x, weights: x @ weights[0] + weights[1],
              "ReLU": lambda layer, x, weights: jax.nn.relu(x),
              "Tanh": lambda layer, x, weights: jnp.tanh(x),
              "Flatten": lambda layer, x, weights: x.reshape(len(x), -1)}
