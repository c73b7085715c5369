"""From runs to tidy results, and from these to tables, figures and claims. Nothing here loads torch."""

from rethinking.studies.registry import STUDIES


rule collect:
    """One line a cell, one line a cell and epoch. Runs outside a narrowed selection are kept."""
    input:
        [
            run_file(cell, name)
            for cell in PLAN.cells
            for name in ("metrics.json", "history.csv")
        ],
    output:
        cells=f"{RESULTS}/cells.csv",
        histories=f"{RESULTS}/histories.csv",
    log:
        f"logs/results/{PRESET}/collect.log",
    params:
        code=fingerprint("rethinking.results.frame"),
        recipes=[PLAN.params.recipe(cell).digest() for cell in PLAN.all_cells],
        settings=PLAN.params.results.model_dump_json(),
    message:
        "Collect {PRESET}"
    shell:
        "rethinking collect --preset {PRESET} > {log} 2>&1"


def study_params(wildcards) -> str:
    """Return the settings that a study's tables and figures read beside the results."""
    return PLAN.params.studies.model_dump_json(include={wildcards.study})


rule table:
    """One table, as CSV and as the article's Markdown."""
    input:
        rules.collect.output,
    output:
        f"{RESULTS}/tables/{{study}}-{{name}}.csv",
        f"{RESULTS}/tables/{{study}}-{{name}}.md",
    log:
        f"logs/results/{PRESET}/tables/{{study}}-{{name}}.log",
    wildcard_constraints:
        name="(?!claims$).+",
    params:
        code=lambda wildcards: fingerprint(
            STUDIES[wildcards.study].module_name("tables")
        ),
        study=study_params,
    message:
        "Table {wildcards.study}-{wildcards.name}"
    shell:
        "rethinking table {wildcards.study} {wildcards.name} --preset {PRESET} > {log} 2>&1"


rule figure:
    """One figure, as SVG."""
    input:
        rules.collect.output,
    output:
        f"{RESULTS}/figures/{{study}}-{{name}}.svg",
    log:
        f"logs/results/{PRESET}/figures/{{study}}-{{name}}.log",
    params:
        code=lambda wildcards: fingerprint(
            STUDIES[wildcards.study].module_name("figures")
        ),
        study=study_params,
    message:
        "Figure {wildcards.study}-{wildcards.name}"
    shell:
        "rethinking figure {wildcards.study} {wildcards.name} --preset {PRESET} > {log} 2>&1"


rule summary:
    """Headline numbers and judged claims of all studies."""
    input:
        rules.collect.output,
    output:
        f"{RESULTS}/metrics.json",
        f"{RESULTS}/claims.json",
        expand(
            f"{RESULTS}/tables/{{study}}-claims.{{ending}}",
            study=list(STUDIES),
            ending=["md", "csv"],
        ),
    log:
        f"logs/results/{PRESET}/summary.log",
    params:
        code=fingerprint(
            "rethinking.results.summary",
            *(
                study.module_name(part)
                for study in STUDIES.values()
                for part in ("tables", "claims")
            ),
        ),
        studies=PLAN.params.studies.model_dump_json(),
    message:
        "Judge claims"
    shell:
        "rethinking summary --preset {PRESET} > {log} 2>&1"
