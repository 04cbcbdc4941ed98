"""Augmentation: crops, reflections, colours; 2048 or 2178; ten crops

Prerequisites: lessons 01 and 10. Minutes: 35. Afterwards you can make more pictures out of one,
count them, and keep the ten crops of a test apart from them. The paper (P), section 4.1, has two
ways: random crops with reflections, and changes of colour. The study notes (N1 to N5) mix the first
with what belongs to testing.
"""
# %% Tools
import classroom
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle, show
from drawings import augmentation

from lessons.labs import bench, results
from minialex.data.transforms import colour_shifts, prepare, ten_crops
from minialex.sets.patterns import PATTERNS
from minialex.sets.scene import draw

# %% [markdown]
# ## 1. How many crops are there?
# 60 million weights, and 1.2 million pictures: the network could learn them by heart. More pictures
# would help, but somebody must take them and label them. There is a cheaper way. A dog two pixels
# further left is still a dog, and so is its mirror image. So make new pictures of the old ones,
# with the same label: **augmentation**. The paper cuts a window of 224×224 out of a picture of
# 256×256, at random, and reflects half of them.
#
# How many are there? The window may begin at column 0, 1, …, 256 - 224. That is one more than 256 -
# 224, because 0 counts too. The same for the rows, and each with and without reflection: 2·(256 -
# 224 + 1)². The paper writes: "This increases the size of our training set by a factor of 2048".

# %%
claim("T4", "N3, N5", "augmentation: random 224 crops of 256 and reflections; “10 crops”")
size, crop = 256, 224
guess = predict(f"In how many places does a window of {crop} columns fit into {size} columns, "
                "moving by 1?")
random = np.random.default_rng(0)
picture = random.integers(0, 256, (1, size, size), dtype=np.uint8)

def views(picture, crop):
    """All crops and reflections of a picture, as bytes, by two loops."""
    room = picture.shape[-1] - crop
    found = []
    for row in range(room + 1):
        for column in range(room + 1):
            window = picture[:, row : row + crop, column : column + crop]
            found += [window.tobytes(), window[:, :, ::-1].tobytes()]
    return found

places = size - crop + 1
formula(f"{size} - {crop} + 1 = {places}, so 2·{places}² = {2 * places**2} views")
guess.turned_out(places)
all_views = {hash(view) for view in views(picture, crop)}
fact(f"the first window counts too: the loops find {len(all_views)} views, all different",
     len(all_views) == 2 * places**2)
fact(f"the paper's 2048 is 2·{size - crop}²: "
     "it leaves out the last row and the last column of places", 2 * (size - crop) ** 2 == 2048)
larger = set(map(hash, views(picture, 227)))
fact(f"at 227, which the layers need (lesson 01), there are {len(larger)} = 2·{size - 227 + 1}²",
     len(larger) == 2 * (size - 226) ** 2)
out = np.empty((1, crop, crop), dtype=np.float32)
prepare(picture, row=5, column=size - crop, reflect=True, mean=None, factor=1, out=out)
fact(f"the engine's prepare(...) makes those of the last column, {size - crop}, too",
     hash(out.astype(np.uint8).tobytes()) in all_views)
holds = [sum(start <= column < start + crop for start in range(places)) for column in range(size)]
fact(f"the corner pixel is in {holds[0] ** 2} of {places}·{places} crops, the middle one "
     f"in {holds[size // 2] ** 2}: all", holds[0] == 1 and holds[size // 2] == places)

# %% [markdown]
# ## 2. How many of them does the network see?
# The paper trained for about 90 epochs, so each picture is shown about 90 times, each time as a
# random one of its V views. How many different ones is that? The chance that one certain view does
# not come in one draw is 1 - 1/V. That it does not come in 90 draws: (1 - 1/V)⁹⁰. So it comes with
# the chance 1 - (1 - 1/V)⁹⁰. There are V views, all with this chance: V·(1 - (1 - 1/V)⁹⁰) different
# ones.

# %%
epochs, V = 90, len(all_views)
guess = predict(f"In {epochs} epochs a picture is shown in {epochs} of its {V} views, at random. "
                "How many are different?", within=1)
different = V * (1 - (1 - 1 / V) ** epochs)
formula(f"{V}·(1 - (1 - 1/{V})^{epochs}) = {different:.2f}")
guess.turned_out(round(different, 2))
drawn = np.mean([len(set(random.integers(0, V, epochs))) for _ in range(2000)])
fact(f"2000 experiments give {drawn:.2f} on average", abs(drawn - different) < 0.01 * epochs)
fact(f"it hardly ever sees a view again ({epochs - different:.1f} times), and it sees "
     f"{different / V:.0%} of them", epochs - different < 0.05 * epochs and different < V)

# %% [markdown]
# ## 3. Ten crops belong to testing
# At test time nothing is drawn at random. The paper: "the network makes a prediction by extracting
# five 224×224 patches (the four corner patches and the center patch) as well as their horizontal
# reflections (hence ten patches in all), and averaging the predictions". Ten fixed views of a
# picture, ten answers, one mean. Whoever writes that training uses ten crops has mixed up the two.

# %%
ten = ten_crops(picture[None], crop)[0]
far, middle = size - crop, (size - crop) // 2
by_hand = []
for row, column in [(0, 0), (0, far), (far, 0), (far, far), (middle, middle)]:
    by_hand.append(picture[:, row : row + crop, column : column + crop])
by_hand += [view[:, :, ::-1] for view in by_hand]
fact("ten_crops gives the four corners, the centre and their reflections",
     np.array_equal(ten, np.array(by_hand)))
fact(f"each is one of the {V}",
     all(hash(view.astype(np.uint8).tobytes()) in all_views for view in ten))
settle("T4", "half true", f"training: {places}·{places}·2 = {len(all_views)} views, "
       f"the paper's 2048 = 2·{size - crop}² is one place short in each direction, and {epochs} "
       f"epochs show about {different:.0f} of them; testing: {len(ten)} fixed views, averaged")

# %% [markdown]
# ## 4. Colour along the principal components
# A dog at noon and a dog in the evening are the same dog in another light. So change the light. But
# how much of red, green and blue? As they change in real pictures. C is the covariance of the
# pixels' three colours, 3×3. Its eigenvectors are the principal components: p₁ is the direction in
# which colours vary most. Its eigenvalues λ are the variances along them. With the components as
# the columns of P: C = P·diag(λ)·Pᵀ.
#
# To every pixel of a picture the paper adds P·(α₁λ₁, α₂λ₂, α₃λ₃)ᵀ, with α ~ N(0, 0.1²), drawn once
# for each picture and epoch. How large is that? Compute the covariance of what is added:
# - Each α·λ has variance 0.1²·λ². Together: diag(0.1²·λ²).
# - P turns it: P·diag(0.1²·λ²)·Pᵀ.
# - C·C = P·diag(λ)·Pᵀ·P·diag(λ)·Pᵀ, and Pᵀ·P is the unit matrix: C·C = P·diag(λ²)·Pᵀ.
# - So it is 0.01·C·C.
#
# The spread along a component is 0.1·λ, and λ is a variance. One would have expected 0.1·√λ, a
# tenth of the pixels' spread.

# %%
claim("T5", "N3, N4, P", "RGB intensities are altered along the principal components, σ = 0.1")
sigma = 0.1
guess = predict("If two of a picture's channels are equal, "
                "how many of C's three eigenvalues can be more than 0?")
colours = np.concatenate([draw(pattern, np.random.default_rng([7, i]), 48).reshape(-1, 3)
                          for pattern in PATTERNS.values()
                          for i in range(3)]) / 255  # pixels in 0..1
centre, covariance = colours.mean(axis=0), np.zeros((3, 3))
for one in range(3):
    for other in range(3):
        covariance[one, other] = ((colours[:, one] - centre[one])
                                  * (colours[:, other] - centre[other])).mean()
# in rising order; the components are the columns
eigenvalues, components = np.linalg.eigh(covariance)
equal = colours.copy()
equal[:, 1] = equal[:, 0]
guess.turned_out(int((np.linalg.eigvalsh(np.cov(equal.T)) > 1e-12).sum()))
fact("the double loop is NumPy's covariance", np.allclose(covariance, np.cov(colours.T, bias=True)))
fact("C = P·diag(λ)·Pᵀ, and Pᵀ·P is the unit matrix",
     np.allclose(components * eigenvalues @ components.T, covariance)
     and np.allclose(components.T @ components, np.eye(3)))
fact("the first component is nearly grey, red ≈ green ≈ blue: "
     "brightness varies most", np.ptp(abs(components[:, -1])) < 0.2
     and (np.sign(components[:, -1]) == np.sign(components[0, -1])).all())

def added(alpha):
    """What a picture with these three draws gets: the same colour for each of its pixels."""
    return components @ (alpha * eigenvalues)

draws, shifts = np.random.default_rng(2), colour_shifts(components * eigenvalues, sigma, 5,
                                                        np.random.default_rng(2))
fact("the engine's colour_shifts adds the same colours for the same draws",
     np.allclose(shifts, [added(alpha) for alpha in sigma * draws.standard_normal((5, 3))],
                 atol=1e-7))
noise = np.array([added(random.normal(0, sigma, 3)) for _ in range(40_000)])
predicted = sigma**2 * covariance @ covariance
fact(f"the covariance of 40,000 additions is {sigma**2:g}·C·C, within 3 %",
     np.abs(np.cov(noise.T) - predicted).max() < 0.03 * np.abs(predicted).max())
along = np.sqrt(np.diag(components.T @ predicted @ components))
fact(f"so its spread along the first component is {sigma:g}·λ = {along[-1]:.4f}, "
     f"and not {sigma:g}·√λ = {sigma * eigenvalues[-1] ** 0.5:.4f}",
     np.allclose(along, sigma * eigenvalues))
in_bytes = sigma * np.linalg.eigvalsh(covariance * 255**2)[-1]
each = in_bytes * components[:, -1] * np.sign(components[0, -1])
fact(f"λ has the unit of pixel²: with pixels 0..255 the formula adds ±{in_bytes:.0f} along the "
     f"first component, at least ±{each.min():.0f} to each colour, and there are only 255 grey "
     "levels", each.min() > 255 and np.isclose(in_bytes, 255**2 * sigma * eigenvalues[-1]))
settle("T5", "true, for pixels in 0..1", f"covariance of what is added = {sigma**2:g}·C·C; "
       f"λ = {', '.join(f'{v:.4f}' for v in eigenvalues[::-1])}, so ±{sigma * eigenvalues[-1]:.4f} "
       f"of 1 along the first; with pixels in 0..255 it would be ±{in_bytes:.0f} of 255")

# %% [markdown]
# ## 5. Does it help? And broken on purpose
# `python -m lessons.labs augmentation` trained small networks with and without random crops and
# reflections, each with several seeds. Its results are in a file. ± is an interval for the true
# difference; lesson 17 explains it. If 0 is inside, nothing was seen. At the end, a crop that is
# larger than the picture.

# %%
rows = results.read(results.FOLDER / "augmentation.csv")
seen = {}
for name in dict.fromkeys(row["pictures"] for row in rows):
    found = results.by_arm([row for row in rows if row["pictures"] == name], "top1")
    change, half = results.paired(found["crops, reflections"], found["centre only"])
    seen[name] = change, half
    show(f"  {name}, {len(found['centre only'])} seeds: validation error {change:+.1f} ± "
         f"{half:.1f} points with augmentation: {results.sentence(change, half)}")
fact("each interval holds 0: with so few seeds the labs saw no difference",
     all(abs(change) < half for change, half in seen.values()))
small = bench.draw_pictures(1, 1).train.astype(np.float32)
fact(f"a batch of the labs' random crops has the network's size, {bench.CROP}",
     bench.crops(small, random).shape == (10, 3, bench.CROP, bench.CROP))
with broken(ValueError):
    ten_crops(picture[None], size + 44)
shown = draw(PATTERNS["rings"], np.random.default_rng(3), size) / 255
# what the paper does is hardly seen
exaggerated = [added(random.normal(0, 10 * sigma, 3)) for _ in range(5)]
classroom.save(augmentation.draw(shown, [*exaggerated, each / 255], holds, crop), "16_augmentation",
               "Upper left: the darker, the more crops hold the pixel; the corner is in one, "
               "the middle in all. Upper right: the five places of a test's ten views. Below: "
               "one picture in other light, ten times stronger than in training; "
               "at the far right what happens if λ is computed from pixels in 0..255.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `size, crop = 256, 227`: does the paper's 2048 belong to the crops that its layers need?
# - `epochs, V = 2000, len(all_views)`: does the network still hardly ever see a view again?
# - `sigma = 0.5`: how much colour is added then?
#
# ## Exercise
# `lessons/exercises/16_augmentation.py`: count the views, list the ten, and compute a picture's
# colour change.
