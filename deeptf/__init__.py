"""Deep Potential models on TensorFlow: train, freeze, test and use them."""

__version__ = "0.1.0"
