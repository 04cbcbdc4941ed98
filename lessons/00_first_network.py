"""A first network: what a network, a loss, a gradient and training are

Prerequisites: NumPy arrays, and what a slope is. Minutes: 30. Afterwards you can write a small
network, say in one number how wrong it is, and make it better. The course is about AlexNet, the
network that won a large contest in naming photographs in
2012. Here nothing but NumPy is used, and every word that the course needs first is explained.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict
from drawings import first_network

# %% [markdown]
# ## 1. A network turns numbers into numbers
# Here are 200 points on a sheet. Half of them lie in an inner disc, the others in a ring around it.
# We want a program that is given the two coordinates of a point and says: disc or ring. Nobody
# tells it the rule.
#
# A **network** is a chain of simple steps, its **layers**, with numbers in them that can be
# changed. Ours has two layers. The first multiplies the 2 coordinates by a matrix of **weights**,
# adds a number to each of the 8 results (a **bias**), and bends each with tanh. The second makes
# one number of these 8: the score. Above 0 means disc, below 0 means ring. Weights and biases
# together are the **parameters** of the network. Often one says weights and means all of them. At
# first the weights are random and the biases 0, and the answers mean nothing.

# %%
heard("A neural network works like a brain.")
POINTS, HIDDEN = 200, 8
guess = predict("2 coordinates, 8 numbers in the middle, 1 score. "
                "How many parameters are that, biases included?")
generator = np.random.default_rng(0)

def draw_points(count):
    """(count, 2) coordinates, and for each point its answer: +1 in the disc, -1 in the ring."""
    answer = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    radius = np.where(answer > 0, generator.uniform(0, 0.7, count),
                      generator.uniform(1.0, 1.6, count))
    angle = generator.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), answer

def first_weights():
    return [generator.normal(size=(2, HIDDEN)), np.zeros(HIDDEN),
            generator.normal(size=(HIDDEN, 1)) / HIDDEN, np.zeros(1)]

def network(weights, points):
    """The scores of all points at once: (count, 2) -> (count,)."""
    W1, b1, W2, b2 = weights
    hidden = np.tanh(points @ W1 + b1)
    return (hidden @ W2 + b2)[:, 0]

points, answers = draw_points(POINTS)
weights = first_weights()
count = sum(w.size for w in weights)
formula(f"2·{HIDDEN} + {HIDDEN} + {HIDDEN}·1 + 1 = {2 * HIDDEN + HIDDEN + HIDDEN + 1}")
guess.turned_out(count)
fact(f"it is a formula with {count} numbers in it, and gives one score for each of the {POINTS} "
     "points", count == 4 * HIDDEN + 1 and network(weights, points).shape == (POINTS,))

# %% [markdown]
# ## 2. The loss: one number that says how wrong
# For each point we know the right answer, +1 or -1: its **label**. The **loss** compares scores and
# labels and gives one number. Here it is the mean of (score - label)². A perfect network has loss
# 0. To **train** a network is to change its weights until the loss is small.

# %%
guess = predict("A network that gives the score 0 to every point: what is its loss, "
                "with labels +1 and -1?")
formula("(0 - 1)² = 1 and (0 + 1)² = 1, so their mean is 1")

def loss(weights, points, answers):
    return np.mean((network(weights, points) - answers) ** 2)

def share_right(weights, points, answers):
    return np.mean((network(weights, points) > 0) == (answers > 0))

silent = [np.zeros_like(w) for w in weights]
guess.turned_out(loss(silent, points, answers))
before = loss(weights, points, answers)
fact(f"with random weights the loss is {before:.2f}: not much better or worse than silence, 1",
     0.7 < before < 1.3)

# %% [markdown]
# ## 3. The gradient: which way is down
# Which weight should change, and in which direction? Try it: make one weight a little larger, by h,
# and a little smaller, and look what the loss does. (loss(w + h) - loss(w - h))/2h is the slope of
# the loss in the direction of this weight. The slopes of all weights together are the **gradient**.
# It has a number for each weight.

# %%
def gradient(weights, points, answers, h=1e-5):
    """For each array of weights an array of slopes, by trying each weight."""
    slopes = [np.zeros_like(w) for w in weights]
    for w, slope in zip(weights, slopes):
        for place in np.ndindex(w.shape):
            old = w[place]
            w[place] = old + h
            above = loss(weights, points, answers)
            w[place] = old - h
            below = loss(weights, points, answers)
            w[place], slope[place] = old, (above - below) / (2 * h)
    return slopes

slopes = gradient(weights, points, answers)
rate = 0.01
lower = [w - rate * slope for w, slope in zip(weights, slopes)]
higher = [w + rate * slope for w, slope in zip(weights, slopes)]
fact("a small step against the gradient lowers the loss", loss(lower, points, answers) < before)
fact("a small step along the gradient raises it", loss(higher, points, answers) > before)

# %% [markdown]
# ## 4. Training: many small steps downhill
# One **step** is w ← w - ε·slope, for all weights at once. The number ε is the **learning rate**:
# how far to go for a slope of 1. That is all. Whatever comes later in this course (other steps,
# other layers, a million pictures) is this loop with better parts.
#
# The points that the network learns from are the **training** set. A network could learn them by
# heart. So we keep 200 other points aside, which it never learns from: the **validation** set. The
# share that it gets right there is what counts.

# %%
heard("Training is a kind of search through all possible weights.")
guess = predict("After 300 steps: which share of new points, never seen, will be right? (0 to 1; "
                "guessing gives 0.5)", within=0.1)
rate, steps = 0.15, 300
start, history = [w.copy() for w in weights], []
for _ in range(steps):
    history.append(loss(weights, points, answers))
    for w, slope in zip(weights, gradient(weights, points, answers)):
        w -= rate * slope
new_points, new_answers = draw_points(POINTS)
right = share_right(weights, new_points, new_answers)
guess.turned_out(round(right, 3))
after = loss(weights, points, answers)
fact(f"the loss fell from {history[0]:.2f} to {after:.2f}, to less than a quarter",
     after < history[0] / 4)
fact(f"{right:.1%} of the new points are right, and nobody told the network the rule", right > 0.95)
random_right = share_right(start, new_points, new_answers)
fact(f"the random weights that it started from had {random_right:.0%} right", random_right < 0.8)
passes = steps * 2 * count
fact(f"it is no search through all weights: {steps} steps, and each lowered the loss",
     len(history) == steps and (np.diff(history) < 0).all())
fact(f"trying each parameter twice took {passes:,} runs of the network; AlexNet has 60,965,224 "
     "parameters: lesson 02 knows a better way", passes == 300 * 2 * (4 * HIDDEN + 1))

# %% [markdown]
# ## 5. Broken on purpose: a step that is too long, and a point with three coordinates
# If ε is too large, a step jumps over the valley and lands higher on the other side. And matrices
# must fit: points with 3 coordinates cannot be multiplied by weights for 2. NumPy says that in its
# own words: size 2 is different from 3.

# %%
hot = 20.0
wild = [w.copy() for w in start]
for _ in range(20):
    for w, slope in zip(wild, gradient(wild, points, answers)):
        w -= hot * slope
lost = loss(wild, points, answers)
fact(f"with ε = {hot:g} instead of {rate:g} the loss is {lost:.3g} after 20 steps: "
     "higher than at the start", lost > history[0])
with broken(ValueError):
    network(weights, np.zeros((5, 3)))
classroom.save(first_network.draw(network, start, weights, points, answers, history),
               "00_first_network", "Left: before training the border between blue and red "
               "has nothing to do with the points. Middle: "
               f"after {steps} steps it runs around the disc. Right: the loss at each step.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which fact no longer holds.
#
# - `POINTS, HIDDEN = 200, 2`: can two bent lines enclose a disc?
# - `rate, steps = 0.015, 300`: does it still get there?
# - `hot = 0.2`: is that a step that is too long?
#
# ## Exercise
# `lessons/exercises/00_first_network.py`: the loss and one step, written by you.
