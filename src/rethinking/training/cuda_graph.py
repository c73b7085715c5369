"""Recording on NVIDIA's GPUs: CUDA graphs."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from rethinking.errors import UserError


class CudaGraph:
    """Records kernels as they are launched, with all their arguments, and has the GPU launch them by itself."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Let work go to a stream of its own: what goes to the default one cannot be recorded.

        It begins when all work before is done, and work after it begins when it is done.
        """
        before = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(before)
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            before.wait_stream(self._stream)

    def record(self, work: Callable[[], None], draws: torch.Generator) -> Callable[[], None]:
        """Return what repeats `work`: on the tensors that it reads and writes now, and with further draws.

        They are of `draws` and of the device's global generator. Nothing is done meanwhile, only recorded.

        Raises UserError if `work` does what no recording can hold, such as reading a number back.
        """
        graph = torch.cuda.CUDAGraph()
        _register(graph, draws)
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                work()
        except RuntimeError as error:
            first = str(error).partition("\n")[0]
            raise UserError(
                f"the GPU cannot record a training step ({first}); with execution.cuda_graphs: false in params.yaml "
                "steps are taken one by one"
            ) from error
        return graph.replay


def _register(graph: torch.cuda.CUDAGraph, draws: torch.Generator) -> None:
    """Let repetitions of `graph` go on with `draws`.

    Torch 2.11 has to be told; later versions see it by themselves, and warn, or have no such method.
    """
    register = getattr(graph, "register_generator_state", None)
    if register is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            register(draws)
