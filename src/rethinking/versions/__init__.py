"""What DVC versions: which folders, recording what is in them, and bringing them to a remote and back."""
