"""Right layers, put into random dialects, with random known mistakes: source code as a class would
hand it in.

A layer is formulas; a dialect says where things lie and what they are called; a mistake changes one
gradient's formula and has the verdict that it must get. `{x}`, `{W}`, … in a formula become self.x,
cache entries or the parameters of the dialect.
"""
from typing import NamedTuple

MISTAKES = {  # verdict: what becomes of a gradient's formula
    "sign flipped": "-({})",
    "off by a constant factor": "3.7 * ({})",
    "zero": "0.0 * ({})",
    "unknown": "({}) ** 3",
}


class Formulas(NamedTuple):
    """forward: of x and the parameters; keep: {name: formula} that backward uses; gradients:
    {input: formula of dout}; own: {input: (verdict, formula)}, mistakes of this layer alone."""

    parameters: dict
    forward: str
    keep: dict
    gradients: dict
    own: tuple = ()


LAYERS = {
    "Dense": Formulas({"W": "({n_in}, {n_out})", "b": "({n_out},)"}, "{x} @ {W} + {b}", {},
                      {"x": "{d} @ {W}.T", "W": "{x}.T @ {d}", "b": "{d}.sum(axis=0)"},
                      (("b", "mean where a sum is due", "{d}.mean(axis=0)"),
                       ("W", "transposed or permuted", "{d}.T @ {x}"),
                       ("b", "not summed over the batch or broadcast axes", "{d}"),
                       ("b", "not summed over the batch or broadcast axes", "{d}[-1]"))),
    "ScaleShift": Formulas({"gamma": "({n_in},)", "beta": "({n_in},)"}, "{gamma} * {x} + {beta}",
                           {},
                           {"x": "{d} * {gamma}", "gamma": "({d} * {x}).sum(axis=0)",
                            "beta": "{d}.sum(axis=0)"},
                           (("gamma", "mean where a sum is due", "({d} * {x}).mean(axis=0)"),
                            ("gamma", "not summed over the batch or broadcast axes", "{d} * {x}"))),
    "Tanh": Formulas({}, "np.tanh({x})", {"h": "np.tanh({x})"}, {"x": "{d} * (1 - {h} ** 2)"},
                     (("x", "slip in the derivative", "{d} * (1 - {h})"),
                      ("x", "slip in the derivative", "{d} * {h} ** 2"))),
    "Sigmoid": Formulas({}, "1 / (1 + np.exp(-{x}))", {"s": "1 / (1 + np.exp(-{x}))"},
                        {"x": "{d} * {s} * (1 - {s})"},
                        (("x", "slip in the derivative", "{d} * {s}"),
                         ("x", "slip in the derivative", "{d} * (1 - {s})"))),
    "ReLU": Formulas({}, "np.maximum({x}, 0)", {}, {"x": "{d} * ({x} > 0)"}),
    "Leaky": Formulas({}, "np.where({x} > 0, {x}, 0.2 * {x})", {},
                      {"x": "{d} * np.where({x} > 0, 1, 0.2)"},
                      (("x", "wrong where the input is negative", "{d} * ({x} > 0)"),)),
    "TanhDense": Formulas({"W": "({n_in}, {n_out})", "b": "({n_out},)"}, "np.tanh({x} @ {W} + {b})",
                          {"h": "np.tanh({x} @ {W} + {b})"},
                          {"x": "({d} * (1 - {h} ** 2)) @ {W}.T",
                           "W": "{x}.T @ ({d} * (1 - {h} ** 2))",
                           "b": "({d} * (1 - {h} ** 2)).sum(axis=0)"},
                          (("W", "slip in the derivative", "{x}.T @ ({d} * (1 - {h}))"),
                           ("b", "mean where a sum is due",
                            "({d} * (1 - {h} ** 2)).mean(axis=0)"))),
    "Softmax": Formulas({}, "np.exp({x}) / np.exp({x}).sum(axis=1, keepdims=True)",
                        {"p": "np.exp({x}) / np.exp({x}).sum(axis=1, keepdims=True)"},
                        {"x": "{p} * ({d} - ({d} * {p}).sum(axis=1, keepdims=True))"},
                        (("x", "one term missing", "{d} * {p} * (1 - {p})"),
                         ("x", "one term missing", "{d} * {p}"))),
    "Centre": Formulas({}, "{x} - {x}.mean(axis=0)", {}, {"x": "{d} - {d}.mean(axis=0)"},
                       (("x", "one term missing", "{d}"),)),
}

# names: of x, dout, forward, backward; sizes: the constructor's; where: parameters, gradients,
# output and dx lie
NAMES = (("x", "dout", "forward", "backward"),
         ("inputs", "dvalues", "forward", "backward"), ("x", "grad", "fprop", "bprop"),
         ("input_data", "output_gradient", "forward_propagation", "backward_propagation"),
         ("X", "d_out", "forward", "backward"), ("A", "dLdZ", "forward", "backward"),
         ("x", "accum_grad", "forward_pass", "backward_pass"),
         ("x", "delta", "feedforward", "backprop"), ("x", "grad_output", "__call__", "backward"),
         ("inp", "dy", "fwd", "bwd"))
SIZES = (("n_in", "n_out"), ("in_features", "out_features"), ("input_size", "output_size"),
         ("fan_in", "fan_out"), ("n_inputs", "n_neurons"), ("in_dim", "out_dim"))
HOLD = ("{0}|d{0}", "{0}|grad_{0}", "{0}|{0}_grad", "{0}|d_{0}", "params['{0}']|grads['{0}']",
        "{0}.value|{0}.grad", "{0}|update", "{0}|returned", "{0}|gradient_{0}",
        "params['{0}']|grads['d{0}']")
LONG = {"W": "weights", "b": "biases"}


def source(class_name, layer, random, mistake=None):
    """(source of a class, {input: verdict}). random: a random.Random; mistake: None, or True for a
    random one."""
    formulas = LAYERS[layer]
    x, d, forward, backward = random.choice(NAMES)
    n_in, n_out = random.choice(SIZES)
    hold = random.choice(HOLD)
    keeps_output, keeps_dx, returns_cache = (random.random() < 0.2, random.random() < 0.2,
                                             random.random() < 0.2)
    names = {name: LONG.get(name, name) if random.random() < 0.3 and "[" not in hold else name
             for name in formulas.parameters}
    gradients, expected = dict(formulas.gradients), {}
    if mistake:
        which, verdict, formula = _mistake(formulas, random)
        # such an update fails on its own
        while "update" in hold and verdict == "transposed or permuted":
            which, verdict, formula = _mistake(formulas, random)
        gradients[which], expected = formula, {names.get(which, x): verdict}
    held, grad = hold.split("|")
    params = {name: f"self.{held.format(names[name])}" for name in names}
    lines = [f"class {class_name}:"]
    if names:
        lines += [f"    def __init__(self, {n_in}, {n_out}):" if "n_out" in str(formulas.parameters)
                  else f"    def __init__(self, {n_in}):"]
        lines += ["        self.params, self.grads = {}, {}"] if "[" in hold else []
        for name, shape in formulas.parameters.items():
            value = f"np.zeros({shape.format(n_in=n_in, n_out=n_out)})"
            lines += [f"        self.{names[name]} = Box({value})" if ".value" in hold
                      else f"        {params[name]} = {value}"]
    inside = {**params, "x": x}
    kept = {"x": x, **{name: formula.format(**inside) for name, formula in formulas.keep.items()}}
    lines += [f"    def {forward}(self, {x}):"]
    at = {}
    for number, (name, formula) in enumerate(kept.items()):
        at[name] = (f"cache[{number}]" if returns_cache
                    else f"self.{'kept_' + name if name != 'x' else x}")
        lines += [] if returns_cache else [f"        {at[name]} = {formula}"]
    out = formulas.forward.format(**inside)
    if returns_cache:
        lines += [f"        return {out}, ({', '.join(kept.values())},)"]
    else:
        lines += [f"        self.output = {out}"] if keeps_output else [f"        return {out}"]
    rate = ", learning_rate" if grad == "update" and random.random() < 0.7 else ""
    lines += [] if rate or grad != "update" else ["    lr = 1.0"]
    lines += [f"    def {backward}(self, {d}{', cache' if returns_cache else ''}{rate}):"]
    use = {**params, **at, "d": d}
    lines += [f"        d_input = {gradients['x'].format(**use)}"]
    returned = []
    for name in names:
        value = gradients[name].format(**use)
        if grad == "update":
            lines += [f"        g_{name} = {value}"]
        elif grad == "returned":
            returned.append(value)
        else:
            lines += [f"        self.{grad.format(names[name])} = {value}"]
    if grad == "update":
        factor = "learning_rate * " if rate else ""
        lines += [f"        {params[name]} = {params[name]} - {factor}g_{name}" for name in names]
    if returned:
        lines += [f"        return d_input, {', '.join(returned)}"]
    else:
        lines += [f"        self.d{'inputs' if x == 'inputs' else 'x'} = "
                  "d_input"] if keeps_dx else ["        return d_input"]
    return "\n".join(lines) + "\n", expected


def _mistake(formulas, random):
    """(input, verdict, formula)"""
    if formulas.own and random.random() < 0.5:
        return random.choice(formulas.own)
    which = random.choice(list(formulas.gradients))
    verdict = random.choice(list(MISTAKES))
    return which, verdict, MISTAKES[verdict].format(formulas.gradients[which])


HEAD = """import numpy as np


class Box:
    def __init__(self, value):
        self.value, self.grad = value, None


"""
