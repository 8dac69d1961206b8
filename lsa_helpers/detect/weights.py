"""First weights of the backbone: a local file, or torchvision's by their name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsa_helpers.detect.images import RGB
from lsa_helpers.errors import InputError, did_you_mean

if TYPE_CHECKING:  # the runner asks for the name only, without torch
    import torch


def is_weights_name(text: str) -> bool:
    """Whether the parameter `weights` is a name of torchvision, which is downloaded, and no local
    file.

    Examples
    --------
    >>> names = ("IMAGENET1K_V1", "ResNet18_Weights.IMAGENET1K_V1", "resnet18.pth", "weights/A", "")
    >>> [is_weights_name(text) for text in names]
    [True, True, False, False, False]
    """
    return re.fullmatch(r"ResNet\d+_Weights\.\w+|[A-Z][A-Z0-9_]*", text) is not None


def prepare_backbone(
    body: torch.nn.Module, name: str, bands: Sequence[str], weights: Path | str | None = None
) -> None:
    """Let a ResNet see other bands than red, green and blue, and fill it with given weights.

    Parameters
    ----------
    body : torchvision ResNet
        Changed in place.
    name : str
        torchvision's name of the network.
    bands : sequence of str
        First filters of given weights, learned on red, green and blue, stay with these bands;
        others get the mean of the three. All are scaled, so that sums stay as large.
    weights : Path or str, optional
        State dict of a torchvision ResNet on this machine (.safetensors or .pth); or its name, such
        as ``IMAGENET1K_V1`` or ``ResNet18_Weights.IMAGENET1K_V1``, which is downloaded. Without
        them the weights stay random.

    Raises
    ------
    InputError
        When the weights do not fit, their name is unknown, or they cannot be downloaded.
    """
    from torch import nn

    if tuple(bands) != RGB:
        body.conv1 = nn.Conv2d(len(bands), body.conv1.out_channels, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(body.conv1.weight, mode="fan_out", nonlinearity="relu")
    if weights:
        _load(body, weights, name, bands)


def _load(body: torch.nn.Module, weights: Path | str, backbone: str, bands: Sequence[str]) -> None:
    try:
        state = _read_state(weights, backbone)
        if tuple(bands) != RGB:
            state["conv1.weight"] = _first_filters(state["conv1.weight"], bands)
        state = {name: value for name, value in state.items() if not name.startswith("fc.")}
        missing, _ = body.load_state_dict(state, strict=False)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "the backbone weights cannot be used", where=weights, found=str(error).splitlines()[0]
        ) from None
    if absent := [name for name in missing if not name.startswith("fc.")]:
        raise InputError(
            "weights of the backbone are missing",
            where=weights,
            found=f"{len(absent)} absent, first {absent[0]}",
        )


def _read_state(weights: Path | str, backbone: str) -> dict[str, torch.Tensor]:
    import torch
    from safetensors.torch import load_file

    if is_weights_name(str(weights)):
        return _download(str(weights), backbone)
    if Path(weights).suffix == ".safetensors":
        return load_file(weights)
    return torch.load(weights, weights_only=True, map_location="cpu")


def _download(name: str, backbone: str) -> dict[str, torch.Tensor]:
    """State dict of a ResNet by its name in torchvision, with or without the class; kept in torch's
    cache.
    """
    import torch
    from torchvision.models import get_model_weights

    known = get_model_weights(backbone)
    owner, _, member = name.rpartition(".")
    if member not in known.__members__ or owner not in ("", known.__name__):
        raise InputError(
            f"torchvision has no such weights for {backbone}",
            where="parameter weights",
            found=name,
            fix=f"{did_you_mean(member, known.__members__)} Or give the path of a local file",
        )
    url = known[member].url
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # no network, a proxy's page instead of the file, a full disk
        raise InputError(
            f"the weights {name} cannot be downloaded",
            where="parameter weights",
            found=" ".join(str(error).split()),
            fix=f"Download {url} on another machine and give the file's path as `weights`, "
            "or leave it empty",
        ) from None


def _first_filters(filters: torch.Tensor, bands: Sequence[str]) -> torch.Tensor:
    """First filters (channels, 3, rows, columns) of red, green and blue for other bands."""
    import torch

    mean = filters.mean(dim=1)
    of_bands = [filters[:, RGB.index(name)] if name in RGB else mean for name in bands]
    return torch.stack(of_bands, dim=1) * (3 / len(bands))
