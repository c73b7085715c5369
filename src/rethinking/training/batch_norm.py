"""Batch normalisation by the statistics of a batch that lies in parts with several processes."""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

OVER = (0, 2, 3)
"""The dimensions of (n, c, h, w) that statistics are taken over."""


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d` of the whole batch, of which each process of the default group holds a part (n, c, h, w).

    Parts may differ in size, and be empty. Running statistics are those of the whole batch, too, so that they agree in
    all processes. `torch.nn.SyncBatchNorm` is for GPUs alone, makes them wait for the interpreter in every layer, and
    gathers an empty part in the type of the images beside statistics in float32.
    """

    @classmethod
    def replace_in(cls, network: nn.Module) -> None:
        """Put such layers in the place of all of the network's `BatchNorm2d`, with their parameters and statistics."""
        for name, layer in network.named_children():
            if type(layer) is nn.BatchNorm2d:
                shared = cls(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
                shared._parameters, shared._buffers = layer._parameters, layer._buffers
                setattr(network, name, shared.train(layer.training))
            else:
                cls.replace_in(layer)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise (n, c, h, w); in evaluation mode by the running statistics, without the other processes."""
        if not self.training:
            return super().forward(images)
        normalised: Tensor
        normalised, mean, variance, count = _Normalise.apply(images, self.eps)
        self._track(mean, variance * count / (count - 1).clamp(min=1))
        if self.affine:
            normalised = normalised * self.weight[:, None, None] + self.bias[:, None, None]
        return normalised

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        weight = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance, weight)


class _Normalise(torch.autograd.Function):
    """(n, c, h, w) -> the same normalised, and (c,) mean, (c,) variance, (1,) number of values of the whole batch."""

    @staticmethod
    def forward(ctx: FunctionCtx, images: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, variance, count = _statistics(images)
        normalised = functional.batch_norm(images, mean, variance, eps=eps)
        ctx.save_for_backward(normalised, (variance + eps).rsqrt(), count)
        ctx.mark_non_differentiable(mean, variance, count)
        return normalised, mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, None]:
        """Return the gradient by the images: scale * (g - mean of g - normalised * mean of g * normalised)."""
        normalised, scale, count = ctx.saved_tensors
        sums = torch.stack(
            [gradient.sum(OVER, dtype=torch.float32), (gradient * normalised).sum(OVER, dtype=torch.float32)]
        )
        distributed.all_reduce(sums)
        of_gradient, of_product = (sums / count)[:, :, None, None]
        by_images = (gradient - of_gradient - normalised * of_product) * scale[:, None, None]
        return by_images.to(gradient.dtype), None


def _statistics(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and variance (c,) of the whole batch, and the number (1,) of values that they are over."""
    channels = images.shape[1]
    own = torch.zeros(2 * channels + 1, device=images.device)
    if len(images):
        variance, mean = torch.var_mean(images.float(), OVER, correction=0)
        own = torch.cat([mean, variance, torch.full_like(own[:1], images.numel() // channels)])
    parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, own)
    lines = torch.stack(parts)  # (processes, 2c + 1)
    means, variances, counts = lines[:, :channels], lines[:, channels:-1], lines[:, -1:]
    count = counts.sum(dim=0)
    share = counts / count
    mean = (share * means).sum(dim=0)
    # Within the parts and between them: sums of squares would cancel where the mean is large.
    variance = (share * (variances + (means - mean).square())).sum(dim=0)
    return mean, variance, count
