"""The networks and the training step, compared with PyTorch, MONAI or another commit."""
