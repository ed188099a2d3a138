"""The input pipeline beside Keras' and PyTorch's."""
