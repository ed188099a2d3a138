"""The input pipeline compared with Keras' and PyTorch's."""
