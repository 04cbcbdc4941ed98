"""PyTorch's side of a comparison: eager or compiled, NCHW or channels last, its own response norm
or a faster one."""
import torch
from sides import (
    LR,
    MOMENTUM,
    WEIGHT_DECAY,
    Unavailable,
    batch,
    gpu_description,
    host_peak_bytes,
    layers_of,
    network,
)

KNOWN = ("Conv2d", "Linear", "ReLU", "Tanh", "MaxPool2d", "AvgPool2d", "Dropout", "Flatten",
         "LocalResponseNorm")


class Torch:
    """On the CPU channels last is the slower order for this network (measured)."""

    def __init__(self, options, fast_norm=False, channels_last=False, compiled=False):
        self.options = options
        self.how = [*(["response norm by rsqrt"] if fast_norm else []),
                    *(["channels last"] if channels_last else []),
                    "compiled" if compiled else "eager"]
        torch.set_num_threads(options["threads"])
        # Without this line cuDNN's convolutions would use TF32 and the fully connected layers would
        # not.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.get(
            "tf32", False)
        # cuDNN tries its algorithms and keeps the fastest: what scripts for speed do
        torch.backends.cudnn.benchmark = True
        self.device = torch.device("cpu" if options["device"] in ("cpu", "auto")
                                   else options["device"])
        self.model = torch_network(network(options), fast_norm).to(self.device)
        self.images, self.labels = (torch.from_numpy(a).to(self.device) for a in batch(options))
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR, momentum=MOMENTUM,
                                         weight_decay=WEIGHT_DECAY)
        self.run = torch.compile(self.model) if compiled else self.model

    def losses(self, count, steps):
        self.model.eval()
        try:
            return [self.train(self.images[:count], self.labels[:count]).item()
                    for _ in range(steps)]
        except Exception as error:
            # the compiler needs a C++ compiler, and headers that a system may lack
            if "compiled" in self.how:
                raise Unavailable(f"torch.compile failed: {str(error).splitlines()[0]}") from error
            raise

    def train(self, images, labels):
        loss = torch.nn.functional.cross_entropy(self.run(images), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def start(self):
        self.model.train(not self.options["forward"])

    def step(self):
        if self.options["forward"]:
            with torch.no_grad():
                self.run(self.images)
        else:
            self.train(self.images, self.labels)

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def peak_bytes(self):
        """The most GPU memory that PyTorch has held, in use or for reuse."""
        return (host_peak_bytes() if self.device.type == "cpu"
                else torch.cuda.max_memory_reserved(self.device))

    def describe(self):
        who = f"PyTorch {torch.__version__} {', '.join(self.how)}"
        if self.device.type != "cpu":
            return gpu_description(f"{who}, CUDA {torch.version.cuda}", self.options)
        return f"{who}, {torch.get_num_threads()} threads, float32"


class ResponseNorm(torch.nn.Module):
    """x / (k + α Σ x²)^β. PyTorch divides alpha by size; the paper does not. fast: the power 3/4 by
    square roots."""

    def __init__(self, layer, fast):
        super().__init__()
        self.layer, self.fast = layer, fast and layer.beta == 0.75

    def forward(self, x):
        a = self.layer
        if not self.fast:
            return torch.nn.functional.local_response_norm(x, a.size, a.alpha * a.size, a.beta, a.k)
        half = a.size // 2
        means = torch.nn.functional.avg_pool3d((x * x).unsqueeze(1), (a.size, 1, 1), 1,
                                               (half, 0, 0)).squeeze(1)
        scale = means * (a.alpha * a.size) + a.k
        root = scale.rsqrt()
        return x * (root * root.sqrt())


def torch_network(model, fast_norm=False):
    """The same layers with the same weights as PyTorch modules, read off a network of this engine;
    ReLU in place, as torchvision has it."""
    make = {
        "Conv2d": lambda a: torch.nn.Conv2d(a.in_channels, a.out_channels, a.kernel_size, a.stride,
                                            a.padding, groups=a.groups),
        "Linear": lambda a: torch.nn.Linear(a.in_features, a.out_features),
        "ReLU": lambda a: torch.nn.ReLU(inplace=True), "Tanh": lambda a: torch.nn.Tanh(),
        "MaxPool2d": lambda a: torch.nn.MaxPool2d(a.kernel_size, a.stride, a.padding),
        "AvgPool2d": lambda a: torch.nn.AvgPool2d(a.kernel_size, a.stride),
        "Dropout": lambda a: torch.nn.Dropout(a.p), "Flatten": lambda a: torch.nn.Flatten(),
        "LocalResponseNorm": lambda a: ResponseNorm(a, fast_norm),
    }
    modules = []
    for layer, _ in layers_of(model, KNOWN, "PyTorch's"):
        modules.append(make[type(layer).__name__](layer))
        with torch.no_grad():
            for theirs, ours in zip(modules[-1].parameters(), layer.parameters()):
                theirs.copy_(torch.from_numpy(ours.data))
    return torch.nn.Sequential(*modules)
