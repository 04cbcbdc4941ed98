"""Response normalisation: without, with the paper's α, and with the α that pixels of variance 1
call for.

The paper, section 3.3: "Response normalization reduces our top-1 and top-5 error rates by 1.4 % and
1.2 %, respectively." Its pixels had a standard deviation of about 70. With pixels of variance 1, α
= 10⁻⁴ leaves k + α·Σa² at 2: the layer is a constant factor, 2^−0.75 = 0.59. Multiplying α by the
variance of the raw pixels makes conv1's normalisation what it was.
"""
from lessons.labs import bench

SEEDS, EPOCHS, PER_CLASS = 3, 20, 20
SETTING = f"{PER_CLASS} training pictures per class, {EPOCHS} epochs, n = 5, β = 0.75, k = 2"
ARMS = {"without": None, "α = 10⁻⁴": 0, "α = 10⁻⁴·variance": 1}
COMPARE = [(arm, "without", error) for arm in list(ARMS)[1:] for error in ("top1", "top5")]
PAPER = "paper: 1.4 points lower with"


def measure(pictures, seed):
    """One seed: the same pictures, order, crops and first weights for all three."""
    images, labels, val, val_labels, spread = pictures.choose(seed, PER_CLASS)
    for arm, scaled in ARMS.items():
        bench.ma.manual_seed(seed)
        alpha = None if scaled is None else 1e-4 * spread**2 if scaled else 1e-4
        net = bench.network(pictures.classes, norm_alpha=alpha)
        bench.train(net, images, labels, seed, EPOCHS)
        yield {"arm": arm, **bench.scores(net, images, labels, val, val_labels)}
