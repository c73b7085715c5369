"""Handing results on: the article to its readers, a list of outputs and a comparison to those who check them."""
