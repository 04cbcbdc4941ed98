"""Augmentation: crops, reflections, colours; 2048 or 2178; ten crops

The paper (P), section 4.1, makes more pictures out of 1.2 million in two ways: random crops with reflections, and changes of
colour along the principal components. Ten crops per picture belong to testing. The study notes (N1 to N5) mix them up.
"""
# %% Tools
import classroom
import numpy as np
from classroom import broken, claim, fact, predict, settle
from drawings import augmentation

from lessons.labs import bench, results
from minialex.data.patterns import PATTERNS
from minialex.data.scene import draw
from minialex.data.transforms import colour_shifts, prepare, ten_crops

# %% [markdown]
# ## 1. How many crops are there?
# A crop of 224 in a picture of 256 may begin at column 0, 1, …, 256 − 224. The paper: "This increases the size of our
# training set by a factor of 2048", 32·32 places times 2 for the reflection.

# %%
claim("T4", "N3, N5", "augmentation: random 224 crops of 256 and reflections; “10 crops”")
guess = predict("In how many places does a window of 224 columns fit into 256 columns, moving by 1?")
random = np.random.default_rng(0)
picture = random.integers(0, 256, (1, 256, 256), dtype=np.uint8)

def views(picture, crop):
    """All crops and reflections of a picture, as bytes, by two loops."""
    room = picture.shape[-1] - crop
    found = []
    for row in range(room + 1):
        for column in range(room + 1):
            window = picture[:, row : row + crop, column : column + crop]
            found += [window.tobytes(), window[:, :, ::-1].tobytes()]
    return found

places = 256 - 224 + 1
guess.turned_out(places)
all_views = {hash(view) for view in views(picture, 224)}
fact("the first window counts too: 33 places, 33·33·2 = 2178 views, all different",
     len(all_views) == places * places * 2 == 2178)
fact("32·32·2 = 2048 leaves out the last row and column of places", 32 * 32 * 2 == 2048)
fact("at 227, which the layers need, there are 30·30·2 = 1800", len(set(map(hash, views(picture, 227)))) == 30 * 30 * 2)
out = np.empty((1, 224, 224), dtype=np.float32)
prepare(picture, row=5, column=32, reflect=True, mean=None, factor=1, out=out)
fact("the engine's prepare(...) makes the last of them, column 32, too", hash(out.astype(np.uint8).tobytes()) in all_views)
guess = predict("In 90 epochs a picture is shown in 90 of its 2178 views, at random. How many are different?", within=1)
different = 2178 * (1 - (1 - 1 / 2178) ** 90)
guess.turned_out(round(different, 2))
drawn = np.mean([len(set(random.integers(0, 2178, 90))) for _ in range(2000)])
fact("about 88: it hardly ever sees a view again, and never the whole 2178", abs(drawn - different) < 0.2 and 88 < different < 89)

# %% [markdown]
# ## 2. Ten crops belong to testing
# "At test time, the network makes a prediction by extracting five 224×224 patches (the four corner patches and the center
# patch) as well as their horizontal reflections (hence ten patches in all), and averaging the predictions".

# %%
ten = ten_crops(picture[None], 224)[0]
by_hand = []
for row, column in [(0, 0), (0, 32), (32, 0), (32, 32), (16, 16)]:
    by_hand.append(picture[:, row : row + 224, column : column + 224])
by_hand += [view[:, :, ::-1] for view in by_hand]
fact("ten_crops gives the four corners, the centre and their reflections", np.array_equal(ten, np.array(by_hand)))
fact("each is one of the 2178", all(hash(view.astype(np.uint8).tobytes()) in all_views for view in ten))
settle("T4", "half true", f"training: {places}·{places}·2 = {len(all_views)} views, the paper's 2048 = 2·32² is one place "
       f"short in each direction, and 90 epochs show about {different:.0f} of them; testing: {len(ten)} fixed views, averaged")

# %% [markdown]
# ## 3. Colour along the principal components
# C is the 3×3 covariance of the pixels' red, green and blue, C = P·diag(λ)·Pᵀ. To every pixel of a picture the paper adds
# `P·(α₁λ₁, α₂λ₂, α₃λ₃)ᵀ` with α ~ N(0, 0.1²), drawn once per picture. The covariance of what is added:
# `P·diag(0.1²·λ²)·Pᵀ = 0.01·C·C`, because C·C = P·diag(λ)·Pᵀ·P·diag(λ)·Pᵀ = P·diag(λ²)·Pᵀ.

# %%
claim("T5", "N3, N4, P", "RGB intensities are altered along the principal components, σ = 0.1")
guess = predict("If two of a picture's channels are equal, how many of C's three eigenvalues can be more than 0?")
colours = np.concatenate([draw(pattern, np.random.default_rng([7, i]), 48).reshape(-1, 3)
                          for pattern in PATTERNS.values() for i in range(3)]) / 255  # pixels in 0..1
middle, covariance = colours.mean(axis=0), np.zeros((3, 3))
for one in range(3):
    for other in range(3):
        covariance[one, other] = ((colours[:, one] - middle[one]) * (colours[:, other] - middle[other])).mean()
eigenvalues, components = np.linalg.eigh(covariance)  # in rising order; the components are the columns
equal = colours.copy()
equal[:, 1] = equal[:, 0]
guess.turned_out(int((np.linalg.eigvalsh(np.cov(equal.T)) > 1e-12).sum()))
fact("the double loop is NumPy's covariance", np.allclose(covariance, np.cov(colours.T, bias=True)))
fact("C = P·diag(λ)·Pᵀ", np.allclose(components * eigenvalues @ components.T, covariance))
fact("the first component is nearly grey: brightness varies most", np.ptp(abs(components[:, -1])) < 0.2)

def added(alpha):
    """What a picture with these three draws gets: the same colour for each of its pixels."""
    return components @ (alpha * eigenvalues)

draws, shifts = np.random.default_rng(2), colour_shifts(components * eigenvalues, 0.1, 5, np.random.default_rng(2))
fact("the engine's colour_shifts adds the same colours for the same draws",
     np.allclose(shifts, [added(alpha) for alpha in 0.1 * draws.standard_normal((5, 3))], atol=1e-7))
noise = np.array([added(random.normal(0, 0.1, 3)) for _ in range(40_000)])
predicted = 0.01 * covariance @ covariance
fact("the covariance of 40,000 additions is 0.01·C·C, within 3 %",
     np.abs(np.cov(noise.T) - predicted).max() < 0.03 * np.abs(predicted).max())
fact("so its spread along a component is 0.1·λ, a variance, and not 0.1·√λ", np.allclose(
    np.diag(components.T @ predicted @ components), (0.1 * eigenvalues) ** 2))
in_bytes = 0.1 * np.linalg.eigvalsh(covariance * 255**2)[-1]
fact("λ has the unit of pixel²: with pixels 0..255 the formula adds hundreds of grey levels to everything", in_bytes > 255)
settle("T5", "true, for pixels in 0..1", f"covariance of what is added = 0.01·C·C; λ = "
       f"{', '.join(f'{v:.4f}' for v in eigenvalues[::-1])}, so ±{0.1 * eigenvalues[-1]:.4f} of 1 along the "
       f"first; with pixels in 0..255 it would be ±{in_bytes:.0f} of 255")

# %% [markdown]
# ## 4. Does it help? And broken on purpose
# `python -m lessons.labs augmentation` trains small networks with and without random crops and reflections.

# %%
rows = results.read(results.FOLDER / "augmentation.csv")
for name in dict.fromkeys(row["pictures"] for row in rows):
    found = results.by_arm([row for row in rows if row["pictures"] == name], "top1")
    change, half = results.paired(found["crops, reflections"], found["centre only"])
    print(f"  {name}, {len(found['centre only'])} seeds: validation error {change:+.1f} ± {half:.1f} points with augmentation: "
          f"{results.sentence(change, half)}")
small = bench.draw_pictures(1, 1).train.astype(np.float32)
fact("a batch of the labs' random crops has the network's size", bench.crops(small, random).shape == (10, 3, 31, 31))
with broken(ValueError):
    ten_crops(picture[None], 300)
shown = draw(PATTERNS["rings"], np.random.default_rng(3)) / 255
exaggerated = [added(random.normal(0, 1.0, 3)) for _ in range(5)]  # 1.0 for 0.1: what the paper does is hardly seen
classroom.save(augmentation.draw(shown, exaggerated, in_bytes), "16_augmentation")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/16_augmentation.py`: count the views, list the ten, and compute a picture's colour change. Before you
# write it: in how many of the 33·33 crops is the picture's corner pixel, and in how many its middle?
