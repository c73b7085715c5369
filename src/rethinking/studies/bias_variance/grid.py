"""The networks of the decomposition: so many widths, each trained on every part of a training set, several times."""

from rethinking.cells import Cell
from rethinking.data.corruptions import wrong_labels_name


def network_cell(settings: dict[str, object], width: int, part: int, repetition: int) -> Cell:
    """Return the cell that trains on `part` (from 1) for the `repetition`th time (from 0).

    `settings` are those of the experiment `decomposition`. No two networks of a width share a seed: with a common one
    they would begin at the same weights, so that they are no independent draws, and their variance comes out too small.
    """
    parts, noise = settings["parts"], settings["label_noise"]
    assert isinstance(parts, int)
    assert isinstance(noise, float)
    return Cell(
        dataset=f"{settings['dataset']}-part{part}of{parts}",
        model=f"{settings['network']}-k{width}",
        corruption=wrong_labels_name(noise),
        regularizer=str(settings["regularizer"]),
        seed=repetition * parts + part - 1,
    )
