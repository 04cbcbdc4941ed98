"""Training, for the lessons that come before its parts are explained: the loss is lesson 09's, the
step lesson 15's.

It is the loop of lesson 00: the loss of some pictures, its slopes by the tape, a step for all
weights.
"""
import numpy as np

import minialex.functional as F
from minialex import models, optim


def errors_by_epoch(net, images, labels, rate, start, goal=0.25, most=30, seed=2):
    """Share of wrong training pictures in each epoch, until it is below `goal`. start: what the
    first weights are drawn for, "he" for ReLU or "lecun" for tanh and sigmoid (lesson 14)."""
    optimizer = optim.SGD(models.initialise(net, start).parameters(), lr=rate, momentum=0.9,
                          weight_decay=0)
    generator, errors = np.random.default_rng(seed), []
    while len(errors) < most and (not errors or errors[-1] >= goal):
        wrong = 0
        for batch in generator.permutation(len(images)).reshape(-1, 25):
            scores = net(images[batch])
            wrong += (scores.data.argmax(axis=1) != labels[batch]).sum()
            optimizer.zero_grad()
            F.cross_entropy(scores, labels[batch]).backward()
            optimizer.step()
        errors.append(wrong / len(images))
    return errors
