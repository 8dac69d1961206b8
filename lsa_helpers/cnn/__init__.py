"""The window CNN: it looks at the cells around a cell, and maps a raster in one pass."""

from lsa_helpers.cnn.network import dense_logits, to_dense, window_network
from lsa_helpers.cnn.window import WindowCNN, pad_reflect

__all__ = [
    "WindowCNN",
    "dense_logits",
    "pad_reflect",
    "to_dense",
    "window_network",
]
