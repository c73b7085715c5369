"""Verified originals, and their corrupted variants, as arrays on disk; nothing here imports torch."""
