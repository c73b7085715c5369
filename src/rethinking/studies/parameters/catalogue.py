"""The networks whose parameters are counted, at the size at which they were published, whatever the preset."""

from dataclasses import dataclass, field
from typing import Any, Literal

Builder = Literal["paper", "wide-resnet", "torchvision"]

EXAMPLES = {"cifar10": 50_000, "imagenet": 1_281_167}
"""Training examples; ImageNet's are those of ILSVRC 2012 (Zhang et al. 2017, appendix A)."""


@dataclass(frozen=True)
class Network:
    """A network, and how it is built."""

    name: str
    title: str
    dataset: Literal["cifar10", "imagenet"]
    builder: Builder
    """Which function of `counting` builds it."""
    options: dict[str, Any] = field(default_factory=dict)
    running_statistics: bool = False
    """Whether the running means and variances of batch normalisation are counted as parameters."""
    variant: bool = False
    """Whether it is here to explain a count alone."""

    def settings(self) -> dict[str, Any]:
        """Return what its count depends on, as JSON holds it."""
        return {"network": self.name, "builder": self.builder, "options": self.options}


NETWORKS = (
    # Zhang et al. 2017, appendix A, at the widths of params.yaml's top level.
    Network(
        "inception", "Inception", "cifar10", "paper", {"architecture": "inception", "width": 1.0, "batch_norm": True}
    ),
    Network("alexnet", "AlexNet", "cifar10", "paper", {"architecture": "alexnet", "width": 1.0}),
    Network("mlp-1x512", "MLP 1×512", "cifar10", "paper", {"architecture": "mlp", "depth": 1, "width": 512}),
    Network("mlp-3x512", "MLP 3×512", "cifar10", "paper", {"architecture": "mlp", "depth": 3, "width": 512}),
    # Zagoruyko & Komodakis 2016. The narrow one is in the public code of the paper's first author.
    Network("wrn-28-1", "Wide ResNet 28-1", "cifar10", "wide-resnet", {"depth": 28, "factor": 1}),
    Network("wrn-40-4", "Wide ResNet 40-4", "cifar10", "wide-resnet", {"depth": 40, "factor": 4}),
    Network("wrn-28-10", "Wide ResNet 28-10", "cifar10", "wide-resnet", {"depth": 28, "factor": 10}),
    Network("inception-v3", "Inception V3", "imagenet", "torchvision", {"name": "inception_v3", "aux_logits": False}),
    Network(
        "inception-v3-auxiliary",
        "Inception V3, with auxiliary classifier",
        "imagenet",
        "torchvision",
        {"name": "inception_v3", "aux_logits": True},
        variant=True,
    ),
    # With 1008 outputs: nothing else that was tried gives the number that is printed of this network.
    Network(
        "inception-v3-1008",
        "Inception V3, 1008 outputs, running statistics",
        "imagenet",
        "torchvision",
        {"name": "inception_v3", "aux_logits": False, "num_classes": 1008},
        running_statistics=True,
        variant=True,
    ),
    Network("alexnet-imagenet", "AlexNet", "imagenet", "torchvision", {"name": "alexnet"}),
    Network("resnet18-imagenet", "ResNet-18", "imagenet", "torchvision", {"name": "resnet18"}),
    Network("resnet152", "ResNet-152", "imagenet", "torchvision", {"name": "resnet152"}),
    Network("vgg11", "VGG-11", "imagenet", "torchvision", {"name": "vgg11"}),
    Network("vgg19", "VGG-19", "imagenet", "torchvision", {"name": "vgg19"}),
)
