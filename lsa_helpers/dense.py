"""A network that looks at a window of cells, and the same network over a whole raster in one pass."""

import numpy as np
import torch
from torch import nn

from lsa_helpers.samples import pad_reflect


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
            layers += [
                nn.Conv2d(width, out, 3, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            size, width = (size - 2) // 2, out
    layers += [nn.Conv2d(width, 128, size, bias=False), nn.BatchNorm2d(128), nn.ReLU()]
    layers += [
        nn.Conv2d(128, 64, 1),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(64, 1, 1),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers)


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
        the window with corner (i, j).

    Notes
    -----
    **Source**: Giusti et al. 2013, Fast image scanning with deep max-pooling networks,
    doi:10.1109/ICIP.2013.6738831.
    """
    layers, step = [], 1
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            conv = nn.Conv2d(
                layer.in_channels, layer.out_channels, layer.kernel_size, dilation=step
            )
            conv.weight.data = layer.weight.data.clone()
            conv.bias.data = (
                torch.zeros(layer.out_channels) if layer.bias is None else layer.bias.data.clone()
            )
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
    encoded: np.ndarray,
    window: int,
    *,
    device: str = "cpu",
    block_cells: int = 1 << 17,
    padded: bool = False,
    bf16: bool = False,
) -> np.ndarray:
    """Evaluate a window network at every cell of a raster; the border is mirrored.

    Parameters
    ----------
    network : nn.Sequential
        From `window_network`, trained.
    encoded : ndarray, shape (channels, height, width)
        Coded factors without NaN.
    window : int
        Edge of the network's window in cells.
    device : str
    block_cells : int
        Cells computed at once, in blocks of whole rows with a halo: bounds the memory to about 1 kB
        a cell.
    padded : bool
        Whether `encoded` already has half a window more on every side, which then gets no logits.
    bf16 : bool
        Multiply in bfloat16, two bytes a number instead of four: faster where the hardware does so,
        but no longer equal.

    Returns
    -------
    ndarray, shape (height, width)
        float32 logits, equal to those of the windows one by one.
    """
    wide = encoded if padded else pad_reflect(encoded, window)
    height, width = wide.shape[1] - window + 1, wide.shape[2] - window + 1
    rows = max(1, block_cells // width)
    out = np.empty((height, width), dtype=np.float32)
    number = torch.bfloat16 if bf16 else torch.float32
    dense = to_dense(network).to(device, number, memory_format=torch.channels_last)
    with torch.inference_mode():
        for top in range(0, height, rows):
            part = torch.from_numpy(
                np.ascontiguousarray(wide[None, :, top : min(top + rows, height) + window - 1])
            )
            part = part.to(device, number).contiguous(memory_format=torch.channels_last)
            count = min(rows, height - top)
            out[top : top + count] = dense(part)[0, 0, :count, :width].float().cpu().numpy()
    return out
