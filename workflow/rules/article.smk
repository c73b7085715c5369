"""The article, from sources and finished results; nothing in it is executed."""

ARTICLE = "report/_site/index.html"

ARTICLE_SOURCES = sorted(
    str(path)
    for path in Path("report").rglob("*")
    if path.suffix in {".qmd", ".bib", ".scss", ".css"} and "_site" not in path.parts
) + ["report/_quarto.yml"]


rule article:
    """Render with Quarto where it is, with the pandoc preview where it is not."""
    input:
        sources=ARTICLE_SOURCES,
        results=result_files(),
        cells=rules.collect.output.cells,
    output:
        ARTICLE,
        "report/_site/index.pdf",
    log:
        f"logs/article/{PRESET}.log",
    params:
        code=fingerprint("rethinking.article.assemble", "rethinking.article.render"),
    message:
        "Render the article"
    shell:
        "rethinking article --preset {PRESET} > {log} 2>&1"
