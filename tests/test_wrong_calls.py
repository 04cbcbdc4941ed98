"""Wrong calls, each with the sentence that a student reads: it lists what does not fit and says
what to do."""
import re

import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim
from minialex.errors import GradientShape, UserError


def zeros(*shape):
    return ma.Tensor(np.zeros(shape, np.float32), requires_grad=True)


def function(forward=lambda x: x * 1, backward=lambda g: g):
    """A student's Function with these two methods."""
    return type("Cube", (ma.Function,),
                {"forward": lambda self, x: forward(x), "backward": lambda self, g: backward(g)})()


def twice(call):
    call()
    call()


def function_called_twice():
    cube = function()
    twice(lambda: cube(zeros(2)))


def sgd(parameters=None, lr=0.1, **options):
    return optim.SGD(nn.Linear(3, 2).parameters() if parameters is None else parameters, lr,
                     **options)


def step_with_a_transposed_gradient():
    layer = nn.Linear(3, 2)
    layer.weight.grad = np.zeros((3, 2))
    optim.SGD(layer.parameters(), 0.1).step()


def frozen():
    with ma.no_grad():
        return (zeros(2) * 3).sum()


layer, loss = nn.Linear(3, 2), zeros(2).sum()
shared = nn.Parameter(np.zeros((4, 2)))

TENSOR = {
    "a Tensor of a Tensor": (lambda: ma.Tensor(zeros(2)), TypeError,
                             "was given a Tensor: use it as it is, or .detach()"),
    "text": (lambda: ma.Tensor(["cat", "dog"]), TypeError, "needs real numbers, got list (<U3)"),
    "None": (lambda: ma.Tensor(None), TypeError, "needs real numbers, got NoneType"),
    "rows of different lengths": (lambda: ma.Tensor([[1, 2], [3]]), TypeError,
                                  "rows of equal length, got nested lists of different"),
    "complex numbers": (lambda: ma.Tensor(np.array([1 + 2j])), TypeError,
                        "needs real numbers, got ndarray (complex128)"),
    "plus None": (lambda: zeros(2) + None, TypeError, "needs real numbers, got NoneType"),
    "plus text": (lambda: zeros(2) + "1", TypeError, "needs real numbers, got str"),
    "if tensor": (lambda: bool(zeros(2, 3)), ValueError,
                  "a Tensor (2, 3) is neither true nor false: compare its .data"),
    "item of many": (lambda: zeros(2, 3).item(), ValueError,
                     "item() needs one element, this tensor has shape (2, 3)"),
    "unknown device": (lambda: zeros(2).to("gpu"), UserError,
                       "unknown device 'gpu': choose auto, cpu, cuda or cuda:n"),
    "backward from many": (lambda: zeros(2, 3).backward(), ValueError,
                           "this tensor has shape (2, 3): reduce it by .sum() or .mean(), or pass "
                           "gradient="),
    "backward with another shape": (lambda: (zeros(2, 3) * 1).backward(np.zeros((3, 2))),
                                    ValueError,
                                    "got shape (3, 2) for a tensor of shape (2, 3): they must be "
                                    "equal"),
    "backward without history": (lambda: ma.Tensor([1.0]).backward(), RuntimeError,
                                 "no input was made with requires_grad=True"),
    "backward after no_grad": (lambda: frozen().backward(), RuntimeError,
                               "or it was computed under no_grad()"),
    "backward twice": (lambda: twice(loss.backward), RuntimeError,
                       "already walked by backward() (at Sum): run forward again"),
}

FUNCTION = {
    "no forward": (lambda: ma.Function()(zeros(2)), NotImplementedError,
                   "Function has no forward(self, *arrays)"),
    "no backward": (lambda: type("Cube", (ma.Function,),
                                 {"forward": lambda s, x: x + 1})()(zeros(1)).backward(),
                    NotImplementedError, "Cube has no backward(self, grad_output)"),
    "called twice": (function_called_twice, RuntimeError,
                     "Cube was called before: make a new one, Cube()(x)."),
    "forward returns a Tensor": (lambda: function(forward=ma.Tensor)(zeros(2)), TypeError,
                                 "Cube.forward returned a Tensor, not one array: compute"),
    "forward returns nothing": (lambda: function(forward=lambda x: None)(zeros(2)), TypeError,
                                "Cube.forward returned a NoneType, not one array: compute with the "
                                "arrays that it is given"),
    "too many gradients": (lambda: function(backward=lambda g: (g, g))(zeros(1)).backward(),
                           ValueError,
                           "Cube.backward returned 2 gradients for 1 inputs: one for each, None "
                           "where none is due"),
    "gradient of another shape": (
    lambda: function(backward=lambda g: g.sum(keepdims=True))(zeros(2, 3)).sum().backward(),
                                  GradientShape, "Cube.backward returned shape (1, 1) for input 0 "
                                                 "of shape (2, 3)"),
    "forgotten return": (lambda: function(backward=lambda g: None)(zeros(1)).backward(), TypeError,
                         "Cube.backward returned None: is `return` missing?"),
    "a Tensor for a gradient": (lambda: function(backward=ma.Tensor)(zeros(1)).backward(),
                                TypeError,
                                "NumPy needs an array, not a Tensor: use .data"),
}

ARITHMETIC = {
    "+": (lambda: zeros(2, 3) + zeros(2), ValueError,
          "cannot compute (2, 3) + (2,): counted from the right, sizes 3 and 2 differ"),
    "-": (lambda: zeros(4) - zeros(3), ValueError, "cannot compute (4,) - (3,)"),
    "*": (lambda: zeros(2, 3) * np.zeros((4, 1, 2)), ValueError,
          "cannot compute (2, 3) * (4, 1, 2)"),
    "/": (lambda: zeros(5) / [1, 2], ValueError, "cannot compute (5,) / (2,)"),
    "**": (lambda: zeros(5) ** zeros(2), ValueError,
           "neither is 1. Reshape one so that the axes line up"),
    "@ inner": (lambda: zeros(2, 3) @ zeros(2, 3), ValueError,
                "cannot compute (2, 3) @ (2, 3): the left side has 3 columns, the right side 2 rows"),  # noqa: E501
    "@ scalar": (lambda: zeros(2, 3) @ 2, ValueError,
                 "cannot compute (2, 3) @ (): each side needs an axis"),
    "@ batch": (lambda: zeros(2, 3, 4) @ zeros(5, 4, 2), ValueError,
                "cannot compute (2, 3, 4) @ (5, 4, 2): counted from the right, sizes 2 and 5 differ"),  # noqa: E501
    "reshape": (lambda: zeros(2, 3).reshape(4, -1), ValueError,
                "cannot reshape (2, 3) (6 values) to (4, -1): the products must be equal"),
    "reshape to words": (lambda: zeros(2, 3).reshape("flat"), TypeError,
                         "cannot reshape (2, 3) (6 values) to ('flat',)"),
    "transpose": (lambda: zeros(2, 3).transpose(0, 2), ValueError,
                  "shape (2, 3) has no axis 2: use -2 to 1"),
    "transpose of too few": (lambda: zeros(2, 3, 4).transpose(0, 1), ValueError,
                             "does not name each axis of shape (2, 3, 4) once"),
    "sum over no axis": (lambda: zeros(2, 3).sum(axis=2), ValueError, "shape (2, 3) has no axis 2"),
    "sum twice over one axis": (lambda: zeros(2, 3).sum(axis=(1, -1)), ValueError,
                                "names an axis of shape (2, 3) twice"),
    "mean over half an axis": (lambda: zeros(2, 3).mean(axis=0.5), TypeError,
                               "axis must be a whole number, or several in brackets, got 0.5"),
    "mean of nothing": (lambda: zeros(0, 3).mean(axis=0), ValueError,
                        "axes (0,) of shape (0, 3) is a mean of nothing"),
    "max of nothing": (lambda: zeros(0, 3).max(), ValueError,
                       "shape (0, 3) is a maximum of nothing"),
    "index": (lambda: zeros(2, 3)[2], IndexError, "index into shape (2, 3): "
              "index 2 is out of bounds"),
    "requires_grad as text": (lambda: ma.Tensor(1.0, requires_grad="False"), TypeError,
                              "requires_grad must be True or False, got 'False'"),
    "iterate over a number": (lambda: list(ma.Tensor(3.0)), TypeError,
                              "a Tensor of a single number has no length"),
    "seed below 0": (lambda: ma.manual_seed(-1), ValueError,
                     "manual_seed needs a whole number of at least 0, got -1"),
    "seed as text": (lambda: ma.manual_seed("a"), ValueError,
                     "manual_seed needs a whole number of at least 0, got 'a'"),
    "index by a Tensor": (lambda: zeros(2, 3)[zeros(2)], TypeError,
                          "a Tensor or masked array is no index: use a plain array"),
}

LAYERS = {
    "conv2d of one picture": (lambda: F.conv2d(zeros(3, 9, 9), zeros(4, 3, 3, 3)), ValueError,
                              "conv2d: input must be (N, C, H, W), a batch of images, all above 0, "
                              "got shape (3, 9, 9)"),
    "conv2d with a matrix": (lambda: F.conv2d(zeros(1, 3, 9, 9), zeros(4, 3)), ValueError,
                             "weight must be (C_out, C_in/groups, KH, KW), all above 0, got shape "
                             "(4, 3)"),
    "conv2d channels": (lambda: F.conv2d(zeros(1, 4, 9, 9), zeros(6, 3, 3, 3)), ValueError,
                        "input (1, 4, 9, 9) has 4 channels, but weight (6, 3, 3, 3) with groups=1 "
                        "reads 3 x 1 = 3"),
    "conv2d groups": (lambda: F.conv2d(zeros(1, 4, 9, 9), zeros(6, 1, 3, 3), groups=4), ValueError,
                      "groups=4 must divide the 6 output channels"),
    "conv2d bias": (lambda: F.conv2d(zeros(1, 3, 9, 9), zeros(6, 3, 3, 3), zeros(3)), ValueError,
                    "bias of shape (3,) does not fit weight (6, 3, 3, 3): it must be (6,)"),
    "conv2d window": (lambda: F.conv2d(zeros(1, 3, 5, 9), zeros(6, 3, 7, 3), padding=(0, 1)),
                      ValueError,
                      "kernel_size (7, 3) does not fit input (1, 3, 5, 9): H = 5 with padding 0 on "
                      "both sides makes 5, and "
                      "the window needs 7"),
    "conv2d of no images": (lambda: F.conv2d(zeros(0, 3, 9, 9), zeros(6, 3, 3, 3)), ValueError,
                            "a batch of images, all above 0, got shape (0, 3, 9, 9)"),
    "Conv2d without a stride": (lambda: nn.Conv2d(3, 6, 3, stride=None), ValueError,
                                "stride must be a whole number of at least 1, or two"),
    "im2col without a stride": (lambda: F.im2col(zeros(1, 3, 9, 9).data, 3, stride=None),
                                ValueError,
                                "stride must be a whole number of at least 1, or two"),
    "conv2d stride": (lambda: F.conv2d(zeros(1, 3, 9, 9), zeros(6, 3, 3, 3), stride=0), ValueError,
                      "stride must be a whole number of at least 1, or two"),
    "conv2d padding": (lambda: F.conv2d(zeros(1, 3, 9, 9), zeros(6, 3, 3, 3), padding="same"),
                       ValueError,
                       "padding must be a whole number of at least 0, or two of them (vertical, "
                       "horizontal), got 'same'"),
    "im2col of a Tensor": (lambda: F.im2col(zeros(1, 1, 3, 3), 2), TypeError,
                           "im2col works on plain arrays, got a Tensor: pass a Tensor's .data"),
    "im2col of one picture": (lambda: F.im2col(np.zeros((3, 3)), 2), ValueError,
                              "im2col: input must be (N, C, H, W)"),
    "col2im": (lambda: F.col2im(np.zeros((1, 4, 9)), (1, 1, 3, 3), 2), ValueError,
               "columns of shape (1, 4, 9) do not belong to images (1, 1, 3, 3) with kernel_size "
               "(2, 2), stride (1, 1), "
               "padding (0, 0): those have (1, 4, 4)"),
    "max_pool2d padding": (lambda: F.max_pool2d(zeros(1, 1, 9, 9), 3, padding=2), ValueError,
                           "padding (2, 2) is more than half of kernel_size (3, 3)"),
    "max_pool2d window": (lambda: F.max_pool2d(zeros(1, 1, 2, 2), 3), ValueError,
                          "kernel_size (3, 3) does not fit input (1, 1, 2, 2)"),
    "avg_pool2d": (lambda: F.avg_pool2d(zeros(1, 1, 9, 9), (3, 2, 1)), ValueError,
                   "kernel_size must be a whole number of at least 1, or two"),
    "avg_pool2d of rows": (lambda: F.avg_pool2d(zeros(4, 9), 2), ValueError,
                           "avg_pool2d: input must be (N, C, H, W)"),
    "norm of a matrix": (lambda: F.local_response_norm(zeros(2, 9)), ValueError,
                         "local_response_norm: input must be (N, C, H, W), got shape (2, 9)"),
    "norm towers": (lambda: F.local_response_norm(zeros(1, 5, 2, 2), groups=2), ValueError,
                    "groups=2 must divide the 5 channels into towers"),
    "norm size": (lambda: F.local_response_norm(zeros(1, 5, 2, 2), size=0), ValueError,
                  "size is a whole number, at least 1, got 0"),
    "norm k": (lambda: F.map_response_norm(zeros(1, 5, 2, 2), k=0), ValueError,
               "map_response_norm: k must be above 0"),
    "zero_pad2d": (lambda: F.zero_pad2d(zeros(1, 1, 3, 3), -1, 0, 0, 0), ValueError,
                   "widths are whole numbers of pixels, 0 or more, got left=-1"),
    "zero_pad2d of one picture": (lambda: F.zero_pad2d(zeros(3, 3), 1, 1, 1, 1), ValueError,
                                  "zero_pad2d: input must be (N, C, H, W)"),
    "linear of pictures": (lambda: F.linear(zeros(2, 3, 4, 4), zeros(5, 48)), ValueError,
                           "input (2, 3, 4, 4) does not fit weight (5, 48): it must be (N, 48). "
                           "Flatten images"),
    "linear transposed": (lambda: F.linear(zeros(2, 3), zeros(3, 5)), ValueError,
                          "input (2, 3) does not fit weight (3, 5): it must be (N, 5)"),
    "linear weight": (lambda: F.linear(zeros(2, 3), zeros(3)), ValueError,
                      "weight must be (out, in), got shape (3,)"),
    "linear in two dtypes": (lambda: F.linear(np.zeros((2, 3)), zeros(5, 3)), TypeError,
                             "the input is float64, the weight is float32: they must be equal"),
    "linear bias": (lambda: F.linear(zeros(2, 3), zeros(5, 3), zeros(3)), ValueError,
                    "bias of shape (3,) does not fit weight (5, 3): it must be (5,)"),
    "dropout of everything": (lambda: F.dropout(zeros(2), 1), ValueError,
                              "p is the probability to drop a value, 0 <= p < 1, got 1"),
    "dropout in percent": (lambda: nn.Dropout(50), ValueError,
                           "dropout: p is the probability to drop a value, 0 <= p < 1, got 50"),
    "softmax axis": (lambda: F.softmax(zeros(2, 3), axis=2), ValueError,
                     "softmax: shape (2, 3) has no axis 2: use -2 to 1"),
    "softmax of nothing": (lambda: F.log_softmax(zeros(2, 0)), ValueError,
                           "shape (2, 0) has nothing along axis -1"),
    "flatten a number": (lambda: F.flatten(zeros()), ValueError,
                         "flatten: input must have a batch axis"),
    "too high a label": (lambda: F.cross_entropy(zeros(2, 3), [1, 3]), ValueError,
                         "labels run from 1 to 3, but the logits have 3 classes, 0 to 2"),
    "negative label": (lambda: F.cross_entropy(zeros(2, 3), [-1, 1]), ValueError,
                       "labels run from -1 to 1"),
    "one-hot labels": (lambda: F.cross_entropy(zeros(2, 3), np.eye(3)[:2]), ValueError,
                       "logits must be (N, classes) and labels (N,), got (2, 3) and (2, 3)"),
    "floating labels": (lambda: F.cross_entropy(zeros(2, 3), [0.0, 1.0]), TypeError,
                        "labels must be integers, got float64"),
    "another batch": (lambda: F.cross_entropy(zeros(2, 3), [0]), ValueError, "got (2, 3) and (1,)"),
    "an empty batch": (lambda: F.cross_entropy(zeros(0, 3), np.zeros(0, int)), ValueError,
                       "the batch is empty (logits (0, 3))"),
    "too few weights": (lambda: F.cross_entropy(zeros(2, 3), [0, 1], weight=[1.0, 2.0]), ValueError,
                        "must have shape (3,), one number for each class, got float64 of shape (2,)"),  # noqa: E501
    "a negative weight": (lambda: F.cross_entropy(zeros(2, 3), [0, 1], weight=[1.0, -2.0, 1.0]),
                          ValueError,
                          "weights must be at least 0, got -2.0"),
    "weights of 0": (lambda: F.cross_entropy(zeros(2, 3), [0, 1], weight=[0, 0, 1]), ValueError,
                     "the weight of every label in the batch is 0"),
    "weights that ask for a gradient": (
        lambda: F.cross_entropy(zeros(2, 3), [0, 1],
                                weight=ma.Tensor(np.ones(3), requires_grad=True)), ValueError,
        "no gradient is computed for weight: give weight.data"),
    "mse shapes": (lambda: F.mse_loss(zeros(2, 3), zeros(2)), ValueError,
                   "mse_loss: output (2, 3) must match target (2,)"),
    "mse of nothing": (lambda: F.mse_loss(zeros(0), zeros(0)), ValueError,
                       "shape (0,) holds nothing to average"),
}

MODULES = {
    "no forward": (lambda: nn.Module()(zeros(2)), NotImplementedError,
                   "Module has no forward(self, x)"),
    "Conv2d groups": (lambda: nn.Conv2d(3, 96, 11, groups=2), ValueError,
                      "groups=2 must divide in_channels=3 and out_channels=96"),
    "Conv2d without channels": (lambda: nn.Conv2d(0, 96, 11), ValueError,
                                "Conv2d: in_channels must be a whole number of at least 1, got 0"),
    "Conv2d kernel": (lambda: nn.Conv2d(3, 96, 11.0), ValueError,
                      "kernel_size must be a whole number of at least 1"),
    "Linear": (lambda: nn.Linear(9216, "4096"), ValueError,
               "Linear: out_features must be a whole number of at least 1, got '4096'"),
    "Sequential of classes": (lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU), TypeError,
                              "layer 1 is a type: write nn.ReLU(), with brackets"),
    "Sequential of functions": (lambda: nn.Sequential(nn.Linear(2, 2), F.relu), TypeError,
                                "layer 1 is a function: write nn.ReLU(), with brackets; wrap a function in a Module"),  # noqa: E501
    "Sequential with a taken name": (lambda: nn.Sequential(train=nn.ReLU()), ValueError,
                                     "cannot name a layer 'train'"),
    "Sequential past its end": (lambda: nn.Sequential(a=nn.ReLU(), b=nn.ReLU())[2], IndexError,
                                "has layers 0 to 1 (a, b), not 2; by name: model.NAME"),
    "loading too little": (lambda: layer.load_state_dict({"weight": np.zeros((3, 2))}), ValueError,
                           "do not fit this Linear: missing bias; weight has shape (3, 2), needs (2, 3)"),  # noqa: E501
    "loading no dict": (lambda: layer.load_state_dict([1, 2]), TypeError,
                        "load_state_dict needs {name: array}, got a list"),
    "unknown variant": (lambda: models.alexnet("vgg16"), ValueError,
                        "unknown variant 'vgg16': choose one of paper, caffenet"),
    "no classes": (lambda: models.alexnet("paper", num_classes=0), ValueError,
                   "num_classes=0 and in_channels=3 must be at least 1"),
    "unknown initialisation": (lambda: models.lenet5(init="xavier"), ValueError,
                               "unknown initialisation 'xavier': choose paper, released, he or lecun"),  # noqa: E501
    "pictures of another size": (lambda: models.lenet5()(zeros(1, 1, 28, 28)), ValueError,
                                 "lenet5 is made for pictures of shape (N, 1, 32, 32), got (1, 1, 28, 28); conv2d: "  # noqa: E501
                                 "kernel_size (5, 5) does not fit"),
}

OPTIM = {
    "nothing to train": (lambda: sgd([]), ValueError,
                         "SGD got no parameters: pass model.parameters()"),
    "a bare parameter": (lambda: sgd(shared), TypeError,
                         "SGD needs a list: put the parameter (4, 2) in brackets."),
    "names with parameters": (lambda: sgd(layer.named_parameters()), TypeError,
                              "got a tuple: pass model.parameters()"),
    "a constant": (lambda: sgd([ma.Tensor([1.0])]), TypeError,
                   "SGD got a Tensor of shape (1,) without requires_grad=True"),
    "one parameter twice": (lambda: sgd([shared, shared]), ValueError,
                            "the same parameter of shape (4, 2) twice"),
    "negative rate": (lambda: sgd(lr=-0.1), ValueError, "SGD: lr must be a number >= 0, got -0.1"),
    "rate as text": (lambda: sgd(lr="0.1"), ValueError, "SGD: lr must be a number >= 0, got '0.1'"),
    "negative decay": (lambda: sgd([{"params": [shared], "weight_decay": -1}]), ValueError,
                       "weight_decay must be a number >= 0, got -1"),
    "momentum that is NaN": (lambda: sgd(momentum=float("nan")), ValueError,
                             "momentum must be a number >= 0, got nan"),
    "transposed gradient": (step_with_a_transposed_gradient, ValueError,
                            "SGD: gradient (3, 2) does not fit weight (2, 3)"),
    "somebody else's state": (lambda: sgd().load_state_dict({"velocity": [None], "groups": [{}]}),
                              ValueError,
                              "has 1 parameters in 1 groups, the optimiser 2 in 1"),
    "half an epoch": (lambda: optim.StepLR(sgd(), 0.5), ValueError,
                      "StepLR: step_size is a whole number, at least 1, got 0.5"),
}

FAMILIES = {"tensor": TENSOR, "function": FUNCTION, "arithmetic": ARITHMETIC, "layers": LAYERS,
            "nn": MODULES, "optim": OPTIM}
CALLS = [pytest.param(*case, id=f"{family}: {name}") for family, table in FAMILIES.items()
         for name, case in table.items()]


@pytest.mark.parametrize("call, error, sentence", CALLS)
def test_a_wrong_call_says_what_is_wrong(call, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)) as caught:
        call()
    assert type(caught.value) is error  # not a subclass that NumPy raised on its own
    assert str(caught.value).rstrip("'\"")[-1] in ".)?" and "\n" not in str(caught.value)


def test_a_wrong_seed_leaves_the_generators_alone():
    ma.manual_seed(3)
    expected = F.dropout(np.ones(50, np.float32)).data
    ma.manual_seed(3)
    with pytest.raises(ValueError):
        ma.manual_seed(-1)
    assert np.array_equal(F.dropout(np.ones(50, np.float32)).data, expected)


@pytest.mark.parametrize("layers", [lambda: [nn.ReLU()], lambda: (nn.ReLU(),),
                                    lambda: {"a": nn.Linear(2, 2)}])
def test_layers_in_a_list_would_not_be_trained(layers):
    module = nn.Module()
    with pytest.raises(TypeError,
                       match="self.blocks holds layers or parameters in a .*use nn.Sequential"):
        module.blocks = layers()


def test_a_group_with_a_typing_error_is_refused():
    with pytest.raises(ValueError, match="any of lr, momentum, weight_decay, got .*weight_decy"):
        optim.SGD([{"params": nn.Linear(2, 2).parameters(), "weight_decy": 0}], lr=0.1)
    with pytest.raises(ValueError, match="a parameter group is a dict with 'params'"):
        optim.SGD([{"lr": 0.1}], lr=0.1)


def test_weights_that_are_no_numbers_change_nothing():
    layer = nn.Linear(2, 3)
    before = layer.weight.data.copy()
    with pytest.raises(TypeError, match="needs real numbers"):
        layer.load_state_dict({"weight": np.zeros((3, 2)), "bias": np.array(["a", "b", "c"])})
    assert np.array_equal(layer.weight.data, before)
