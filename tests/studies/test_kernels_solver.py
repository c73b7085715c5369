"""Gram systems in tiles: against SciPy, scikit-learn and explicit features."""

import mmap
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.linalg import cholesky
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from torch import Tensor

from rethinking.errors import UserError
from rethinking.studies.kernels import measuring, solver
from rethinking.studies.kernels.cholesky import NotPositiveDefinite, factorise
from rethinking.studies.kernels.gram import GaussianGram, Gram, KeptGram, parts, product
from rethinking.studies.kernels.measuring import (
    Stopwatch,
    available_memory,
    forget_peak_memory,
    peak_memory,
    require_memory,
    triangle_bytes,
)
from rethinking.studies.kernels.solver import Solution, solve

CPU = torch.device("cpu")
GAMMA = 0.1


@pytest.fixture
def examples() -> Tensor:
    """97 examples: no multiple of the tiles' size."""
    return torch.randn(97, 12, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def targets() -> Tensor:
    return torch.eye(10, dtype=torch.float64)[torch.arange(97) * 7 % 10]


def solved(gram: Gram, targets: Tensor, penalty: float = 0.0) -> Solution:
    return solve(gram, targets, penalty, Stopwatch(CPU))


def features_of(examples: Tensor) -> Tensor:
    """Explicit features, more than examples."""
    weights = torch.randn(examples.shape[1], 150, generator=torch.Generator().manual_seed(1))
    return torch.relu(examples @ weights)


def kept(features: Tensor, size: int = 20, blocks: int = 40) -> KeptGram:
    gram = KeptGram(len(features), CPU, size)
    for block in torch.split(features, blocks, dim=1):
        gram.add(block)
    return gram


def dense(gram: Gram) -> Tensor:
    """The whole matrix, from its tiles."""
    count = gram.places[-1].stop
    return product(gram, torch.eye(count, dtype=torch.float64))


# --- the matrix ---


def test_parts_cover_every_example_once() -> None:
    assert [(p.start, p.stop) for p in parts(97, 40)] == [(0, 40), (40, 80), (80, 97)]


@pytest.mark.parametrize("size", [97, 20, 1])
def test_the_kernel_is_scikit_learns_in_tiles_of_any_size(examples: Tensor, size: int) -> None:
    expected = rbf_kernel(examples.double().numpy(), gamma=GAMMA)
    assert dense(GaussianGram(examples, GAMMA, size)).numpy() == pytest.approx(expected, abs=2e-6)


def test_the_kernel_does_not_lose_its_digits_far_from_the_origin(examples: Tensor) -> None:
    """Squared distances are differences of squared lengths, which an offset makes large."""
    near, far = (dense(GaussianGram(examples + offset, GAMMA, 20)) for offset in (0.0, 100.0))
    assert (near - far).abs().max() < 1e-4


def test_outputs_are_the_kernels_sums(examples: Tensor) -> None:
    gram = GaussianGram(examples[:60], GAMMA, 20)
    coefficients = torch.randn(60, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    expected = rbf_kernel(examples[60:], examples[:60], gamma=GAMMA) @ coefficients.numpy()
    assert gram.outputs(examples[60:], coefficients).numpy() == pytest.approx(expected, abs=1e-5)


def test_blocks_of_features_add_up_to_their_inner_products(examples: Tensor) -> None:
    features = features_of(examples)
    gram = kept(features)
    assert dense(gram).numpy() == pytest.approx((features @ features.T).double().numpy(), rel=1e-5, abs=1e-4)
    mean = gram.normalise()
    assert mean == pytest.approx(float(features.square().sum(dim=1).mean()), rel=1e-5)
    assert float(dense(gram).diagonal().mean()) == pytest.approx(1.0, rel=1e-6)


def test_a_tile_is_the_callers_to_overwrite(examples: Tensor) -> None:
    gram = kept(features_of(examples))
    before = dense(gram)
    gram.tile(1, 0).zero_()
    assert torch.equal(dense(gram), before)


# --- the factor ---


@pytest.mark.parametrize("size", [97, 30, 8])
def test_the_factor_is_scipys(examples: Tensor, size: int) -> None:
    gram = GaussianGram(examples, GAMMA, size)
    factor = factorise(gram, 0.01)
    found = np.zeros((97, 97))
    for place, panel in zip(factor.places, factor.panels, strict=True):
        found[place.start :, place] = panel.numpy()
    expected = cholesky(rbf_kernel(examples.double().numpy(), gamma=GAMMA) + 0.01 * np.eye(97), lower=True)
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_factor_solves_its_system(examples: Tensor, targets: Tensor) -> None:
    gram = GaussianGram(examples, GAMMA, 20)
    found = factorise(gram, 0.5).solve(targets)
    assert found.dtype == torch.float64
    assert (dense(gram) @ found + 0.5 * found - targets).abs().max() < 1e-5


def test_an_indefinite_matrix_has_no_factor(examples: Tensor) -> None:
    with pytest.raises(NotPositiveDefinite, match="no positive pivot at example"):
        factorise(GaussianGram(examples, GAMMA, 20), -0.9)


# --- solutions ---


def test_the_solution_interpolates_and_is_numpys(examples: Tensor, targets: Tensor) -> None:
    found = solved(GaussianGram(examples, GAMMA, 20), targets)
    kernel = rbf_kernel(examples.double().numpy(), gamma=GAMMA)
    assert found.residual <= 1.1e-4
    assert (found.outputs - targets).abs().max() == pytest.approx(found.residual)
    assert found.outputs.argmax(dim=1).equal(targets.argmax(dim=1))
    expected = np.linalg.solve(kernel, targets.numpy())
    assert found.coefficients.numpy() == pytest.approx(expected, abs=2e-2 * np.abs(expected).max())
    norms = np.einsum("nc,nc->c", expected, kernel @ expected)
    assert found.squared_norms().numpy() == pytest.approx(norms, rel=1e-3)


def test_the_shift_of_the_factor_is_not_in_the_solution(
    examples: Tensor, targets: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large it is, conjugate gradients take it out again."""
    small = solved(GaussianGram(examples, GAMMA, 20), targets)
    monkeypatch.setattr(solver, "SHIFT", 0.3)
    large = solved(GaussianGram(examples, GAMMA, 20), targets)
    assert (small.shift, large.shift) == (1e-3, 0.3)
    assert large.steps > small.steps
    assert (small.outputs - large.outputs).abs().max() < 2.5e-4
    assert large.squared_norms().tolist() == pytest.approx(small.squared_norms().tolist(), rel=1e-3)


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_a_penalty_is_scikit_learns_ridge(examples: Tensor, targets: Tensor, penalty: float) -> None:
    found = solved(GaussianGram(examples, GAMMA, 20), targets, penalty)
    theirs = KernelRidge(alpha=penalty, kernel="rbf", gamma=GAMMA).fit(examples.double().numpy(), targets.numpy())
    assert found.coefficients.numpy() == pytest.approx(theirs.dual_coef_, abs=1e-3 * np.abs(theirs.dual_coef_).max())
    assert found.residual <= 1.1e-4
    assert (found.outputs - targets).abs().max() > 0.005  # it does not interpolate


def test_no_weights_that_interpolate_are_smaller(examples: Tensor, targets: Tensor) -> None:
    """The Gram system's norm is that of the pseudo-inverse's weights, in a feature space that can be written down."""
    features = features_of(examples)
    found = solved(kept(features), targets)
    weights = np.linalg.pinv(features.double().numpy()) @ targets.numpy()
    assert features.double().numpy() @ weights == pytest.approx(targets.numpy(), abs=1e-8)
    ours = features.double().T @ found.coefficients
    assert ours.numpy() == pytest.approx(weights, abs=1e-3 * np.abs(weights).max())
    assert found.squared_norms().tolist() == pytest.approx(np.square(weights).sum(axis=0).tolist(), rel=1e-3)


class Dense:
    """A matrix that is given."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix, self.places = matrix, parts(len(matrix), 20)

    def tile(self, row: int, column: int) -> Tensor:
        return self.matrix[self.places[row], self.places[column]].clone()


def test_equal_examples_with_different_labels_are_not_interpolated_and_said_so(
    examples: Tensor, targets: Tensor
) -> None:
    matrix = dense(GaussianGram(examples, GAMMA, 20)).float()
    chosen = [*range(97), 0]
    found = solved(Dense(matrix[chosen][:, chosen]), torch.cat([targets, targets[1:2]]))
    assert found.residual > 0.4
    assert found.steps == solver.MOST_STEPS


def test_rounding_that_tells_equal_examples_apart_shows_in_the_norm(examples: Tensor, targets: Tensor) -> None:
    once = solved(GaussianGram(examples, GAMMA, 20), targets)
    twice = torch.cat([examples, examples[:1]])
    found = solved(GaussianGram(twice, GAMMA, 20), torch.cat([targets, targets[1:2]]))
    assert found.residual > 0.4 or found.squared_norms().sum() > 1e4 * once.squared_norms().sum()


class Shifted:
    """A Gram matrix with a smallest eigenvalue a little below zero, as rounding makes one."""

    def __init__(self, gram: Gram, below: float) -> None:
        values = torch.linalg.eigvalsh(dense(gram))
        self.gram, self.places, self.by = gram, gram.places, float(values[0]) + below

    def tile(self, row: int, column: int) -> Tensor:
        tile = self.gram.tile(row, column)
        if row == column:
            tile.diagonal().sub_(self.by)
        return tile


def test_a_larger_shift_is_taken_where_the_first_is_too_small(examples: Tensor) -> None:
    factor, shift = solver._shifted(Shifted(GaussianGram(examples, GAMMA, 20), 0.005), 0.0)
    assert shift == pytest.approx(0.01)
    assert len(factor.panels) == 5
    with pytest.raises(NotPositiveDefinite):
        solver._shifted(Shifted(GaussianGram(examples, GAMMA, 20), 2.0), 0.0)


# --- seconds and memory ---


def test_a_part_counts_for_itself_and_not_for_what_is_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 4.0, 9.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    watch = Stopwatch(CPU)
    with watch.time("outer"), watch.time("inner"):
        pass
    assert watch.seconds == {"outer": 1.0 + 5.0, "inner": 3.0}


def test_solving_counts_the_matrix_apart_from_its_factor(examples: Tensor, targets: Tensor) -> None:
    watch = Stopwatch(CPU)
    solve(GaussianGram(examples, GAMMA, 20), targets, 0.0, watch)
    assert set(watch.seconds) == {"gram", "factorisation", "solution"}
    assert min(watch.seconds.values()) > 0


def test_all_of_mnist_takes_seven_gigabytes() -> None:
    assert triangle_bytes(60_000) == pytest.approx(7.44e9)
    assert triangle_bytes(100) == 4 * 100**2


def test_a_factor_takes_the_memory_that_was_foretold(examples: Tensor) -> None:
    count = 3000
    gram = GaussianGram(torch.randn(count, 5, generator=torch.Generator().manual_seed(0)), 5.0, 500)
    panels = factorise(gram, 1e-2).panels
    assert sum(4 * panel.numel() for panel in panels) == triangle_bytes(count, 500)


def test_the_peak_of_memory_begins_anew_and_is_of_what_was_used() -> None:
    forget_peak_memory(CPU)
    before = peak_memory(CPU)
    # Not a tensor: torch may give it memory that another one has left.
    held = mmap.mmap(-1, 160_000_000)
    held.write(bytes(len(held)))
    assert peak_memory(CPU) >= before + 0.9 * len(held)
    held.close()
    assert peak_memory(CPU) >= before + 1.4e8
    forget_peak_memory(CPU)
    assert peak_memory(CPU) < before + 1.4e8


def test_memory_that_is_not_there_is_asked_for_in_vain() -> None:
    there = available_memory(CPU)
    assert there is not None
    assert 1e8 < there < 1e14
    require_memory(1e6, CPU, "a small matrix", "")
    with pytest.raises(UserError, match=r"^a matrix needs 1000000\.0 GB of memory and .* GB are free .*; take fewer$"):
        require_memory(1e15, CPU, "a matrix", "take fewer")


def test_where_the_system_does_not_say_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "available_memory", lambda device: None)
    require_memory(1e15, CPU, "a matrix", "take fewer")


@pytest.fixture
def system_files(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Let the files of the operating system have this content, and no other be there."""

    def install(content: dict[str, str]) -> None:
        def read(self: object, encoding: str | None = None) -> str:
            if str(self) not in content:
                raise FileNotFoundError(str(self))
            return content[str(self)]

        monkeypatch.setattr("pathlib.Path.read_text", read)

    return install


def test_the_least_of_machine_and_control_groups_is_free(system_files: Callable[[dict[str, str]], None]) -> None:
    machine = {"/proc/meminfo": "MemTotal: 24000000 kB\nMemAvailable:   16000000 kB\n"}
    system_files(machine)
    assert available_memory(CPU) == 1024.0 * 16_000_000
    group = "/sys/fs/cgroup/slurm/job_7"
    limited = {
        "/proc/self/cgroup": "0::/slurm/job_7/step_0\n",
        "/sys/fs/cgroup/slurm/job_7/step_0/memory.max": "max\n",
        "/sys/fs/cgroup/slurm/job_7/step_0/memory.current": "1\n",
        "/sys/fs/cgroup/slurm/job_7/step_0/memory.stat": "anon 1\n",
        f"{group}/memory.max": "4000000000\n",
        f"{group}/memory.current": "3000000000\n",
        f"{group}/memory.stat": "anon 2500000000\ninactive_file 500000000\n",
    }
    system_files(machine | limited)
    assert available_memory(CPU) == 1.5e9  # what is cached can be had again
    system_files({})
    assert available_memory(CPU) is None
