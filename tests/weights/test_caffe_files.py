"""Caffe's AlexNet as .caffemodel, as .npy of its TensorFlow descendants and as the arrays in
../shared."""

import caffe_files
import numpy as np
import pytest
from torch_networks import caffe_answer

from minialex import weights
from minialex.errors import UserError
from minialex.evaluation import classifier
from minialex.foreign import protobuf

MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)


@pytest.mark.parametrize("options, oracle", [
    ({"old": True}, {}),
    ({"pool_first": True}, {"pool_first": True}),  # CaffeNet, whose variant here has other constants in its response norm  # noqa: E501
    ({"alpha": 5e-3, "k": 2.0}, {"alpha": 5e-3, "k": 2.0}),
])
def test_a_caffemodel_says_what_caffe_would(caffe_arrays, planes, tmp_path, options, oracle):
    pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    (tmp_path / "net.caffemodel").write_bytes(caffe_files.network(caffe_arrays, **options))
    network = classifier.load(tmp_path / "net.caffemodel")
    answer = caffe_answer(caffe_arrays, planes, MEAN_BGR, **oracle)
    assert 0.02 < answer.max() - answer.min()
    np.testing.assert_allclose(network.picture(planes), answer, atol=5e-6)


def test_the_npy_says_the_same(caffe_arrays, planes, tmp_path):
    pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    layers = {}
    for name in dict.fromkeys(key.partition(".")[0] for key in caffe_arrays):
        weight = caffe_arrays[f"{name}.weight"]
        if weight.ndim == 4:
            weight = weight.transpose(2, 3, 1, 0)  # kernel height, width, channels in, channels out
        elif name == "fc6":
            weight = weight.reshape(4096, 256, 6, 6).transpose(2, 3, 1, 0).reshape(9216, 4096)
        else:
            weight = weight.T
        layers[name] = [np.ascontiguousarray(weight), caffe_arrays[f"{name}.bias"]]
    np.save(tmp_path / "bvlc_alexnet.npy", np.array(layers, dtype=object), allow_pickle=True)
    network = classifier.load(tmp_path / "bvlc_alexnet.npy")
    np.testing.assert_allclose(network.picture(planes),
                               caffe_answer(caffe_arrays, planes, MEAN_BGR), atol=5e-6)


SMALL = {"conv1.weight": np.arange(96 * 3 * 11 * 11, dtype=np.float32).reshape(96, 3, 11, 11),
         "conv1.bias": np.arange(96.0),
         "fc8.weight": np.arange(2 * 4096, dtype=np.float32).reshape(2, 4096),
         "fc8.bias": np.float32([3, 4])}


@pytest.mark.parametrize("old", [True, False])
def test_both_forms_of_layers_and_blobs(tmp_path, old):
    (tmp_path / "x.caffemodel").write_bytes(caffe_files.network(SMALL, old=old))
    arrays = weights.read(tmp_path / "x.caffemodel").arrays
    np.testing.assert_array_equal(arrays["conv1.weight"], SMALL["conv1.weight"][:, ::-1])
    for name in ("conv1.bias", "fc8.weight", "fc8.bias"):
        np.testing.assert_array_equal(arrays[name], SMALL[name])


def test_the_protobuf_package_writes_what_is_read(tmp_path):
    pool = pytest.importorskip("google.protobuf.descriptor_pool",
                               reason="the protobuf package is not installed")
    from google.protobuf import descriptor_pb2, message_factory
    kinds = {"string": 9, "float": 2, "double": 1, "int32": 5, "int64": 3, "uint32": 13}
    schema = {  # of the published caffe.proto: name: (number, type, repeated)
        "BlobShape": {"dim": (1, "int64", True)},
        "BlobProto": {"shape": (7, "BlobShape", False), "data": (5, "float", True),
                      "double_data": (8, "double", True),
                      "num": (1, "int32", False), "channels": (2, "int32", False),
                      "height": (3, "int32", False),
                      "width": (4, "int32", False)},
        "LRNParameter": {"local_size": (1, "uint32", False), "alpha": (2, "float", False),
                         "beta": (3, "float", False),
                         "k": (5, "float", False)},
        "TransformationParameter": {"mean_value": (5, "float", True)},
        "ConvolutionParameter": {"num_output": (1, "uint32", False),
                                 "kernel_size": (4, "uint32", True),
                                 "stride": (6, "uint32", True)},
        "LayerParameter": {"name": (1, "string", False), "type": (2, "string", False),
                           "blobs": (7, "BlobProto", True),
                           "bottom": (3, "string", True), "top": (4, "string", True),
                           "convolution_param": (106, "ConvolutionParameter", False),
                           "transform_param": (100, "TransformationParameter", False),
                           "lrn_param": (118, "LRNParameter", False)},
        "NetParameter": {"name": (1, "string", False), "layer": (100, "LayerParameter", True)},
    }
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")  # proto2
    for message, fields in schema.items():
        target = file.message_type.add(name=message)
        for name, (number, kind, repeated) in fields.items():
            one = target.field.add(name=name, number=number, label=3 if repeated else 1,
                                   type=kinds.get(kind, 11))
            one.options.packed = repeated and kind in ("int64", "float", "double")
            if kind not in kinds:
                one.type_name = f".caffe.{kind}"
    descriptors = pool.DescriptorPool()
    descriptors.Add(file)
    net = message_factory.GetMessageClass(descriptors.FindMessageTypeByName("caffe.NetParameter"))(
        name="AlexNet")
    net.layer.add(name="data", type="Data").transform_param.mean_value.extend([10, 20, 30])
    conv1 = net.layer.add(name="conv1", type="Convolution", bottom=["data"], top=["conv1"])
    conv1.convolution_param.num_output = 96
    for numbers, values in (("kernel_size", [11]), ("stride", [4])):
        getattr(conv1.convolution_param, numbers).extend(values)
    for part in ("weight", "bias"):
        blob, array = conv1.blobs.add(), SMALL[f"conv1.{part}"]
        blob.shape.dim.extend(array.shape)
        (blob.double_data if part == "bias" else blob.data).extend(array.ravel().tolist())
    net.layer.add(name="relu1", type="ReLU", bottom=["conv1"], top=["conv1"])
    norm1 = net.layer.add(name="norm1", type="LRN", bottom=["conv1"], top=["norm1"])
    norm1.lrn_param.local_size, norm1.lrn_param.alpha, norm1.lrn_param.beta = 5, 1e-4, 0.75
    (tmp_path / "x.caffemodel").write_bytes(net.SerializeToString())
    found = weights.read(tmp_path / "x.caffemodel")
    np.testing.assert_array_equal(found.arrays["conv1.weight"], SMALL["conv1.weight"][:, ::-1])
    np.testing.assert_array_equal(found.arrays["conv1.bias"], SMALL["conv1.bias"])
    assert found.statistics.mean[:, 0, 0].tolist() == [30, 20, 10]  # red, green, blue
    assert found.notes == ["it ends with norm1"]
    conv1.convolution_param.stride[0] = 2
    (tmp_path / "x.caffemodel").write_bytes(net.SerializeToString())
    with pytest.raises(UserError, match="conv1 has stride 2, the network's conv1 has 4"):
        weights.read(tmp_path / "x.caffemodel")


def test_damaged_bytes_are_a_sentence(tmp_path):
    content = caffe_files.network(SMALL)
    random = np.random.default_rng(1)
    refused = 0
    for trial in range(100):
        damaged = bytearray(content)
        if trial % 2:
            damaged = damaged[: random.integers(1, len(content))]
        else:
            damaged[random.integers(len(content))] ^= int(random.integers(1, 256))
        (tmp_path / "x.caffemodel").write_bytes(damaged)
        try:
            weights.read(tmp_path / "x.caffemodel")
        except UserError as problem:
            refused += 1
            assert "\n" not in str(problem)
    assert refused > 40


def test_varints_longer_than_eight_bytes_end():
    with pytest.raises(ValueError, match="cut off"):
        protobuf.fields(b"\x08" + b"\xff" * 20)
