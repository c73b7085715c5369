"""The randomisation study's figures, one a file: its points, and how they are drawn; the paper's curves behind ours."""
