"""The loss on the CPU; `cuda/loss.cu` has the same for a GPU."""
import numpy as np


def cross_entropy(logits, labels):
    """ln p = x − m − ln Σ e^(x − m), m = max x, for every row of logits (N, K), labels (N,) integers below K.

    Returns the losses (N,), −ln p[label], and what their mean adds to dL/dx for dL/dmean = 1: (p − one-hot)/N, (N, K).
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(logits))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    gradient *= logits.dtype.type(1 / len(logits))
    return -log_p[rows, labels], gradient
