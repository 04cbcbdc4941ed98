"""Ensembles: five networks averaged

The paper (P), section 6.1: one network 18.2 % top-5 error, five averaged 16.4 %, seven (two of them trained on more pictures)
15.4 %, on the test set 15.3 %. N5 adds a year, and that is wrong. Why does averaging help at all, and must it?
"""
# %% Tools
from math import comb, sqrt

import classroom
import numpy as np
from classroom import broken, claim, fact, predict, settle
from drawings import ensembles

import minialex as ma
from lessons.labs import bench, results

# %% [markdown]
# ## 1. What is averaged: probabilities
# p = (p₁ + … + p₅)/5, the mean of five softmax outputs. −ln is convex, so the loss of the average is never more than the average
# loss: `−ln((p₁ + … + p₅)/5) ≤ (−ln p₁ − … − ln p₅)/5`. Errors may go either way.

# %%
claim("T8", "N4, N5, P", "one network 18.2 % top-5, five averaged 16.4 %, seven 15.4 % (15.3 % test), runner-up 26.2 %; "
      "N5: in 2010")
guess = predict("Two networks give the right class 0.9 and 0.1. By how much is the average's −ln below the average of the −ln?",
                within=0.01)
pair = np.array([0.9, 0.1])
gain = -np.log(pair).mean() + np.log(pair.mean())
guess.turned_out(round(float(gain), 4))
fact("1.204 − 0.693 = 0.511", round(float(gain), 3) == 0.511)
random = np.random.default_rng(0)
draws = random.dirichlet(np.ones(10), size=(5, 1000))  # five networks' answers to a thousand pictures
single_losses, average_loss = -np.log(draws[:, :, 0]), -np.log(draws.mean(axis=0)[:, 0])
fact("for a thousand random answers, never more", (average_loss <= single_losses.mean(axis=0) + 1e-12).all())
three = np.array([[0.6, 0.4], [0.6, 0.4], [0.05, 0.95]])  # two of three are right (class 0), the third is sure of the other
fact("the error can rise: one network that is sure of a mistake outvotes two that are right", three.mean(axis=0).argmax() == 1)

# %% [markdown]
# ## 2. If mistakes were independent
# Five networks, each wrong on 30 % of the pictures, a vote: wrong when three or more are. `Σ C(5, k)·0.3ᵏ·0.7⁵⁻ᵏ, k = 3, 4, 5`.

# %%
guess = predict("How many % would the vote of five be wrong then?", within=1)
vote = sum(comb(5, k) * 0.3**k * 0.7 ** (5 - k) for k in (3, 4, 5))
tried = ((random.random((200_000, 5)) < 0.3).sum(axis=1) >= 3).mean()
guess.turned_out(round(100 * vote, 2))
fact("16.3 %, by the formula and by 200,000 draws", round(100 * vote, 1) == 16.3 and abs(tried - vote) < 0.004)
fact("five AlexNets gained a tenth, not a half: they fail on the same pictures", round((18.2 - 16.4) / 18.2, 3) == 0.099)

# %% [markdown]
# ## 3. Five small networks, live
# 90 drawn pictures of six classes, five networks that differ only in their random numbers, 120 pictures to validate.

# %%
pictures = bench.draw_pictures(15, 20, classes=6, seed=19)
images, labels, val, val_labels, _ = pictures.choose(seed=0, per_class=15)
networks = []
for member in range(5):
    ma.manual_seed(member)
    networks.append(bench.train(bench.network(6), images, labels, member, epochs=9))
answers = np.array([bench.probabilities(net, val) for net in networks])
fact("what is averaged are probabilities, and so is their mean: it sums to 1", np.allclose(answers.mean(axis=0).sum(axis=1), 1))
singles = [bench.errors(answer, val_labels) for answer in answers]
together = bench.errors(answers.mean(axis=0), val_labels)
alone = {key: float(np.mean([single[key] for single in singles])) for key in ("top1", "loss")}
each = ", ".join(f"{single['top1']:.0f}" for single in singles)
print(f"  alone {each} % wrong, mean {alone['top1']:.1f} %; averaged {together['top1']:.1f} %")
fact("the average's loss is below the average loss, as it must be", together["loss"] <= alone["loss"])
fact("and here its error is below the mean error as well", together["top1"] < alone["top1"])
wrong = answers.argmax(axis=2) != val_labels
shared = wrong.all(axis=0).mean() / np.prod(wrong.mean(axis=1))
fact(f"all five fail together {shared:.0f} times as often as independent networks would", shared > 2)

# %% [markdown]
# ## 4. The paper's figures
# How sure is a difference? An error rate p on n pictures has the standard error √(p·(1 − p)/n): n = 50,000 for validation,
# 150,000 for the test. In 2010 (another test set) the paper's network had 37.5 % top-1 and 17.0 % top-5; 15.3 % is 2012.

# %%
guess = predict("How many points is the standard error of 18.2 % on 50,000 pictures?", within=0.02)
validation, test = (100 * sqrt(p * (1 - p) / n) for p, n in ((0.182, 50_000), (0.153, 150_000)))
guess.turned_out(round(validation, 3))
fact("0.17 points on 50,000, 0.09 on 150,000", (round(validation, 2), round(test, 2)) == (0.17, 0.09))
fact("five against one, 1.8 points, is ten standard errors", 10 < (18.2 - 16.4) / validation < 11)
fact("15.4 on validation and 15.3 on the test are the same figure", 15.4 - 15.3 < 2 * sqrt(validation**2 + test**2))
fact("26.2 → 15.3: 42 % fewer mistakes than the runner-up", round((26.2 - 15.3) / 26.2, 2) == 0.42)
by_year = {2010: (37.5, 17.0), 2012: (None, 15.3)}
fact("2010's 17.0 is one network, 2012's 15.3 seven: another year, another data set", by_year[2010][1] != by_year[2012][1])
lab = {}
for name in ("built-in", "caltech20"):
    rows = [row for row in results.read(results.FOLDER / "ensemble.csv") if row["pictures"] == name]
    found = results.by_arm(rows, "top1")
    means = {arm: results.spread(by_seed.values())[0] for arm, by_seed in found.items()}
    lab[name] = (*results.paired(found["5 averaged"], found["one (mean of five)"]), means)
fact("in the lab five averaged beat the single network on both sets of pictures",
     all(mean < -half for mean, half, _ in lab.values()))
by_set = "; ".join(f"{name} {mean:+.1f} ± {half:.1f} points" for name, (mean, half, _) in lab.items())
settle("T8", "half true: all but N5's year", "15.3 % is 2012 (2010: 37.5 / 17.0); here, five averaged against one, top-1: "
       f"{by_set}; live {alone['top1']:.1f} → {together['top1']:.1f} %")

# %% 5. Broken on purpose: averaging the weights instead of the answers. Then the picture.
mixed = bench.network(6)
states = [net.state_dict() for net in networks]
mixed.load_state_dict({name: sum(state[name] for state in states) / 5 for name in states[0]})
spoiled = bench.errors(bench.probabilities(mixed, val), val_labels)["top1"]
fact(f"the mean of five networks' weights is no network: {spoiled:.0f} % wrong", spoiled > alone["top1"] + 10)
with broken(ValueError):
    bench.network(6, hidden=32).load_state_dict(states[0])
classroom.save(ensembles.draw(answers, val_labels, {name: means for name, (*_, means) in lab.items()}), "19_ensembles")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/19_ensembles.py`: average predictions, count votes, judge a difference. Before you write it: can the
# average of five networks be wrong where all five are right?
