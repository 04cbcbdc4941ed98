"""A network that is a list of layers of neurons, which functions are handed and change; and f' of
one number."""
import pytest
from short import first
from student_files import verdicts

NEURONS = """
    from math import exp
    from random import random

    def make_network(n_inputs, n_hidden, n_outputs):
        hidden = [{"weights": [random() for _ in range(n_inputs + 1)]} for _ in range(n_hidden)]
        top = [{"weights": [random() for _ in range(n_hidden + 1)]} for _ in range(n_outputs)]
        return [hidden, top]

    def init_net(n_inputs, n_hidden, n_outputs):
        return make_network(n_inputs, n_hidden, n_outputs)

    def squash(activation):
        return 1.0 / (1.0 + exp(-activation))

    def squash_derivative(output):
        return SLOPE

    def forward_propagate(net, row):
        inputs = row
        for layer in net:
            found = []
            for neuron in layer:
                w = neuron["weights"]
                total = w[-1] + sum(w[i] * inputs[i] for i in range(len(w) - 1))
                neuron["output"] = squash(total)
                found.append(neuron["output"])
            inputs = found
        return inputs

    def backward_error(net, expected):
        for i in reversed(range(len(net))):
            for j, neuron in enumerate(net[i]):
                if i == len(net) - 1:
                    error = expected[j] - neuron["output"]
                else:
                    error = sum(HANDED * one["delta"] for one in net[i + 1])
                neuron["delta"] = error * squash_derivative(neuron["output"])

    def update_weights(net, row, l_rate):
        for i in range(len(net)):
            inputs = ROW if i == 0 else [neuron["output"] for neuron in net[i - 1]]
            for neuron in net[i]:
                for j in range(len(inputs)):
                    neuron["weights"][j] += l_rate * neuron["delta"] * inputs[j]
                neuron["weights"][-1] += l_rate * neuron["delta"]

    def train(net, rows, l_rate, epochs, n_outputs):
        for _ in range(epochs):
            for row in rows:
                forward_propagate(net, row)
                expected = [0] * n_outputs
                expected[row[-1]] = 1
                backward_error(net, expected)
                update_weights(net, row, l_rate)
"""
RIGHT = {"SLOPE": "output * (1.0 - output)", "HANDED": 'one["weights"][j]', "ROW": "row[:-1]"}


def written(**slips):
    code = NEURONS
    for name, part in {**RIGHT, **slips}.items():
        code = code.replace(name, part)
    return code


def statuses(check, **slips):
    _, (result,) = check(net=written(**slips))
    return {item["name"]: item["status"] for item in result["checks"]}, result


@pytest.mark.parametrize("row", ["row[:-1]", "row"])
def test_one_call_of_each_function_is_a_step(check, row):
    said, result = statuses(check, ROW=row)
    assert said == {"squash": "correct", "the network": "correct"}, result
    rows = verdicts(result)
    assert {"network[0][0].weights", "network[1][2].weights"} <= rows.keys()


@pytest.mark.parametrize("slip", [{"HANDED": 'neuron["weights"][0]'},
                                  {"SLOPE": "output * (1.0 + output)"}])
def test_a_slip_in_what_is_handed_down_is_never_right(check, slip):
    said, _ = statuses(check, **slip)
    assert said["the network"] in ("wrong", "error"), said
    assert said["squash"] == ("wrong" if "SLOPE" in slip else "correct")


@pytest.mark.parametrize("bias", first(1, ["random()", "0.1", "0"]))
@pytest.mark.parametrize("slip, status", [("+=", "correct"), ("-=", "wrong")])
def test_a_neurons_bias_that_is_one_number_is_compared(check, bias, slip, status):
    """No list of weights holds it, so that a wrong one is not seen beside right weights."""
    code = written(ROW="row").replace('"weights": [', f'"bias": {bias}, "weights": [')
    code = code.replace(" + 1)]", ")]").replace(
        'w[-1] + sum(w[i] * inputs[i] for i in range(len(w) - 1))',
        'neuron["bias"] + sum(w[i] * inputs[i] for i in range(len(w)))')
    code = code.replace('neuron["weights"][-1] +=', f'neuron["bias"] {slip}')
    _, (result,) = check("--timeout", "60", net=code)  # to name the slip takes some
    (one,) = [item for item in result["checks"] if item["name"] == "the network"]
    assert one["status"] == status, result
    rows = verdicts(result)
    assert rows["network[0][0].weights"] == "correct"
    assert rows["network[1][2].bias"] == ("sign flipped" if slip == "-=" else "correct")
