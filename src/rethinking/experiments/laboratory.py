"""What an experiment works with: trained networks, the data they were trained on, a device, and the training code."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.data.images import DeviceImages
from rethinking.data.variants import Variant, load_variant
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.files import atomic_path, checksum
from rethinking.recipe import Recipe
from rethinking.records import Epoch, read_history, write_history
from rethinking.training.devices import Execution
from rethinking.training.run import initial_network, run, split


class Trained(NamedTuple):
    """A network that an experiment has trained, and how that went."""

    network: nn.Module
    history: list[Epoch]


@dataclass
class Laboratory:
    """Gives an experiment what it asks for, and notes what that was. Everything lies on the device."""

    experiment: Experiment
    preset: str
    recipes: Mapping[Cell, Recipe]
    """Of the cells that the experiment starts from."""
    execution: Execution
    root: Path
    code: str
    """The fingerprint of the experiment's code: what was finished by other code is not gone on with."""
    weights_read: dict[str, str] = field(default_factory=dict)
    data_read: dict[str, str] = field(default_factory=dict)
    networks: dict[str, Tensor] = field(default_factory=dict)
    """The tensors of the networks that the experiment leaves, as `leave` names them."""
    _variants: dict[str, Variant] = field(default_factory=dict, init=False)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The experiment's settings."""
        return self.experiment.settings

    def variant(self, dataset: str, corruption: str) -> Variant:
        """Return verified data. Raises UserError if they are missing or damaged."""
        name = f"{dataset}/{corruption}"
        if name not in self._variants:  # to verify CIFAR-10 takes up to a second
            self._variants[name] = load_variant(self.root / "data", dataset, corruption)
            self.data_read[name] = self._variants[name].digest
        return self._variants[name]

    def examples(self, cell: Cell, name: Literal["train", "test"], corruption: str | None = None) -> DeviceImages:
        """Return the examples that a cell was trained or tested on, or those of another corruption."""
        dataset, own = cell.variant
        return split(self.variant(dataset, corruption or own), name, self.recipes[cell], self.execution.device)

    def initial_network(self, cell: Cell) -> nn.Module:
        """Return a cell's network as it was before training."""
        return self._placed(initial_network(self.recipes[cell], self.variant(*cell.variant)))

    def network(self, cell: Cell) -> nn.Module:
        """Return a cell's trained network, in evaluation mode. Raises UserError if it is not here or damaged."""
        path = self.root / cell.weights_path(self.preset)
        network = self.initial_network(cell)
        network.load_state_dict(_tensors(path))
        self.weights_read[str(cell)] = checksum(path)
        return network.eval()

    def train(self, cell: Cell, name: str, prepare: Callable[[nn.Module], None], **changes: object) -> Trained:
        """Train a cell's network from where `prepare` puts its initial one, under its recipe with `changes`.

        An interruption costs no more than in a cell: training goes on from its checkpoint, and what was finished under
        `name` is taken as it is. Raises Interrupted if a signal asks to stop.
        """
        recipe = Recipe.model_validate(self.recipes[cell].model_dump() | changes)
        folder = self.root / self.experiment.scratch_folder(self.preset) / name
        prepared = initial_network(recipe, self.variant(*cell.variant))
        prepare(prepared)
        identity = f"{self.code} {_digest(prepared)}"
        finished, history = folder / f"{_short(recipe.digest(), identity)}.safetensors", folder / "history.csv"
        if finished.is_file() and history.is_file():
            prepared.load_state_dict(_tensors(finished))
            return Trained(self._placed(prepared), read_history(history))
        folder.mkdir(parents=True, exist_ok=True)
        outcome = run(recipe, self.root / "data", self.execution, folder, identity, lambda epoch: None, prepare=prepare)
        write_history(history, outcome.history)
        write_tensors(finished, dict(outcome.network.state_dict()))
        # As it is written, with six digits: results must not depend on whether there was an interruption.
        return Trained(outcome.network, read_history(history))

    def leave(self, name: str, network: nn.Module) -> None:
        """Keep a network for experiments that come after this one, which `left` gives by the same name."""
        self.networks |= {f"{name}/{key}": tensor.clone() for key, tensor in network.state_dict().items()}

    def left(self, experiment: Experiment, name: str) -> dict[str, Tensor]:
        """Return the tensors of a network that another experiment has left, on the CPU."""
        path = self.root / experiment.networks_path(self.preset)
        self.weights_read[str(experiment)] = checksum(path) if path.is_file() else ""
        found = _tensors(path)
        return {key.removeprefix(f"{name}/"): found[key] for key in found if key.startswith(f"{name}/")}

    def discard_scratch(self) -> None:
        """Forget what was finished on the way: the experiment's results are written."""
        shutil.rmtree(self.root / self.experiment.scratch_folder(self.preset), ignore_errors=True)

    def _placed(self, network: nn.Module) -> nn.Module:
        return network.to(self.execution.device).to(memory_format=torch.channels_last)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(save({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}))


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: `make pull` brings weights from a remote, training makes them") from None
    except Exception as error:  # the library's own, which is no subclass of anything more specific
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None


def _digest(network: nn.Module) -> str:
    """Return 16 hexadecimal digits that change with any value of a network's state."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _short(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
