"""A finished run is kept until Snakemake has taken note of it, and is then taken as it is instead of trained again."""

import os
from pathlib import Path

import pytest

from rethinking import kept
from rethinking.cells import RUN_FILES, WEIGHTS_FILE, Cell
from rethinking.errors import UserError
from rethinking.params_file import load_params
from rethinking.runs import LOCK, train_cell, training_code

SMOKE = load_params(Path(__file__).resolve().parents[1] / "params.yaml", "smoke")
CELL = Cell("digits", "mlp-1x512", "true", "none", 0)
AS_PLANNED = (SMOKE.recipe(CELL).digest(), training_code(SMOKE.recipe(CELL)))


def outputs(root: Path) -> list[Path]:
    return [*(root / CELL.run_folder("smoke") / name for name in RUN_FILES), root / CELL.weights_path("smoke")]


def test_a_run_whose_outputs_were_deleted_is_there_again_at_once(
    digits_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1, AS_PLANNED)
    contents = [path.read_bytes() for path in outputs(tmp_path)]
    before = [path.stat().st_mtime_ns for path in outputs(tmp_path)]
    for path in outputs(tmp_path):
        path.unlink()
    capsys.readouterr()
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1, AS_PLANNED)
    said = capsys.readouterr().out
    assert "trained before" in said
    assert "epoch" not in said
    assert [path.read_bytes() for path in outputs(tmp_path)] == contents
    # Snakemake takes an output that is older than its inputs for one that was not written.
    assert all(path.stat().st_mtime_ns > old for path, old in zip(outputs(tmp_path), before, strict=True))


def test_what_is_kept_takes_no_space(digits_root: Path, tmp_path: Path) -> None:
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1, AS_PLANNED)
    folder = tmp_path / CELL.run_folder("smoke")
    assert {path.name for path in folder.iterdir()} == {kept.FOLDER, *RUN_FILES}
    assert {path.name for path in (folder / kept.FOLDER).iterdir()} == {*RUN_FILES, WEIGHTS_FILE, "identity"}
    assert all(path.stat().st_nlink == 2 for path in outputs(tmp_path))


def test_a_run_by_hand_is_trained_anew_and_keeps_nothing(
    digits_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1, AS_PLANNED)
    capsys.readouterr()
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1)
    assert "epoch    1" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / CELL.run_folder("smoke")).iterdir()} == set(RUN_FILES)


def test_a_run_of_other_settings_is_not_taken(
    digits_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1, AS_PLANNED)
    training = SMOKE.training.model_copy(update={"epochs": 3})
    other = SMOKE.model_copy(update={"training": training})
    capsys.readouterr()
    train_cell(other, CELL, digits_root, tmp_path, 1, (other.recipe(CELL).digest(), AS_PLANNED[1]))
    assert "epoch    3" in capsys.readouterr().out


def test_nothing_is_kept_of_a_run_that_could_not_be_written_whole(tmp_path: Path) -> None:
    def write_half() -> None:
        with kept.keeping(tmp_path, "this one") as folder:
            (folder / WEIGHTS_FILE).write_bytes(b"half")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        write_half()
    assert not kept.is_kept(tmp_path, "this one")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_process_killed_while_keeping_are_replaced(tmp_path: Path) -> None:
    (tmp_path / f"{kept.FOLDER}.part").mkdir()
    (tmp_path / f"{kept.FOLDER}.part" / WEIGHTS_FILE).write_bytes(b"half")
    with kept.keeping(tmp_path, "this one") as folder:
        for name in (*RUN_FILES, WEIGHTS_FILE):
            (folder / name).write_bytes(b"whole")
    assert kept.is_kept(tmp_path, "this one")
    assert not kept.is_kept(tmp_path, "another one")
    kept.publish(tmp_path, tmp_path / "weights" / WEIGHTS_FILE)
    assert (tmp_path / "weights" / WEIGHTS_FILE).read_bytes() == b"whole"


def test_a_file_system_without_hard_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with kept.keeping(tmp_path, "this one") as folder:
        for name in (*RUN_FILES, WEIGHTS_FILE):
            (folder / name).write_bytes(b"whole")
    monkeypatch.setattr(os, "link", refuse)
    kept.publish(tmp_path, tmp_path / WEIGHTS_FILE)
    assert [(tmp_path / name).read_bytes() for name in (*RUN_FILES, WEIGHTS_FILE)] == [b"whole"] * 3


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file")
    with pytest.raises(UserError, match="cannot be written"), kept.keeping(tmp_path / "in the way", "this one"):
        pass


def test_the_lock_of_a_run_is_gone_with_its_training(digits_root: Path, tmp_path: Path) -> None:
    train_cell(SMOKE, CELL, digits_root, tmp_path, 1)
    assert not (tmp_path / CELL.run_folder("smoke") / LOCK).exists()
