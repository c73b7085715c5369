"""The list of studies, in the article's order. A new study is one line here."""

from typing import Literal

from rethinking.cells import Cell, Selection, union
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.studies import randomisation
from rethinking.studies.study import CLAIMS, Study

STUDIES: dict[str, Study] = {study.name: study for study in (randomisation.STUDY,)}


def selected_studies(selection: Selection) -> list[Study]:
    """Return the studies of a run, narrowed or not."""
    return [study for name, study in STUDIES.items() if selection.studies is None or name in selection.studies]


def require_output(kind: Literal["table", "figure"], study: str, name: str) -> Study:
    """Return the study that makes a table or figure. Raises UserError, naming what there is, if none does."""
    if study not in STUDIES:
        raise UserError(f"study: found '{study}', must be one of {', '.join(STUDIES)}")
    made = (*STUDIES[study].tables, CLAIMS) if kind == "table" else STUDIES[study].figures
    if name not in made:
        raise UserError(f"{study} has no {kind} '{name}', it has {', '.join(made)}")
    return STUDIES[study]


def grid(params: Params, selection: Selection = Selection()) -> list[Cell]:  # noqa: B008 (a constant)
    """Return the cells that the selected studies need together, each once, in a stable order.

    Raises UserError if the selection leaves none, naming what there is.
    """
    everything = union(*(study.cells(params) for study in selected_studies(selection)))
    corruptions = dict.fromkeys(cell.corruption for cell in everything)
    for name in selection.corruptions or ():
        if name not in corruptions:
            raise UserError(f"--config corruptions: found '{name}', must be one of {', '.join(corruptions)}")
    chosen = [cell for cell in everything if selection.keeps(cell)]
    if not chosen:
        raise UserError(
            f"no cell of preset {params.preset} is left by this selection "
            f"({', '.join(f'{key}={value}' for key, value in selection._asdict().items() if value is not None)}); "
            "widen it"
        )
    return chosen
