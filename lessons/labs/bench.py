"""The bench that all labs share: small pictures in memory, a small network, one training.

Pictures are 35 pixels a side, the network sees 31, because pooling by 3/2 and by 2/2 then gives the
same sizes all the way: 31 → 15 → 7 → 3. The network is the paper's Figure 1 in small: three
convolutions and a fully connected layer.
"""
from dataclasses import dataclass

import numpy as np

import minialex as ma
import minialex.functional as F
from minialex import data, nn, optim
from minialex.errors import UserError
from minialex.sets.patterns import PATTERNS
from minialex.sets.scene import draw

SIZE, CROP = 35, 31
BATCH = 32
SMALL = ((16, 5), (32, 5), (32, 3))  # maps and kernel of the three convolutions
PAPERS = ((32, 5), (32, 5), (64, 5))  # as in the released source's networks for CIFAR-10
# variance × fan_in that keeps a signal's size at the first step:
GAIN = {"relu": 2.0, "tanh": 1.0, "sigmoid": 16.0}
# half survives ReLU, sigmoid's slope is 1/4
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


@dataclass
class Pictures:
    """uint8 (N, 3, SIZE, SIZE) and labels (N,), to train and to validate; `name` stands in the
    CSV."""

    name: str
    classes: int
    train: np.ndarray
    train_labels: np.ndarray
    val: np.ndarray
    val_labels: np.ndarray

    def choose(self, seed, per_class):
        """What one seed trains on: float32 pictures of mean 0 and variance 1, their labels, the
        validation pictures alike, and the standard deviation of the pixels as they were, 0..255."""
        random = np.random.default_rng([2012, seed])
        kept = [random.permutation(np.flatnonzero(self.train_labels == label))[:per_class]
                for label in range(self.classes)]
        kept = np.concatenate(kept)
        mean = self.train[kept].mean(axis=0, dtype=np.float32)
        spread = (self.train[kept] - mean).std()
        train, val = ((part - mean) / spread for part in (self.train[kept], self.val))
        return train, self.train_labels[kept], val, self.val_labels, float(spread)


def open_pictures(folder=None):
    """The built-in set, or a tree of class folders, shrunk to SIZE pixels."""
    parts = data.builtin(size=SIZE) if folder is None else data.open_folder(folder, size=SIZE)
    arrays = [np.stack([part.planes_or_next(i)[0] for i in range(len(part))]) for part in parts]
    if len(parts[0].classes) < 6:
        raise UserError(f"{folder} has {len(parts[0].classes)} classes: the labs need at least 6, "
                        "for a top-5 error")
    name = "built-in" if folder is None else folder.rstrip("/\\").replace("\\", "/").split("/")[-1]
    return Pictures(name, len(parts[0].classes), arrays[0], parts[0].labels, arrays[1],
                    parts[1].labels)


@dataclass
class FreshPictures:
    """The built-in patterns, drawn anew for each seed, to train and to validate.

    So an interval over seeds is about other pictures, too. Half of them are negatives: patterns
    that are brighter or darker than their ground take a network several times as long, and a race
    needs some length.
    """

    val_per_class: int
    name: str = "drawn"
    classes: int = len(PATTERNS)

    def choose(self, seed, per_class):
        pictures, random = draw_pictures(per_class, self.val_per_class,
                                         seed=1000 + seed), np.random.default_rng([seed, 2])
        for part in (pictures.train, pictures.val):
            negative = random.random(len(part)) < 0.5
            part[negative] = 255 - part[negative]
        return pictures.choose(seed, per_class)


def draw_pictures(per_class, val_per_class, classes=10, seed=1):
    """A few of the built-in patterns, drawn now at SIZE pixels: a second for a thousand, nothing is
    stored."""
    arrays = []
    for part, count in enumerate((per_class, val_per_class)):
        jobs = [(pattern, label, i)
                for label, pattern in enumerate(list(PATTERNS.values())[:classes])
                for i in range(count)]
        drawn = [draw(pattern, np.random.default_rng([seed, part, label, i]), SIZE)
                 for pattern, label, i in jobs]
        arrays += [np.stack(drawn).transpose(0, 3, 1, 2), np.array([label for _, label, _ in jobs])]
    return Pictures("drawn", classes, *arrays)


# -------------------------------------------------------------------------------------- the network


def network(classes, activation="relu", pool=(3, 2), norm_alpha=None, hidden=0, dropout=0.0,
            convolutions=SMALL):
    """Three convolutions, each with activation and pool; with hidden > 0 also one hidden layer
    before the last.

    norm_alpha: response normalisation after the first two activations with this alpha (None: none).
    """
    layers, channels = {}, 3
    for number, (maps, kernel) in enumerate(convolutions, 1):
        layers[f"conv{number}"] = nn.Conv2d(channels, maps, kernel, padding=kernel // 2)
        layers[f"act{number}"] = ACTIVATIONS[activation]()
        if norm_alpha is not None and number < 3:
            layers[f"norm{number}"] = nn.LocalResponseNorm(5, norm_alpha, 0.75, 2.0)
        layers[f"pool{number}"] = nn.MaxPool2d(*pool)
        channels = maps
    layers["flatten"] = nn.Flatten()
    features = channels * 3 * 3
    if hidden:
        layers |= {"fc4": nn.Linear(features, hidden), "act4": ACTIVATIONS[activation](),
                   "drop4": nn.Dropout(dropout)}
    layers["last"] = nn.Linear(hidden or features, classes)
    return _initialise(nn.Sequential(**layers), GAIN[activation])


def _initialise(net, gain):
    """N(0, gain/fan_in), biases 0; the last layer narrow, so that the first loss is near ln K
    (lesson 14)."""
    generator = ma.random.host_generator()
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan_in = layer.weight.size // len(layer.weight.data)
            deviation = (1 / fan_in) ** 0.5 / 10 if name == "last" else (gain / fan_in) ** 0.5
            layer.weight.data[...] = generator.standard_normal(layer.weight.shape) * deviation
            layer.bias.data[...] = 0
    return net


# ------------------------------------------------------------------------------------- one training


def train(net, pictures, labels, seed, epochs, lr=0.01, augment=True, weight_decay=5e-4,
          constant=False, after_epoch=None, after_step=None):
    """SGD with momentum 0.9; the learning rate falls in a line from 40 % of the epochs on, or stays
    (constant).

    augment: random crops and reflections, else the centre. after_epoch(epoch, net) and
    after_step(step, net) may return True to stop.
    """
    random = np.random.default_rng([seed, 1])
    optimizer = optim.SGD(net.parameters(), lr=lr, weight_decay=weight_decay)
    schedule, step = optim.LinearDecay(optimizer, epochs), 0
    for epoch in range(1, epochs + 1):
        net.train()
        order = random.permutation(len(pictures))
        for batch in np.array_split(order, -(-len(order) // BATCH)):
            images = crops(pictures[batch], random) if augment else centre(pictures[batch])
            loss = F.cross_entropy(net(images), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if after_step and after_step(step, net):
                return net
        if not constant:
            schedule.step()
        if after_epoch and after_epoch(epoch, net):
            break
    return net


def centre(pictures):
    """The middle CROP × CROP pixels: a view."""
    edge = (SIZE - CROP) // 2
    return np.ascontiguousarray(pictures[:, :, edge : edge + CROP, edge : edge + CROP])


def crops(pictures, random):
    """A random crop of each picture, every second one reflected."""
    corners = random.integers(0, SIZE - CROP, size=(len(pictures), 2), endpoint=True)
    out = np.empty((len(pictures), 3, CROP, CROP), dtype=np.float32)
    for image, picture, (row, column), mirror in zip(out, pictures, corners,
                                                     random.random(len(pictures)) < 0.5):
        window = picture[:, row : row + CROP, column : column + CROP]
        image[...] = window[:, :, ::-1] if mirror else window
    return out


def probabilities(net, pictures):
    """Softmax of the network's answers for the central crops: (N, classes)."""
    net.eval()
    with ma.no_grad():
        parts = np.array_split(centre(pictures), max(1, len(pictures) // 100))
        return np.concatenate([F.softmax(net(part)).data for part in parts])


def errors(answers, labels):
    """Top-1 and top-5 error in %, and the mean loss: {"top1": ..., "top5": ..., "loss": ...}."""
    own = answers[np.arange(len(labels)), labels]
    rank = (answers > own[:, None]).sum(axis=1)
    loss = -np.log(np.maximum(own, 1e-12)).mean()
    return {"top1": 100 * (rank > 0).mean(), "top5": 100 * (rank > 4).mean(), "loss": loss}


def scores(net, pictures, labels, val, val_labels):
    """{"train_top1", "top1", "top5", "loss"}: training error on central crops, the rest on the
    validation pictures."""
    return {"train_top1": errors(probabilities(net, pictures),
                                 labels)["top1"]} | errors(probabilities(net, val), val_labels)
