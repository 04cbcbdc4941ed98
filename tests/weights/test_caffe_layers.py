"""A .caffemodel whose layers are not AlexNet's is refused by the first difference, whatever its
weights' names and shapes."""

import random

import caffe_files
import numpy as np
import pytest
from caffe_files import Layer, field, fields

from minialex import models, nn, weights
from minialex.errors import UserError
from minialex.foreign import architecture, caffe, keras

CONV1 = {"conv1.weight": np.arange(96 * 363, dtype=np.float32).reshape(96, 3, 11, 11),
         "conv1.bias": np.zeros(96, np.float32)}
NORM = fields(f1=5, f2=1e-4, f3=0.75)


CAFFE_KINDS = {nn.Conv2d: "Convolution", nn.ReLU: "ReLU", nn.LocalResponseNorm: "LRN",
               nn.MaxPool2d: "Pooling", nn.Linear: "InnerProduct"}
WORDS = {"num_output": "out_channels", "kernel_size": "kernel_size", "stride": "stride",
         "pad": "padding", "group": "groups", "local_size": "size", "beta": "beta"}


@pytest.fixture
def built(monkeypatch):
    """A variant's layers; their weights, which take long to draw, are never looked at."""
    monkeypatch.setattr(nn, "_uniform", lambda shape, fan_in: np.empty(shape, np.float32))
    monkeypatch.setattr(models, "initialise", lambda model, how: model)
    return lambda variant: [(name, layer)
                            for name, layer in models.alexnet(variant, 7).named_children()
                            if not isinstance(layer, (nn.Dropout, nn.Flatten))]


@pytest.mark.parametrize("variant", ["caffe", "caffenet"])
def test_caffes_table_is_the_network_of_models(built, variant):
    table, ours = caffe.network(variant == "caffenet"), built(variant)
    assert [(name, kind) for name, kind, _ in table] == [(name, CAFFE_KINDS[type(layer)])
                                                         for name, layer in ours]
    for (name, _, values), (_, layer) in zip(table, ours):
        if hasattr(layer, "weight"):
            architecture.compare_shape(name, name, layer.weight.shape)
        for parameter, attribute in WORDS.items():
            if hasattr(layer, attribute) and not (parameter == "group" and "norm" in name):
                known = getattr(layer, attribute)
                assert values[parameter] == (known[0] if isinstance(known, tuple)
                                             else known), (name, parameter)


def test_kerass_table_is_the_network_of_models(built):
    ours = [(name, layer) for name, layer in built("keras") if not isinstance(layer, nn.ReLU)]
    kinds = {nn.Conv2d: "Conv2D", nn.MaxPool2d: "MaxPooling2D", nn.Linear: "Dense"}
    for (_, kind, values), (name, layer) in zip(keras.LAYERS, ours, strict=True):
        assert kind == kinds[type(layer)]
        if kind == "Conv2D":
            same = (layer.kernel_size[0] - 1) // 2
            known = (layer.out_channels, *layer.kernel_size[:1], *layer.stride[:1],
                     {"same": same, "valid": 0}[values["padding"]])
            assert known == (values["filters"], values["kernel_size"], values["strides"],
                             layer.padding[0]), name
        if kind == "MaxPooling2D":
            assert (layer.kernel_size, layer.stride) == ((values["pool_size"],) * 2,
                                                         (values["strides"],) * 2)
        if hasattr(layer, "weight"):
            axes = (2, 3, 1, 0) if kind == "Conv2D" else (1, 0)
            there = layer.weight.data.transpose(axes)
            assert architecture.fits(there.shape, keras.SHAPES[name]), name


def read(tmp_path, layers, **options):
    (tmp_path / "x.caffemodel").write_bytes(caffe_files.file(layers, **options))
    return weights.read(tmp_path / "x.caffemodel")


def named(layers, name):
    return next(layer for layer in layers if layer.name == name)


def insert(layers, after, layer):
    """A layer between this one and those that took what it gave."""
    at = layers.index(named(layers, after))
    layer.bottom, (given,) = list(layers[at].top[:1]), layers[at].top[:1]
    layer.top = [layer.name] if layer.top != "in place" else [given]
    for later in layers[at + 1:]:
        later.bottom = [layer.top[0] if name == given else name for name in later.bottom]
        later.top = [layer.top[0] if name == given else name for name in later.top]
    layers.insert(at + 1, layer)


def remove(layers, name):
    gone = named(layers, name)
    layers.remove(gone)
    for later in layers:
        later.bottom = [gone.bottom[0] if blob == gone.top[0] else blob for blob in later.bottom]
        later.top = [gone.bottom[0] if blob == gone.top[0] else blob for blob in later.top]


def setting(name, parameters):
    return lambda layers: setattr(named(layers, name), "parameters", parameters)


def kind(name, other, parameters=b""):
    return lambda layers: named(layers, name).__dict__.update(kind=other, parameters=parameters)


def more(after, name, kind, parameters=b"", blobs=(), at="apart"):
    return lambda layers: insert(layers, after, Layer(name, kind, [], at if at == "in place"
                                                      else [], parameters, blobs))


def transform(**values):
    return lambda layers: setattr(named(layers, "data"), "transform", fields(**values))


def wire(name, blob):
    return lambda layers: setattr(named(layers, name), "bottom", [blob])


def swap(layers):
    """norm1 and pool1 change places, norm2 and pool2 do not."""
    norm, pool = named(layers, "norm1"), named(layers, "pool1")
    pool.bottom, norm.bottom, named(layers, "conv2").bottom = ["conv1"], ["pool1"], ["norm1"]


POOL = {"f1": 0, "f2": 3, "f3": 2}
NETWORKS = {
    "BatchNorm on the data": (more("data", "data/bn", "BatchNorm",
                                   blobs=[np.zeros(3), np.zeros(3), np.zeros(1)]),
                              r"data/bn \(BatchNorm\).*conv1"),
    "BatchNorm and Scale": (more("conv1", "conv1/bn", "BatchNorm", blobs=[np.zeros(96)]),
                            r"its layer 2 is conv1/bn \(BatchNorm\)"),
    "Scale in place": (more("conv3", "scale3", "Scale", at="in place"),
                       r"scale3 \(Scale\), the network's is relu3"),
    "Power on the data": (more("data", "shift", "Power", fields(f2=0.004)),
                          r"shift \(Power\), the network's is conv1"),
    "MVN": (more("data", "mvn", "MVN"), "MVN"),
    "no response norm": (lambda layers: (remove(layers, "norm1"), remove(layers, "norm2")),
                         r"pool1 \(Pooling\).*norm1 \(LRN\)"),
    "no second norm": (lambda layers: remove(layers, "norm2"),
                       r"pool2 \(Pooling\), the network's is norm2 \(LRN\)"),
    "a third norm": (more("relu3", "norm3", "LRN", NORM), r"norm3 \(LRN\), the network's is conv4"),
    "norm and pool in another order": (swap, r"norm2 \(LRN\), the network's is pool2|pool2"),
    "no ReLU": (lambda layers: remove(layers, "relu1"),
                r"norm1 \(LRN\), the network's is relu1 \(ReLU\)"),
    "no ReLU behind fc7": (lambda layers: remove(layers, "relu7"),
                           r"fc8 \(InnerProduct\), the network's is relu7"),
    "TanH": (kind("relu2", "TanH"), r"relu2 \(TanH\)"),
    "ELU": (kind("relu4", "ELU"), r"relu4 \(ELU\)"),
    "PReLU": (kind("relu6", "PReLU"), r"relu6 \(PReLU\)"),
    "leaky ReLU": (setting("relu5", fields(f1=0.1)),
                   "relu5 has negative_slope 0.1, the network's relu5 has 0"),
    "stride": (setting("conv1", fields(f1=96, f4=11, f6=2)),
               "conv1 has stride 2, the network's conv1 has 4"),
    "no stride, which is 1": (setting("conv1", fields(f1=96, f4=11)),
                              "conv1 has stride 1, the network's conv1 has 4"),
    "stride_h and stride_w": (setting("conv1", fields(f1=96, f4=11, f13=4, f14=2)),
                              "conv1 has stride 4×2"),
    "stride for each axis": (setting("conv1", fields(f1=96, f4=11, f6=[4, 2])),
                             "conv1 has stride 4×2"),
    "stride for each axis, packed": (setting("conv1", fields(f1=96, f4=11, f6=(4, 2))),
                                     "conv1 has stride 4×2"),
    "pad of conv1": (setting("conv1", fields(f1=96, f4=11, f6=4, f3=2)),
                     "conv1 has pad 2, the network's conv1 has 0"),
    "no pad": (setting("conv2", fields(f1=256, f4=5, f5=2)),
               "conv2 has pad 0, the network's conv2 has 2"),
    "group": (setting("conv2", fields(f1=256, f4=5, f3=2)),
              "conv2 has group 1, the network's conv2 has 2"),
    "groups where none are": (setting("conv3", fields(f1=384, f4=3, f3=1, f5=2)),
                              "conv3 has group 2"),
    "dilation": (setting("conv5", fields(f1=256, f4=3, f3=1, f5=2, f18=2)),
                 "conv5 has dilation 2, the network's conv5 has 1"),
    "num_output": (setting("conv4", fields(f1=256, f4=3, f3=1, f5=2)),
                   "conv4 has num_output 256, the network's conv4 has 384"),
    "num_output of fc7": (setting("fc7", fields(f1=1024)),
                          "fc7 has num_output 1024, the network's fc7 has 4096"),
    "kernel": (setting("conv5", fields(f1=256, f4=5, f3=1, f5=2)), "conv5 has kernel_size 5"),
    "no bias": (setting("conv3", fields(f1=384, f4=3, f3=1, f2=0)), "conv3 has bias_term 0"),
    "transposed": (setting("fc6", fields(f1=4096, f6=1)), "fc6 has transpose 1"),
    "average pooling": (setting("pool1", fields(**POOL | {"f1": 1})),
                        "pool1 has pool AVE, the network's pool1 has MAX"),
    "stochastic pooling": (setting("pool5", fields(**POOL | {"f1": 2})),
                           "pool5 has pool STOCHASTIC"),
    "2 x 2 pools": (setting("pool2", fields(**POOL | {"f2": 2})),
                    "pool2 has kernel_size 2, the network's pool2 has 3"),
    "kernel_h and kernel_w of a pool": (setting("pool2", fields(f1=0, f5=3, f6=2, f3=2)),
                                        "pool2 has kernel_size 3×2"),
    "pool without stride, which is 1": (setting("pool2", fields(f1=0, f2=3)), "pool2 has stride 1"),
    "padded pool": (setting("pool1", fields(**POOL | {"f4": 1})), "pool1 has pad 1"),
    "global pooling": (setting("pool5", fields(f1=0, f12=1)), "pool5 has"),
    "window of the norm": (setting("norm1", fields(f1=3, f2=1e-4, f3=0.75)),
                           "norm1 has local_size 3, the network's norm1 has 5"),
    "power of the norm": (setting("norm1", fields(f1=5, f2=1e-4, f3=0.5)),
                          "norm1 has beta 0.5, the network's norm1 has 0.75"),
    "norm within channels": (setting("norm2", NORM + field(4, 1)),
                             "norm2 has norm_region WITHIN_CHANNEL"),
    "two different norms": (setting("norm2", fields(f1=5, f2=2e-4, f3=0.75)), "alpha and k"),
    "one more layer": (more("relu7", "fc7b", "InnerProduct", fields(f1=4096)),
                       "more layers than the network, the first is fc8"),
    "a layer behind fc8": (more("fc8", "fc9", "InnerProduct", fields(f1=5)),
                           "more layers than the network, the first is fc9"),
    "Softmax in the middle": (more("relu6", "soft", "Softmax"),
                              r"soft \(Softmax\), the network's is fc7"),
    "a branch": (wire("fc7", "pool5"), "takes"),
    "around conv4": (wire("conv5", "conv3"), "takes"),
    "crop": (transform(f3=224), "crop_size.*network's 227"),
    "crop in data_param": (setting("data", fields(f5=224)), "crop_size"),
    "grey": (transform(f7=1), "force_gray"),
}


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("what", NETWORKS)
def test_another_network_is_refused_by_its_first_difference(tmp_path, what, old):
    change, said = NETWORKS[what]
    layers = caffe_files.layers(CONV1)
    change(layers)
    if old and any(layer.kind not in caffe_files.TYPES for layer in layers):
        pytest.skip("a layer that the old form does not have")
    with pytest.raises(UserError, match=said) as refused:
        read(tmp_path, layers, old=old)
    assert "\n" not in str(refused.value) and str(refused.value).count(": ") >= 1


@pytest.mark.parametrize("change", [change for change, _ in NETWORKS.values()], ids=list(NETWORKS))
def test_also_in_a_file_without_the_wires(tmp_path, change):
    layers = caffe_files.layers(CONV1)
    before = caffe_files.file(layers, wired=False)
    change(layers)
    if caffe_files.file(layers, wired=False) != before:
        with pytest.raises(UserError):
            read(tmp_path, layers, wired=False)


def spelled(name, parameters):
    return setting(name, parameters)


def shuffled(layers):
    """Those that work in place keep their order behind their layer; only the wires say how the rest
    goes on."""
    random.Random(4).shuffle(layers)


def with_split(layers):
    insert(layers, "fc8", Layer("fc8_fc8_0_split", "Split", [], []))
    split = named(layers, "fc8_fc8_0_split")
    split.top = ["fc8_fc8_0_split_0", "fc8_fc8_0_split_1"]
    named(layers, "loss").bottom, named(layers, "accuracy").bottom = (["fc8_fc8_0_split_0"],
                                                                      ["fc8_fc8_0_split_1"])


def with_labels_split(layers):
    """As Caffe writes a network that it trains, where two layers look at the labels."""
    layers.insert(1, Layer("label_data_1_split", "Split", ["label"],
                           ["label_data_1_split_0", "label_data_1_split_1"]))
    named(layers, "loss").bottom[1], named(layers, "accuracy").bottom[1] = layers[1].top


SAME = {
    "split labels": with_labels_split,
    "as it is trained": lambda layers: None,
    "deployed": lambda layers: [layers.remove(named(layers, name))
                                for name in ("data", "loss", "accuracy")],
    "with probabilities": more("fc8", "prob", "Softmax"),
    "split": with_split,
    "silence": lambda layers: layers.append(Layer("quiet", "Silence", ["label"], [])),
    "flatten": more("pool5", "flat", "Flatten"),
    "another name for fc8": lambda layers: named(layers, "fc8").__dict__.update(name="fc8_flickr"),
    "kernel_h": spelled("conv1", fields(f1=96, f11=11, f12=11, f13=4, f14=4)),
    "packed": spelled("conv1", fields(f1=96, f4=(11,), f6=(4,), f3=(0,))),
    "kernel_w of a pool": spelled("pool1", fields(f5=3, f6=3, f7=2, f8=2)),
    "dilation 1": spelled("conv3", fields(f1=384, f4=3, f3=1, f18=1)),
    "only the wires tell the order": lambda layers: layers.reverse()
    or [layers.sort(key=lambda layer: layer.kind == "Dropout")],
    "crop 227": transform(f2=1, f3=227),
}


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("what", SAME)
def test_what_computes_the_same_is_read(tmp_path, what, old):
    layers = caffe_files.layers(CONV1)
    SAME[what](layers)
    found = read(tmp_path, layers, old=old)
    assert found.variant == "caffe" and set(found.arrays) == set(CONV1)
    np.testing.assert_array_equal(found.arrays["conv1.weight"], CONV1["conv1.weight"][:, ::-1])
    assert [note for note in found.notes if "mean" not in note] == []


def test_the_order_of_wires_is_that_of_the_data(tmp_path):
    """CaffeNet's layers with names that lie: only what they take tells that norm1 comes first."""
    layers = caffe_files.layers(CONV1)
    at = layers.index(named(layers, "norm1"))
    layers[at], layers[at + 1] = layers[at + 1], layers[at]  # in the file pool1 stands first
    assert read(tmp_path, layers).variant == "caffe"
    assert read(tmp_path, caffe_files.layers(CONV1, pool_first=True)).variant == "caffenet"


@pytest.mark.parametrize("change, said", [
    (lambda layers: remove(layers, "drop7"), "its dropout is 0.5 behind fc6, "
     "the network's 0.5 behind fc6 and fc7"), (setting("drop6", fields(f1=0.7)), "0.7 behind fc6"),
    (more("pool5", "drop5", "Dropout"), "0.5 behind pool5"), (setting("norm1", b""), None)])
def test_dropout_is_only_a_note(tmp_path, change, said):
    layers = caffe_files.layers(CONV1)
    change(layers)
    if said is None:  # LRN's own defaults: alpha 1, and the other norm has 0.0001
        with pytest.raises(UserError, match="alpha and k"):
            read(tmp_path, layers)
    else:
        assert any(said in note for note in read(tmp_path, layers).notes)


def test_layers_of_weights_alone_are_read_with_a_note(tmp_path):
    """Some converters write names and blobs only, in the order of the network."""
    layers = caffe_files.layers(CONV1)[1:4]
    layers[0].parameters = b""
    found = read(tmp_path, layers, wired=False)
    assert found.notes[:2] == ["it does not say how conv1 compute: taken for BVLC's AlexNet",
                               "it ends with norm1"]


def test_the_form_of_2013_is_named(tmp_path):
    content = field(1, "x") + field(2, field(1, field(1, "conv1") + field(2, "conv")))
    (tmp_path / "x.caffemodel").write_bytes(content)
    with pytest.raises(UserError, match="2013.*upgrade_net_proto_binary"):
        weights.read(tmp_path / "x.caffemodel")


@pytest.mark.parametrize("given, mean", [
    ({"f5": [10.0, 20.0, 30.0]}, [30, 20, 10]),  # blue, green, red in the file
    ({"f5": [7.0]}, [7, 7, 7]),
    ({"f4": "data/ilsvrc12/imagenet_mean.binaryproto"}, [122.67891, 116.66877, 104.00699]),
    ({}, [122.67891, 116.66877, 104.00699]),
])
def test_the_mean_that_the_file_names(tmp_path, given, mean):
    layers = caffe_files.layers(CONV1)
    named(layers, "data").transform = fields(**given)
    found = read(tmp_path, layers)
    np.testing.assert_allclose(found.statistics.mean[:, 0, 0], mean, rtol=1e-6)
    assert any("--mean" in note for note in found.notes) == ("f5" not in given)
    assert (found.pixels, found.statistics.std) == ("raw", 1)


@pytest.mark.parametrize("old", [False, True])
def test_the_mean_in_another_file_is_asked_for(tmp_path, old):
    layers = caffe_files.layers(CONV1)
    if old:
        named(layers, "data").parameters = fields(f3="my/mean.binaryproto")
    else:
        named(layers, "data").transform = fields(f4="my/mean.binaryproto")
    found = read(tmp_path, layers, old=old)
    assert found.statistics is None
    assert found.notes == ["its transform_param has the mean_file mean.binaryproto, "
                           "which is not in it: give it with --mean"]


def test_scaled_pixels_are_scaled(tmp_path):
    layers = caffe_files.layers(CONV1)
    named(layers, "data").transform = fields(f1=0.00390625, f5=[1.0, 2.0, 3.0])
    found = read(tmp_path, layers)
    assert (found.pixels, found.statistics.std) == ("unit", 256)  # (x - mean) / 256
    assert "scale 0.00390625" in found.notes[0]


def test_the_size_of_a_deployed_input(tmp_path):
    layers = [layer for layer in caffe_files.layers(CONV1) if layer.name != "data"]
    for size, fits in ((227, True), (224, False)):
        dims = fields(f3="data", f4=[10, 3, size, size])
        shape = Layer("data", "Input", [], ["data"], more=field(
            143, field(1, field(1, b"".join(map(caffe_files.varint, (10, 3, size, size)))))))
        for options in ({"more": dims}, {}):
            some = layers if options else [shape, *layers]
            if fits:
                assert read(tmp_path, some, **options).variant == "caffe"
            else:
                with pytest.raises(UserError, match="224 pixels a side"):
                    read(tmp_path, some, **options)
