"""Studies: one question each, with its experiment, tables, figures, numbers, claims and article section.

A study is a folder here. Its `__init__` says what it makes; `experiment.py` which cells it needs; `tables.py`,
`figures.py` and `claims.py` turn results into what the article shows and never import torch. A study never imports
another study. To add one: its folder, its line in `registry.py`, its params section, its article section.
"""
