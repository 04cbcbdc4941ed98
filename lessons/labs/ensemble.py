"""One network against the average of five that differ in nothing but their random numbers.

The paper, section 6.1: "The CNN described in this paper achieves a top-5 error rate of 18.2 %.
Averaging the predictions of five similar CNNs gives an error rate of 16.4 %."
"""
from lessons.labs import bench

SEEDS, EPOCHS, PER_CLASS, NETWORKS = 3, 20, 20, 5
SETTING = (f"{PER_CLASS} training pictures per class, {EPOCHS} epochs, "
           f"one seed = {NETWORKS} networks, softmax averaged")
ARMS = {f"{count} averaged" if count > 1 else "one (mean of five)": count
        for count in range(1, NETWORKS + 1)}
COMPARE = [("5 averaged", "one (mean of five)", "top1"),
           ("5 averaged", "one (mean of five)", "top5")]
PAPER = "paper: top-5 18.2 % → 16.4 % with five"


def measure(pictures, seed):
    """One seed: five networks on the same pictures; the single one's figures are the mean of the
    five."""
    images, labels, val, val_labels, _ = pictures.choose(seed, PER_CLASS)
    answers, singles = [], []
    for member in range(NETWORKS):
        bench.ma.manual_seed(100 * seed + member)
        net = bench.train(bench.network(pictures.classes), images, labels, 100 * seed + member,
                          EPOCHS)
        answers.append(bench.probabilities(net, val))
        singles.append(bench.scores(net, images, labels, val, val_labels))
    mean = {column: sum(single[column] for single in singles) / NETWORKS for column in singles[0]}
    for arm, count in ARMS.items():
        together = bench.errors(sum(answers[:count]) / count, val_labels) if count > 1 else {}
        yield {"arm": arm, **mean, **together}
