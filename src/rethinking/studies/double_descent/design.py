"""Which cells and experiments the study of double descent needs."""

from collections.abc import Iterable, Sequence

from rethinking.cells import Cell, union
from rethinking.data.corruptions import wrong_labels_name
from rethinking.experiments.experiment import Experiment
from rethinking.names import weight_decay_name
from rethinking.params import Params
from rethinking.params_studies.double_descent import NoisySweepParams, WidthSweepParams


def networks(
    params: Params,
    sweep: NoisySweepParams,
    width: int,
    label_noise: float,
    parts: int,
    count: int,
    weight_decay: float = 0.0,
) -> list[Cell]:
    """Return the cells of one point of a curve: its networks, as independent as the data allow.

    Network i is trained on part i of the data set, counted around, with a seed of its own where it comes round again.
    """
    dataset = params.studies.double_descent.dataset
    return [
        Cell(
            dataset if parts == 1 else f"{dataset}-part{number % parts + 1}of{parts}",
            f"{sweep.model}-k{width}",
            wrong_labels_name(label_noise),
            weight_decay_name(weight_decay) if weight_decay else sweep.regularizer,
            number // parts,
        )
        for number in range(count)
    ]


def sweep_networks(
    params: Params, sweep: WidthSweepParams, width: int, label_noise: float, weight_decay: float = 0.0
) -> list[Cell]:
    """Return the cells of one point of a sweep over widths."""
    count = sweep.networks[sweep.label_noise.index(label_noise)]
    if weight_decay:
        count = sweep.weight_decay_networks
    return networks(params, sweep, width, label_noise, sweep.parts, count, weight_decay)


def epoch_wise_networks(params: Params) -> list[Cell]:
    """Return the cells whose test error along training is shown."""
    sweep = params.studies.double_descent.epoch_wise
    return networks(params, sweep, sweep.width, sweep.label_noise, sweep.parts, sweep.networks)


def sample_wise_networks(params: Params, width: int, parts: int) -> list[Cell]:
    """Return the cells of this width on the data set divided into so many parts."""
    sweep = params.studies.double_descent.sample_wise
    return networks(params, sweep, width, sweep.label_noise, parts, sweep.networks)


def decay_widths(sweep: WidthSweepParams) -> Sequence[int]:
    """Return the widths at which weight decay is tried."""
    return sweep.weight_decay_widths if sweep.weight_decay else []


def cells(params: Params) -> list[Cell]:
    """Return every cell whose run the study reads."""
    study = params.studies.double_descent

    def grids() -> Iterable[list[Cell]]:
        for sweep in study.width_sweeps:
            for label_noise in sweep.label_noise:
                for width in sweep.widths:
                    yield sweep_networks(params, sweep, width, label_noise)
            for coefficient in sweep.weight_decay:
                for width in decay_widths(sweep):
                    yield sweep_networks(params, sweep, width, sweep.label_noise[-1], coefficient)
        yield epoch_wise_networks(params)
        for width in study.sample_wise.widths:
            for parts in study.sample_wise.parts:
                yield sample_wise_networks(params, width, parts)

    return union(*grids())


def histories(params: Params) -> dict[Cell, int | None]:
    """Return the last epochs of every network, over which errors are averaged, and all of the epoch-wise ones."""
    last: dict[Cell, int | None] = dict.fromkeys(cells(params), params.studies.double_descent.last_epochs)
    return last | dict.fromkeys(epoch_wise_networks(params))


def experiments(params: Params) -> list[Experiment]:
    """Return one experiment for each seed of the random features."""
    study = params.studies.double_descent.random_features
    dataset = params.datasets[study.dataset]
    return [
        Experiment(
            "double_descent",
            "random-features",
            f"{study.dataset}.seed-{seed}",
            settings={
                **study.model_dump(exclude={"seeds"}),
                "seed": seed,
                "crop_size": dataset.crop_size,
                "train_examples": dataset.train_examples,
            },
            variants=tuple(
                (study.dataset, corruption)
                for corruption in dict.fromkeys(["true", *map(wrong_labels_name, study.label_noise)])
            ),
            on_cpu=True,
        )
        for seed in study.seeds
    ]
