"""Verified originals, and one variant for each corruption."""

from rethinking.data.sources import MIRROR_VARIABLE
from rethinking.data.variants import ARRAYS, changed_arrays


# Where the mirror is has no say in what is fetched: the checksums have. So it is no parameter of the rule.
envvars:
    *([MIRROR_VARIABLE] if os.environ.get(MIRROR_VARIABLE) else []),


rule fetch:
    """Fetch, verify and unpack a data set's original files."""
    output:
        manifest="data/{dataset}/true/manifest.json",
        arrays=expand("data/{{dataset}}/true/{array}.npy", array=ARRAYS),
    log:
        "logs/data/{dataset}/true.log",
    params:
        code=fingerprint("rethinking.data.sources"),
    message:
        "Fetch {wildcards.dataset}"
    shell:
        "rethinking fetch {wildcards.dataset} --preset {PRESET} > {log} 2>&1"


def variant_rule_input(wildcards):
    folder = f"data/{wildcards.dataset}/true"
    return [f"{folder}/manifest.json", *(f"{folder}/{array}.npy" for array in ARRAYS)]


rule corrupt_labels:
    """Replace training labels; images are those of the originals."""
    input:
        variant_rule_input,
    output:
        manifest="data/{dataset}/{corruption}/manifest.json",
        arrays=expand(
            "data/{{dataset}}/{{corruption}}/{array}.npy",
            array=changed_arrays("random-labels"),
        ),
    log:
        "logs/data/{dataset}/{corruption}.log",
    wildcard_constraints:
        corruption=r"labels-p\d\d|random-labels",
    params:
        code=fingerprint("rethinking.data.variants"),
        seed=PLAN.params.data.corruption_seed,
    message:
        "Make {wildcards.dataset}/{wildcards.corruption}"
    shell:
        "rethinking corrupt {wildcards.dataset} {wildcards.corruption} --preset {PRESET} > {log} 2>&1"


use rule corrupt_labels as corrupt_images with:
    output:
        manifest="data/{dataset}/{corruption}/manifest.json",
        arrays=expand(
            "data/{{dataset}}/{{corruption}}/{array}.npy",
            array=changed_arrays("gaussian"),
        ),
    wildcard_constraints:
        corruption="shuffled-pixels|random-pixels|gaussian",


def variant_files(wildcards) -> list[str]:
    """Return the files that a variant consists of: its manifest and the arrays it shares or has of its own."""
    own, true = (
        f"data/{wildcards.dataset}/{wildcards.corruption}",
        f"data/{wildcards.dataset}/true",
    )
    changed = (
        ARRAYS
        if wildcards.corruption == "true"
        else changed_arrays(wildcards.corruption)
    )
    return [
        f"{own}/manifest.json",
        *(f"{own if array in changed else true}/{array}.npy" for array in ARRAYS),
    ]
