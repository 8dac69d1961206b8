"""The network of the window CNN, and the same network over a whole raster in one pass."""

import numpy as np
import torch
from torch import nn

#: Edge in cells of the squares that a dense network computes at once: what lies between its layers
#: then fits into a processor's caches, which is 1.5 times as fast as blocks of 131 thousand cells.
TILE = 192


def window_network(channels: int, window: int, dropout: float = 0.3) -> nn.Sequential:
    """Build the network that turns one window into one logit.

    Valid convolutions only: 3×3-32, pool, 3×3-64, pool, one over the whole rest-128, each with
    BatchNorm and a ReLU of its own, then 1×1-64 and 1×1-1. Steps that no longer fit into a small
    window are left out; window 1 sees the cell alone.

    Parameters
    ----------
    channels : int
        Coded columns.
    window : int
        Edge of the window in cells, odd.
    dropout : float

    Returns
    -------
    nn.Sequential
        (n, channels, window, window) → (n, 1) logits.

    Notes
    -----
    **Source**: this project's own choice; the paper's text on its network is not available (see the
    assumption register).
    """
    layers, size, width = [], window, channels
    for out in (32, 64):
        if size >= 4:
            layers += [nn.Conv2d(width, out, 3, bias=False), nn.BatchNorm2d(out)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            size, width = (size - 2) // 2, out
    layers += [nn.Conv2d(width, 128, size, bias=False), nn.BatchNorm2d(128), nn.ReLU()]
    layers += [nn.Conv2d(128, 64, 1), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(64, 1, 1)]
    return nn.Sequential(*layers, nn.Flatten())


def to_dense(network: nn.Sequential) -> nn.Sequential:
    """Rewrite a window network so that it gives the logit of every window of a raster at once.

    Every pooling of stride s becomes stride 1, and all later layers are dilated by s; BatchNorm is
    folded into the convolution before it. Weights are those of `network` in evaluation mode.

    Parameters
    ----------
    network : nn.Sequential
        Of Conv2d (valid), BatchNorm2d, ReLU, MaxPool2d, Dropout and a last Flatten.

    Returns
    -------
    nn.Sequential
        (n, channels, rows, columns) → (n, 1, rows', columns'): the value at (i, j) is the logit of
        the window with corner (i, j). Channels of zeros are added up to a multiple of 8, with
        weights of zero, because processors multiply in eights.

    Notes
    -----
    **Source**: Giusti et al. 2013, Fast image scanning with deep max-pooling networks,
    doi:10.1109/ICIP.2013.6738831.
    """
    layers, step = [], 1
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            spare = 0 if layers else -layer.in_channels % 8
            width, out = layer.in_channels + spare, layer.out_channels
            conv = nn.Conv2d(width, out, layer.kernel_size, dilation=step)
            conv.weight.data = nn.functional.pad(layer.weight.data, (0, 0, 0, 0, 0, spare))
            conv.bias.data = torch.zeros(out) if layer.bias is None else layer.bias.data.clone()
            layers.append(conv)
        elif isinstance(layer, nn.BatchNorm2d):
            layers[-1] = nn.utils.fusion.fuse_conv_bn_eval(layers[-1].eval(), layer.eval())
        elif isinstance(layer, nn.ReLU):
            layers.append(nn.ReLU(inplace=True))
        elif isinstance(layer, nn.MaxPool2d):
            layers.append(nn.MaxPool2d(layer.kernel_size, stride=1, dilation=step))
            step *= layer.stride
    return nn.Sequential(*layers).eval()


def dense_logits(
    network: nn.Sequential,
    coded: np.ndarray,
    window: int,
    *,
    tile: int = TILE,
    bf16: bool = False,
) -> np.ndarray:
    """Evaluate a window network at every cell of a raster.

    Parameters
    ----------
    network : nn.Sequential
        From `window_network`, trained.
    coded : ndarray of float32, shape (height + window − 1, width + window − 1, channels)
        Coded factors without NaN, half a window more on every side than cells are wanted.
    window : int
        Edge of the network's window in cells.
    tile : int
        Edge of the squares computed at once, cells; bounds the memory.
    bf16 : bool
        Multiply in bfloat16, two bytes a number instead of four: faster where the hardware does so,
        but no longer equal.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Logits, equal to those of the windows one by one.
    """
    height, width = coded.shape[0] - window + 1, coded.shape[1] - window + 1
    out = np.empty((height, width), np.float32)
    number = torch.bfloat16 if bf16 else torch.float32
    dense = to_dense(network).to(device(), number, memory_format=torch.channels_last)
    with torch.inference_mode():
        for top in range(0, height, tile):
            for left in range(0, width, tile):
                part = coded[top : top + tile + window - 1, left : left + tile + window - 1]
                spare = dense[0].in_channels - part.shape[2]
                part = np.pad(part, ((0, 0), (0, 0), (0, spare)))
                # Rows, columns, channels is what torch calls channels last: nothing is moved.
                part = torch.from_numpy(part).permute(2, 0, 1)[None].to(device(), number)
                here = out[top : top + tile, left : left + tile]
                logits = dense(part)[0, 0, : here.shape[0], : here.shape[1]]
                here[:] = logits.float().cpu().numpy()
    return out


def device() -> str:
    """The device networks run on."""
    return "cuda" if torch.cuda.is_available() else "cpu"
