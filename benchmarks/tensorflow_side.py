"""TensorFlow's side of a comparison: one tf.function for a whole step, with or without XLA.

Pictures are NHWC, the only order of its convolutions on a CPU, and groups are split by hand: it has
no gradient of a grouped convolution there. Keras' compiled training step is such a function, too.
"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402 (the log level comes first)
import tensorflow as tf  # noqa: E402
from nhwc import converted, window_sums  # noqa: E402
from sides import LR, MOMENTUM, WEIGHT_DECAY, batch, host_peak_bytes, network  # noqa: E402


class TensorFlow:
    def __init__(self, options, xla=False):
        tf.config.threading.set_intra_op_parallelism_threads(options["threads"])
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.options, self.xla = options, xla
        self.layers, weights, self.input_shape = converted(network(options), "TensorFlow's")
        self.weights = [[tf.Variable(array) for array in arrays] for arrays in weights]
        self.flat = [variable for variables in self.weights for variable in variables]
        self.velocity = [tf.Variable(tf.zeros_like(variable)) for variable in self.flat]
        images, labels = batch(options)
        self.images = tf.constant(np.ascontiguousarray(images.transpose(0, 2, 3, 1)))
        self.labels = tf.constant(labels.astype(np.int32))
        self.train = tf.function(self.train_step, jit_compile=xla)
        self.forward = tf.function(lambda images: self.logits(images, False), jit_compile=xla)

    def logits(self, x, training):
        for layer, weights in zip(self.layers, self.weights):
            x = OPERATIONS[type(layer).__name__](layer, x, weights, training)
        return x

    def train_step(self, images, labels, training):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels,
                                                                    self.logits(images, training))
            loss = tf.reduce_mean(losses)
        for w, v, g in zip(self.flat, self.velocity, tape.gradient(loss, self.flat)):
            v.assign(MOMENTUM * v - LR * (g + WEIGHT_DECAY * w))
            w.assign_add(v)
        return loss

    def losses(self, count, steps):
        return [self.train(self.images[:count], self.labels[:count], False).numpy()
                for _ in range(steps)]

    def start(self):
        pass

    def step(self):
        if self.options["forward"]:
            self.forward(self.images).numpy()
        else:
            self.train(self.images, self.labels, True).numpy()

    def wait(self):
        pass  # a step ends with its loss on the host

    def peak_bytes(self):
        return host_peak_bytes()

    def describe(self):
        return (f"TensorFlow {tf.__version__}, {'XLA' if self.xla else 'graph'}, "
                f"{self.options['threads']} threads, float32")


def conv2d(layer, x, weights, training):
    (PH, PW), (W, *bias), G = layer.padding, weights, layer.groups
    padding = [[0, 0], [PH, PH], [PW, PW], [0, 0]]
    towers = zip(tf.split(x, G, axis=3), tf.split(W, G, axis=3))
    y = tf.concat([tf.nn.conv2d(part, kernels, layer.stride, padding) for part, kernels in towers],
                  axis=3)
    return y + bias[0] if bias else y


def response_norm(layer, x, weights, training):
    """The sum over neighbouring channels is a product with a band of ones: faster than
    tf.nn.local_response_normalization."""
    scale = layer.k + layer.alpha * tf.tensordot(x * x, tf.constant(window_sums(x.shape[-1],
                                                                                layer.size)), 1)
    root = tf.math.rsqrt(scale)
    return x * (root * tf.sqrt(root) if layer.beta == 0.75 else scale ** -layer.beta)


def pool(how):
    def operation(layer, x, weights, training):
        return how(x, layer.kernel_size, layer.stride, "VALID")
    return operation


OPERATIONS = {
    "Conv2d": conv2d, "LocalResponseNorm": response_norm,
    "MaxPool2d": pool(tf.nn.max_pool2d), "AvgPool2d": pool(tf.nn.avg_pool2d),
    "Linear": lambda layer, x, weights, training: tf.matmul(x, weights[0]) + weights[1],
    "ReLU": lambda layer, x, *_: tf.nn.relu(x), "Tanh": lambda layer, x, *_: tf.tanh(x),
    "Flatten": lambda layer, x, *_: tf.reshape(x, [x.shape[0], -1]),
    "Dropout": lambda layer, x, weights, training: tf.nn.dropout(x, layer.p) if training else x,
}
