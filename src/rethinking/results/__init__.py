"""What the studies share between a run and the article. Nothing here imports torch."""
