"""What training cost on the machines where it was measured: `benchmarks/training.csv`, one line a measurement."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rethinking.cost import lines
from rethinking.recipe import Recipe

MEASUREMENTS = Path("benchmarks/training.csv")


class Workload(NamedTuple):
    """What, apart from the machine, determines how long a training step takes."""

    dataset: str
    crop_size: int
    """Height and width of the network's input, in pixels."""
    model: str
    """Architecture and options: "mlp depth=1 initialisation=torch width=512". Presets give one name to other models."""
    batch_size: int
    augmentation: str
    """"none", or what is done to each training batch, as "crop" or "flip+rotate"."""
    weight_decay: bool
    dropout: bool
    optimiser: str = "sgd"

    @classmethod
    def of(cls, recipe: Recipe) -> "Workload":
        """Return the workload of a recipe: recipes of the same workload differ in the number of steps alone."""
        options = dict(recipe.model)
        architecture = options.pop("architecture")
        changes = [("crop", recipe.random_crop), ("flip", recipe.flip), ("rotate", recipe.rotation_degrees > 0)]
        return cls(
            dataset=recipe.dataset,
            crop_size=recipe.crop_size,
            model=" ".join([str(architecture), *(f"{name}={value}" for name, value in sorted(options.items()))]),
            batch_size=recipe.batch_size,
            augmentation="+".join(name for name, used in changes if used) or "none",
            weight_decay=recipe.weight_decay > 0,
            dropout=recipe.dropout > 0,
            optimiser=recipe.optimiser,
        )

    @property
    def network(self) -> tuple[str, int, str]:
        """What determines the size of the weights and how long an evaluation takes."""
        return self.dataset, self.crop_size, self.model

    def __str__(self) -> str:
        used = [
            *([self.augmentation] if self.augmentation != "none" else []),
            *(["weight decay"] if self.weight_decay else []),
            *(["dropout"] if self.dropout else []),
            *([self.optimiser] if self.optimiser != "sgd" else []),
        ]
        return f"{self.dataset}, {self.model}, batches of {self.batch_size}" + (f", {', '.join(used)}" if used else "")


class Device(NamedTuple):
    """Where and in which precision training steps were timed."""

    device_name: str
    device: str
    """cpu, cuda or mps."""
    precision: str

    def __str__(self) -> str:
        return ", ".join([self.device_name, *(["1 core"] if self.device == "cpu" else []), self.precision])


class Timed(BaseModel):
    """One workload on one device: what every line of measurements begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device_name: str
    device: str
    precision: str
    threads: int = Field(ge=1)
    """Of each cell."""
    cells_at_once: int = Field(ge=1)
    """Processes that trained at the same time: on the one GPU, or on a core each."""
    dataset: str
    crop_size: int
    model: str
    batch_size: int
    augmentation: str
    weight_decay: bool
    dropout: bool
    optimiser: str = "sgd"

    @property
    def where(self) -> Device:
        """What was timed on."""
        return Device(self.device_name, self.device, self.precision)

    @property
    def workload(self) -> Workload:
        """What was timed."""
        return Workload(**{name: getattr(self, name) for name in Workload._fields})

    @property
    def key(self) -> tuple[Device, int, Workload]:
        """What a newer measurement has in common with the one that it replaces."""
        return self.where, self.cells_at_once, self.workload


class Measurement(Timed):
    """One line: the cost of one workload on one device. On a CPU, seconds are those of one core."""

    seconds_per_step: float = Field(gt=0)
    seconds_per_1000_evaluated: float = Field(gt=0)
    """In the precision of training, as all evaluations are but those of the last epoch."""
    startup_seconds: float = Field(gt=0)
    """What a training process takes beside its epochs: importing torch, loading, verifying and preparing the data, and
    writing the run."""
    weights_bytes: int = Field(ge=1)
    peak_memory_bytes: int | None = Field(default=None, ge=1)
    """The most that the process took with the whole data set prepared: of the GPU's memory, or of the machine's on a
    CPU. Measurements that were made before this was have none."""
    date: str
    torch: str
    """Version."""
    code: str
    """Fingerprint of the training code that was timed."""
    commit: str = ""
    """Of the checkout, with "-dirty" if the sources differed from it; empty outside a checkout."""


def read_measurements(path: Path = MEASUREMENTS) -> list[Measurement]:
    """Return the recorded measurements, none where there is no such file. Raises UserError if it is damaged."""
    return lines.read(Measurement, path)


def write_measurements(measurements: Iterable[Measurement], path: Path = MEASUREMENTS) -> None:
    """Write one line a measurement, whole or not at all."""
    lines.write(Measurement, measurements, path)
