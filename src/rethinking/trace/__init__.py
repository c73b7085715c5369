"""Where a result comes from, in plain words."""
