"""What training minimises, and evaluation reports."""

from torch import Tensor
from torch.nn import functional

from rethinking.recipe import Recipe


def summed_loss(recipe: Recipe, outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the recipe's loss of float32 outputs (m, classes) under labels (m,), summed over the examples.

    The cross-entropy, in nats, takes the outputs as logits. The squared loss is the mean over the classes of the
    squared difference between outputs and labels as one-hot vectors.
    """
    if recipe.loss == "cross-entropy":
        return functional.cross_entropy(outputs, labels, reduction="sum")
    targets = functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
    return functional.mse_loss(outputs, targets, reduction="sum") / outputs.shape[1]
