"""How far colours and blurred shapes alone go: the score that a network has to beat.

Features: a 16×16 thumbnail (16·16·3 numbers) and a colour histogram (8·8·8 bins), each scaled to
mean 0, variance 1. Classifier: softmax regression, p = softmax(x·W + b), by gradient descent on
cross-entropy + λ/2·|W|².
"""

import numpy as np
from PIL import Image

THUMBNAIL = 16
BINS = 8


def features(pixels):
    """A picture, uint8 (H, W, 3), as float32 numbers: its thumbnail, then its colour histogram."""
    small = np.asarray(Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))
    bins = pixels.astype(np.int32) * BINS // 256
    codes = (bins[..., 0] * BINS + bins[..., 1]) * BINS + bins[..., 2]
    histogram = np.bincount(codes.reshape(-1), minlength=BINS**3) / codes.size
    return np.concatenate([small.reshape(-1) / 255, np.sqrt(histogram)]).astype(np.float32)


def softmax_regression(x, labels, num_classes, weight_decay=0.1, steps=300, lr=0.02):
    """Fit (weight, bias): float32 (D, K), (K,), to x (N, D) and labels (N,), by descent with
    momentum 0.9."""
    weight = np.zeros((x.shape[1], num_classes), dtype=np.float32)
    bias = np.zeros(num_classes, dtype=np.float32)
    step_weight, step_bias = np.zeros_like(weight), np.zeros_like(bias)
    wanted = np.eye(num_classes, dtype=np.float32)[labels]
    for _ in range(steps):
        logits = x @ weight + bias
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        error = (p - wanted) / len(x)
        step_weight = 0.9 * step_weight - lr * (x.T @ error + weight_decay * weight)
        step_bias = 0.9 * step_bias - lr * error.sum(axis=0)
        weight, bias = weight + step_weight, bias + step_bias
    return weight, bias


def baseline_accuracy(train, val, weight_decay=0.1):
    """Top-1 on `val`, 0..1, of the classifier above trained on `train` (two PictureSets)."""
    x_train, x_val = (np.stack([features(part.read(i)) for i in range(len(part))])
                      for part in (train, val))
    mean, spread = x_train.mean(axis=0), x_train.std(axis=0) + np.float32(1e-4)
    x_train, x_val = (x_train - mean) / spread, (x_val - mean) / spread
    weight, bias = softmax_regression(x_train, train.labels, len(train.classes), weight_decay)
    return float(((x_val @ weight + bias).argmax(axis=1) == val.labels).mean())
