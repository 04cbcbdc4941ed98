"""Exercise 16: the number of views, the five places of a test, the colour that is added."""
import numpy as np
from checking import call, same


def check(views, corners, colour_change):
    for size, crop in [(256, 224), (256, 227), (35, 31)]:
        room = size - crop
        hints = [(2 * room**2, "the first place counts too: room + 1 places. The paper's 2048 has "
                  "the same mistake."), ((room + 1) ** 2, "each crop also comes reflected."),
                 (2 * (room + 1), "rows and columns move independently."),
                 (4 * (room + 1) ** 2, "the paper reflects horizontally only."),
                 (10, "ten are for testing; training has more.")]
        same(f"views{size, crop}", call(views, size, crop), 2 * (room + 1) ** 2, hints)
        far, middle = room, room // 2
        right = [(0, 0), (0, far), (far, 0), (far, far), (middle, middle)]
        hints = [([(0, 0), (0, far + 1), (far + 1, 0), (far + 1, far + 1), (middle, middle)],
                  "from size − crop + 1 the window sticks out: the last place is size − crop."),
                 ([(0, 0), (0, crop), (crop, 0), (crop, crop), (middle, middle)],
                  "the last crop begins at size − crop."),
                 ([(0, 0), (0, far), (far, 0), (far, far), (size // 2, size // 2)],
                  "that is where the centre lies, not where the crop around it begins."),
                 (right[:4], "the centre is missing.")]
        same(f"corners{size, crop}", call(corners, size, crop), right, hints)
    random = np.random.default_rng(0)
    mixing = random.normal(size=(3, 3))
    covariance, alpha = mixing @ mixing.T, random.normal(0, 0.1, 3)
    eigenvalues, components = np.linalg.eigh(covariance)
    hints = [(components @ (alpha * np.sqrt(eigenvalues)),
              "the paper takes λ itself, not its square root."),
             (components @ alpha, "each draw is multiplied by its eigenvalue first."),
             (components.T @ (alpha * eigenvalues), "the components are the columns of P: P @ …, "
              "not P.T @ …."), (alpha * eigenvalues, "that is in the components' own axes: "
                                "turn it back to red, green, blue with P."),
             (0.1 * components @ (alpha * eigenvalues), "the 0.1 is in the draws already.")]
    same("colour_change", call(colour_change, covariance, alpha),
         components @ (alpha * eigenvalues), hints)
    return "2178 views of 224 in 256: the paper's 2048 is (256 − 224)²·2."
