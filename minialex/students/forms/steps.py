"""First steps of Adam, RMSProp and the like, which leave of a gradient its signs."""
import numpy as np

ALIKE = 1e-3  # the epsilon beside the root
FEW = 3  # entries that are of one size by chance


def of_one_size(updates: dict[str, np.ndarray]) -> list[str]:
    """The parameters whose steps have one size, up or down. Where there is one with both, a step of
    the same size is one of them, too, if it is a single number."""
    sizes = {name: np.abs(update[update != 0]) for name, update in updates.items() if update.any()}
    equal = {name: one.mean() for name, one in sizes.items() if np.ptp(one) < ALIKE * one.mean()}
    both = [equal[name] for name in equal if sizes[name].size >= FEW and (
        np.ptp(np.sign(updates[name])) == 2 or abs(equal[name] - 1) < ALIKE)]
    return [name for name, size in equal.items()
            if any(abs(size - one) < ALIKE * one for one in both)]
