"""Training: options, learning rates, the loop, checkpoints and reports."""
