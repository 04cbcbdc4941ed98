"""Ensembles: five networks averaged

Prerequisites: lessons 09, 16 and 17. Minutes: 30. Afterwards you can average networks in the right
way, and say how much of a gain is luck. The paper (P), section 6.1: one network has 18.2 % top-5
error, five averaged 16.4 %, seven (two of them trained on more pictures) 15.4 %, on the test set
15.3 %. The study notes N5 add a year, and that is wrong.
"""
# %% Tools
from math import comb, sqrt

import classroom
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle, show
from drawings import ensembles

import minialex as ma
from lessons.labs import bench, results

# %% [markdown]
# ## 1. What is averaged: probabilities
# Train a network twice, with other random numbers. You get two networks, and they are not wrong in
# the same places. Which one do you take? Both: an **ensemble** is several networks whose answers
# are averaged. The answers are probabilities, five softmax outputs: p = (p₁ + … + p₅)/5.
#
# Is the average better than one of them? For the loss it must be. Take two networks which give the
# right class p₁ and p₂.
# - (√p₁ - √p₂)² is a square, so it is not below 0: p₁ + p₂ ≥ 2·√(p₁·p₂), and (p₁ + p₂)/2 ≥
#   √(p₁·p₂).
# - Take -ln of both sides. It falls where p grows, so ≥ becomes ≤: -ln((p₁ + p₂)/2) ≤ (-ln p₁ - ln
#   p₂)/2.
#
# On the left is the loss of the average, on the right the average loss. The same holds for five.
# The number of wrong answers is another matter: nothing forces it down.

# %%
claim("T8", "N4, N5, P", "one network 18.2 % top-5, five averaged 16.4 %, "
      "seven 15.4 % (15.3 % test), runner-up 26.2 %; N5: in 2010")
pair = np.array([0.9, 0.1])
guess = predict(f"Two networks give the right class {pair[0]:g} and {pair[1]:g}. "
                "By how much is the average's -ln below the average of the -ln?", within=0.01)
apart, joined = -np.log(pair).mean(), -np.log(pair.mean())
formula(f"(-ln {pair[0]:g} - ln {pair[1]:g})/2 - (-ln "
        f"{pair.mean():g}) = {apart:.3f} - {joined:.3f} = {apart - joined:.3f}")
guess.turned_out(round(float(apart - joined), 4))
fact("the average's loss is smaller", joined < apart)
random = np.random.default_rng(0)
# five networks' answers to a thousand pictures
draws = random.dirichlet(np.ones(10), size=(5, 1000))
single_losses, average_loss = -np.log(draws[:, :, 0]), -np.log(draws.mean(axis=0)[:, 0])
fact("for a thousand random answers of five networks it is never larger",
     (average_loss <= single_losses.mean(axis=0) + 1e-12).all())
# two of three are right (class 0), the third is sure of the other
three = np.array([[0.6, 0.4], [0.6, 0.4], [0.05, 0.95]])
fact("the error can rise: one network that is sure of a mistake outvotes two that are right",
     three.argmax(axis=1).tolist() == [0, 0, 1] and three.mean(axis=0).argmax() == 1)

# %% [markdown]
# ## 2. If mistakes were independent
# How much could averaging gain at best? Suppose that five networks are each wrong on 30 % of the
# pictures, and that one network's mistakes say nothing about another's. Let them vote. The vote is
# wrong when three or more are. The chance that certain k of five are wrong and the others right is
# 0.3ᵏ·0.7⁵⁻ᵏ, and there are C(5, k) ways to choose which k. Sum over k = 3, 4, 5.

# %%
members, alone_wrong = 5, 0.3
guess = predict(f"{members} independent networks vote, each wrong on {100 * alone_wrong:g} %. "
                "How many % would the vote be wrong?", within=1)
most = range(members // 2 + 1, members + 1)
terms = [comb(members, k) * alone_wrong**k * (1 - alone_wrong) ** (members - k) for k in most]
vote = sum(terms)
formula(" + ".join(f"{comb(members, k)}·{alone_wrong:g}^{k}·{1 - alone_wrong:g}^{members - k}"
                   for k in most) + " = " + " + ".join(f"{term:.4f}" for term in terms)
        + f" = {vote:.4f}")
tried = ((random.random((200_000, members)) < alone_wrong).sum(axis=1) > members / 2).mean()
guess.turned_out(round(100 * vote, 2))
fact(f"200,000 draws give {tried:.1%}", abs(tried - vote) < 0.004)
one, five = 18.2, 16.4
fact(f"independent mistakes would take {1 - vote / alone_wrong:.0%} of the error away; "
     f"five AlexNets lost {1 - five / one:.0%} of theirs. So their mistakes are not independent",
     1 - vote / alone_wrong > 2 * (1 - five / one))

# %% [markdown]
# ## 3. Small networks, live
# Why are mistakes not independent? All networks learn from the same pictures, and a picture that is
# hard for one is hard for the others. See it: 90 drawn pictures of six classes, networks that
# differ only in their random numbers, 120 pictures to validate. If each network i were wrong with
# the chance e_i, independently, then all would be wrong together with the chance e₁·e₂·…. Compare
# this with how often they are.

# %%
pictures = bench.draw_pictures(15, 20, classes=6, seed=19)
images, labels, val, val_labels, _ = pictures.choose(seed=0, per_class=15)
fact("90 pictures to learn from, 120 to validate", (len(images), len(val)) == (90, 120))
epochs = classroom.live("epochs for each network", 9, 5)
networks = []
for member in range(members):
    ma.manual_seed(member)
    networks.append(bench.train(bench.network(6), images, labels, member, epochs))
answers = np.array([bench.probabilities(net, val) for net in networks])
fact("what is averaged are probabilities, and so is their mean: it sums to 1",
     np.allclose(answers.sum(axis=2), 1) and np.allclose(answers.mean(axis=0).sum(axis=1), 1))
singles = [bench.errors(answer, val_labels) for answer in answers]
together = bench.errors(answers.mean(axis=0), val_labels)
alone = {key: float(np.mean([single[key] for single in singles])) for key in ("top1", "loss")}
each = ", ".join(f"{single['top1']:.0f}" for single in singles)
show(f"  alone {each} % wrong, mean {alone['top1']:.1f} %; averaged "
     f"{together['top1']:.1f} %")
fact(f"the average's loss, {together['loss']:.2f}, is below the average loss, {alone['loss']:.2f}, "
     "as it must be", together["loss"] <= alone["loss"])
fact("and here its error is below the mean error as well", together["top1"] < alone["top1"])
wrong = answers.argmax(axis=2) != val_labels
shared = wrong.all(axis=0).mean() / np.prod(wrong.mean(axis=1))
fact(f"all {members} fail together {shared:.0f} times as often as independent networks would",
     shared > 2)

# %% [markdown]
# ## 4. The paper's figures
# How much of a difference is luck? Think of n pictures, each wrong with chance p. One picture's
# error (0 or 1) has variance p·(1 - p). The mean of n of them has p·(1 - p)/n. The root of it is
# the standard error. n is 50,000 for validation and 150,000 for the test.
#
# And the year? The paper has two tables. On the test set of 2010 one network has 37.5 % top-1 and
# 17.0 % top-5 errors. On that of 2012 seven networks have 15.3 % top-5, and the runner-up 26.2 %.
# So 15.3 % belongs to 2012.

# %%
guess = predict(f"How many points is the standard error of {one:g} % on 50,000 pictures?",
                within=0.02)
validation, test = (100 * sqrt(p * (1 - p) / n) for p, n in ((one / 100, 50_000), (0.153, 150_000)))
formula(f"√({one / 100:g}·{1 - one / 100:g}/50,000) = {validation / 100:.5f}")
guess.turned_out(round(validation, 3))
flips = random.binomial(50_000, one / 100, 20_000) / 500
fact(f"{validation:.2f} points on 50,000, {test:.2f} on 150,000; 20,000 drawn validation sets "
     f"spread by {flips.std():.2f}", (round(validation, 2), round(test, 2)) == (0.17, 0.09)
     and abs(flips.std() / validation - 1) < 0.05)
fact(f"five against one, {one - five:.1f} points, is {(one - five) / validation:.0f} standard "
     "errors: no luck", 10 < (one - five) / validation < 11)
fact("15.4 on validation and 15.3 on the test differ by less than two standard errors: "
     "the same figure", 15.4 - 15.3 < 2 * sqrt(validation**2 + test**2))
fact("26.2 → 15.3: 42 % fewer mistakes than the runner-up", round((26.2 - 15.3) / 26.2, 2) == 0.42)
lab = {}
for name in ("built-in", "caltech20"):
    rows = [row for row in results.read(results.FOLDER / "ensemble.csv") if row["pictures"] == name]
    found = results.by_arm(rows, "top1")
    means = {arm: results.spread(by_seed.values())[0] for arm, by_seed in found.items()}
    lab[name] = (*results.paired(found["5 averaged"], found["one (mean of five)"]), means)
fact("in the lab five averaged beat the single network on both sets of pictures: the interval "
     "(lesson 17) does not hold 0", all(mean < -half for mean, half, _ in lab.values()))
by_set = "; ".join(f"{name} {mean:+.1f} ± {half:.1f} points"
                   for name, (mean, half, _) in lab.items())
settle("T8", "half true: all but N5's year", "15.3 % is 2012 (2010: "
       f"37.5 / 17.0); here, five averaged against one, top-1: {by_set}; "
       f"live {alone['top1']:.1f} → {together['top1']:.1f} %")

# %% [markdown]
# ## 5. Broken on purpose: averaging the weights instead of the answers
# Five networks need five times the work. Would one network do, whose weights are the mean of the
# five? No. Kernel 3 of one network has nothing to do with kernel 3 of another. Their mean is no
# kernel. And weights of another shape do not even load.

# %%
mixed = bench.network(6)
states = [net.state_dict() for net in networks]
mixed.load_state_dict({name: sum(state[name] for state in states) / members for name in states[0]})
spoiled = bench.errors(bench.probabilities(mixed, val), val_labels)["top1"]
fact(f"the mean of {members} networks' weights is no network: {spoiled:.0f} % wrong",
     spoiled > alone["top1"] + 10)
third = [state["conv1.weight"][3].ravel() for state in states[:2]]
likeness = float(np.corrcoef(*third)[0, 1])
fact(f"kernel 3 of the first two correlates by {likeness:.2f}", abs(likeness) < 0.5)
with broken(ValueError):
    bench.network(6, hidden=32).load_state_dict(states[0])
classroom.save(ensembles.draw(answers, val_labels,
                              {name: means for name, (*_, means) in lab.items()}), "19_ensembles",
               "Left: a column for each picture, darker where the right class got more; "
               "a red cross is a mistake. They stand above each other more often than by chance. "
               "Right: the labs' errors of one to five networks averaged.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `pair = np.array([0.6, 0.4])`: two networks that nearly agree. What does averaging gain?
# - `members, alone_wrong = 5, 0.5`: does a vote help when each is right half of the time?
# - `members, alone_wrong = 3, 0.3`: what do three gain?
#
# ## Exercise
# `lessons/exercises/19_ensembles.py`: average predictions, count votes, judge a difference. Before
# you write it: can the average of five networks be wrong where all five are right?
