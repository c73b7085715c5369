"""Axes in the field's words, with their units: a label and the numbers on the axis are set together."""

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

LABEL_CORRUPTION = "Label corruption"
EPOCH = "Epoch"
STEPS = "Gradient steps"
TRAINING_EXAMPLES = "Training examples"
PARAMETERS_AN_EXAMPLE = "Parameters an example"

_WIDTHS = {
    "cnn": "Width (channels of layer 1)",
    "resnet18": "Width (channels of stage 1)",
    "resnet34": "Width (channels of stage 1)",
    "perceptron": "Width (hidden units)",
}


def width_of(model: str) -> str:
    """Return what the width of a model is, as a label."""
    return _WIDTHS.get(model, "Width")


def per_cent(axis: Axis, label: str) -> None:
    """Label an axis of fractions, and show them in per cent."""
    axis.set_label_text(f"{label} (%)")
    axis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:.6g}"))


def thousands(axis: Axis, label: str) -> None:
    """Label an axis of many, and show them in thousands."""
    axis.set_label_text(f"Thousand {label[0].lower()}{label[1:]}")
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number / 1000:,.6g}"))


def weights_left(axes: Axes, smallest: float) -> None:
    """Make x the fraction of weights left: logarithmic, in per cent, from the whole network down to `smallest`."""
    axes.set_xscale("log")
    axes.set_xlabel("Weights left (%)")
    axes.set_xlim(1.2, smallest / 1.2)
    plain_numbers(axes.xaxis, 100.0)


def kilobytes(axes: Axes) -> None:
    """Make x a size on disk, logarithmic; the numbers are bytes and shown in thousands."""
    axes.set_xscale("log")
    axes.set_xlabel("Size on disk (kB)")
    plain_numbers(axes.xaxis, 1e-3)


def plain_numbers(axis: Axis, unit: float = 1.0) -> None:
    """Write the numbers of a logarithmic axis out, in another unit where one is given: 1, 10, 100 and not powers.

    There is a number at 3, 30 or 300 as well where the axis is shorter than a power of a hundred.
    """
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1, 3) if high / low < 100 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{unit * value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())


def written_out(axes: Axes, ticks: Iterable[float]) -> None:
    """Give axes a logarithmic x with just these numbers on it."""
    numbers = list(ticks)
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [f"{number:,.0f}" for number in numbers])
    axes.xaxis.set_minor_locator(NullLocator())


def powers_of_two(values: Iterable[float], most: int = 5) -> list[int]:
    """Return the powers of two between the smallest and the largest value, for ticks: evenly apart, so many at most."""
    numbers = list(values)
    found = [2**power for power in range(24) if min(numbers) <= 2**power <= max(numbers)]
    return found[:: -(-len(found) // most)] if found else [round(min(numbers))]
