"""The networks and the training step, beside PyTorch, MONAI or another commit of ours."""
