"""Experiments: what a study does beyond training cells, on the networks these leave or on data alone.

An experiment leaves one tidy table, its record, and networks of its own where another one goes on from them.
"""
