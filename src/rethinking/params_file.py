"""Reading `params.yaml`: presets, merging, and complaints that name the key as it was written.

The file holds the paper's scale at its top level; a preset is a set of differences, merged key by key. The merged
values are validated as a whole before any job starts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rethinking.cells import Selection
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.params_sections import MisplacedValue, listed

PARAMS_FILE = Path("params.yaml")


# With libyaml's parser, where PyYAML was built with it: ten times as fast, and every job reads the file.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_SafeLoader):  # type: ignore[misc,valid-type]
    """YAML without silently repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                line = node.value[position][0].start_mark.line + 1
                raise UserError(f"{PARAMS_FILE.name}, line {line}: the key '{key}' stands twice; keep one")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_params_file(path: Path) -> dict[str, Any]:
    """Return the file's top-level mapping. Raises UserError if there is no such file or it is not valid YAML."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run from the project's root folder") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text; save it as such") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold a mapping of settings, found {_shown(content)}")
    return content


def load_params(path: Path = PARAMS_FILE, preset: str | None = None) -> Params:
    """Return the validated settings of `preset` (the file's own `preset` where None).

    Raises UserError with one line per wrong value: the key as written in the file, what was found, what is allowed.
    """
    content = read_params_file(path)
    chosen, differences = _differences(content, preset, path)
    del content["presets"]
    merged = _merge(content, differences) | {"preset": chosen}
    try:
        return Params.model_validate(merged)
    except ValidationError as error:
        complaints = [_complaint(dict(found), differences, chosen) for found in error.errors()]
        raise UserError("\n".join(f"{path.name}: {complaint}" for complaint in complaints)) from None


def written_key(path: Path, preset: str, key: str) -> str:
    """Return where a value stands in the file: `key` itself, or "presets.<preset>.<key>" if the preset sets it."""
    _, differences = _differences(read_params_file(path), preset, path)
    return _written(tuple(key.split(".")), differences, preset)


def parse_selection(config: Mapping[str, Any], params: Params, studies: tuple[str, ...]) -> Selection:
    """Return the narrowing asked for by Snakemake's `--config`, each value a name, a list or "a,b".

    Raises UserError for a key or a name that does not exist.
    """
    allowed: dict[str, tuple[Any, ...] | None] = {
        "studies": studies,
        # Checked when the grid is built: studies sweep over levels, subsets and widths of their own.
        "datasets": None,
        "models": None,
        "corruptions": None,
        "regularizers": None,
        "seeds": tuple(params.seeds),
    }
    chosen: dict[str, tuple[Any, ...]] = {}
    for key, value in config.items():
        if key == "preset":
            continue
        if key not in allowed:
            raise UserError(f"--config {key}: unknown key, must be one of preset, {', '.join(allowed)}")
        items = value if isinstance(value, list | tuple) else str(value).split(",")
        names = tuple(str(item).strip() for item in items)
        choices = allowed[key]
        for name in names:
            if choices is not None and name not in map(str, choices):
                raise UserError(
                    f"--config {key}: found '{name}', must be one of {', '.join(map(str, choices))} "
                    f"(preset {params.preset})"
                )
        chosen[key] = tuple(int(name) for name in names) if key == "seeds" else names
    return Selection(**chosen)


def _differences(content: Mapping[str, Any], preset: str | None, path: Path) -> tuple[str, dict[str, Any]]:
    """Return the chosen preset's name and what it changes."""
    presets = content.get("presets")
    if not isinstance(presets, dict) or not presets:
        raise UserError(f"{path}: presets: must be a mapping with at least one preset")
    chosen = content.get("preset") if preset is None else preset
    if not isinstance(chosen, str) or chosen not in presets:
        raise UserError(f"{path}: preset: found {_shown(chosen)}, must be one of {listed(presets)}")
    differences = {} if presets[chosen] is None else presets[chosen]
    if not isinstance(differences, dict):
        raise UserError(f"{path}: presets.{chosen}: must be a mapping, found {_shown(differences)}")
    if "preset" in differences:
        raise UserError(f"{path}: presets.{chosen}.preset: a preset cannot choose a preset; remove the key")
    if "data" in differences:
        raise UserError(f"{path}: presets.{chosen}.data: all presets share the data; set data at the top level")
    return chosen, differences


def _merge(base: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `differences` merged in, mapping by mapping; lists and values are replaced whole."""
    merged = dict(base)
    for key, value in differences.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _complaint(error: dict[str, Any], differences: Mapping[str, Any], preset: str) -> str:
    """Turn one of pydantic's errors into "key: found X, must be Y", with the key where the person wrote it."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, MisplacedValue):
        path, expected = tuple(cause.key.split(".")), str(cause)
    else:
        # A discriminated union puts the chosen tag (an architecture's name) into the path of what is below it.
        path = tuple(str(part) for part in error["loc"])
        if path[:1] == ("models",) and len(path) > 3:
            path = path[:2] + path[3:]
        if path and path[-1] == "[key]":
            path = path[:-1]
        if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
            path = (*path, "architecture")
        expected = _expectation(error)
    return f"{_written(path, differences, preset)}: {expected}"


def _written(path: tuple[str, ...], differences: Mapping[str, Any], preset: str) -> str:
    """Return the dotted key, below "presets.<preset>" if the preset sets it: lists are replaced as a whole."""
    place: Any = differences
    for part in path:
        if not isinstance(place, Mapping):
            break  # a list or a value, which the preset replaces as a whole
        if part not in place:
            return ".".join(path)
        place = place[part]
    return f"presets.{preset}.{'.'.join(path)}"


def _expectation(error: dict[str, Any]) -> str:
    found = _shown(error["input"])
    context = error.get("ctx", {})
    match error["type"]:
        case "missing" | "union_tag_not_found":
            return "is missing"
        case "extra_forbidden":
            return "unknown key; remove it or check its spelling"
        case "int_type" | "int_from_float":
            return f"found {found}, must be a whole number"
        case "float_type":
            hint = " (in YAML, 5e-4 is text: write 0.0005)" if isinstance(error["input"], str) else ""
            return f"found {found}, must be a number{hint}"
        case "greater_than_equal":
            return f"found {found}, must be at least {context['ge']:g}"
        case "greater_than":
            return f"found {found}, must be greater than {context['gt']:g}"
        case "less_than_equal":
            return f"found {found}, must be at most {context['le']:g}"
        case "less_than":
            return f"found {found}, must be less than {context['lt']:g}"
        case "literal_error":
            return f"found {found}, must be one of {context['expected']}"
        case "union_tag_invalid":
            return f"found {context['tag']!r}, must be one of {context['expected_tags']}"
        case "model_type" | "dict_type":
            return f"found {found}, must be a mapping of settings"
        case "finite_number":
            return f"found {found}, must be a finite number"
        case "too_short":
            return f"found {found}, must hold at least {context['min_length']}"
    message = str(error["msg"])
    return f"found {found}: {message[:1].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
