"""The optimizer Muon for the matrices inside a network, beside AdamW for everything else."""

from collections.abc import Callable, Iterable, Sequence

import torch

_SLOPES = (
    3.4445,
    -4.7750,
    2.0315,
)  # of the quintic x (a + b x² + c x⁴): it drives all of 0–1 to near 1 in five rounds
_ROUNDS = 5
_NARROW = 16  # fewer channels are inputs and outputs of the network


def orthogonalise(matrices: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """For each matrix the nearest one whose singular values are all alike, by Newton–Schulz
    iteration.

    Parameters
    ----------
    matrices : sequence of Tensor, each (rows, columns)
        float32.

    Returns
    -------
    list of Tensor, each (rows, columns)
        Singular vectors as before, singular values between about 0.7 and 1.2 (those that were
        nearly 0 stay smaller).

    Notes
    -----
    Source: K. Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks. All
    rounds are polynomials of the Gram matrix, so they run on that small square one and meet the
    matrix itself only at both ends: a third of the arithmetic for a convolution. Gram matrices of
    one size go through the rounds together.

    Examples
    --------
    >>> (turned,) = orthogonalise([torch.diag(torch.tensor([5.0, 1.0]))])
    >>> bool(((turned.diag() > 0.65) & (turned.diag() < 1.25)).all())
    True
    """
    turned = [torch.empty_like(each) for each in matrices]
    lying, places = (
        [each if len(each) <= each.shape[1] else each.T for each in every]
        for every in (matrices, turned)
    )
    for size in {len(each) for each in lying}:
        own = [i for i, each in enumerate(lying) if len(each) == size]
        for i, turn in zip(
            own, _rounds(torch.stack([lying[i] @ lying[i].T for i in own])), strict=True
        ):
            torch.mm(turn, lying[i], out=places[i])
    return turned


def _rounds(gram: torch.Tensor) -> torch.Tensor:
    """What all rounds together multiply matrices by, from their Gram matrices (matrices, size,
    size).
    """
    length = (
        gram.diagonal(dim1=1, dim2=2).sum(1).sqrt()[:, None, None] + 1e-7
    )  # of all values: no singular value is larger
    gram = gram / length**2
    turn = change = _round(gram)
    for _ in range(_ROUNDS - 1):
        gram = change @ gram @ change
        change = _round(gram)
        turn = change @ turn
    return turn / length


def _round(gram: torch.Tensor) -> torch.Tensor:
    change = torch.baddbmm(gram, gram, gram, beta=_SLOPES[1], alpha=_SLOPES[2])
    change.diagonal(dim1=1, dim2=2).add_(_SLOPES[0])
    return change


class MuonAdamW(torch.optim.AdamW):
    """AdamW, but that the matrices inside the network take steps of one length in all directions.

    Gradients of convolutions are dominated by few directions; making them orthogonal moves the rare
    ones as far. From random weights the detector learns in about a third of the updates so.

    Parameters
    ----------
    parameters : iterable of Parameter
        Convolutions and layers of at least 16 and at most `widest` channels get the orthogonal
        steps, with momentum 0.95; all others AdamW's.
    lr : float
        Learning rate of AdamW.
    ahead : float
        The orthogonal steps, scaled to the usual size of AdamW's, are this many times longer.
    widest : int
        The time of an orthogonal step grows with the cube of the channels: on a processor, 128 are
        the better bargain for a short training.
    weight_decay : float

    Notes
    -----
    Source: as `orthogonalise`; the size of a step is that of Liu et al. (2025), arXiv:2502.16982,
    equation 4.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        lr: float,
        *,
        ahead: float = 3.0,
        widest: int = 256,
        weight_decay: float = 0.01,
        **extra,
    ):
        every = list(parameters)
        inner = [value for value in every if _is_inner(value, widest)]
        other = [value for value in every if not _is_inner(value, widest)]
        groups = [
            {"params": other, "orthogonal": False},
            {"params": inner, "orthogonal": True, "lr": ahead * lr},
        ]
        super().__init__(
            [group for group in groups if group["params"]], lr, weight_decay=weight_decay, **extra
        )

    @torch.no_grad()
    def step(self, closure: Callable | None = None):
        """One update; Lightning's closure computes the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["orthogonal"]:
                self._turn(
                    [value for value in group["params"] if value.grad is not None],
                    group["lr"],
                    group["weight_decay"],
                )
        super().step()
        return loss

    def _turn(self, values: list[torch.nn.Parameter], rate: float, decay: float) -> None:
        ahead = []
        for value in values:
            if not self.state[value]:  # AdamW looks for a step when it is read again
                self.state[value].update(momentum=torch.zeros_like(value), step=torch.zeros(()))
            momentum = self.state[value]["momentum"].lerp_(value.grad, 0.05)
            ahead.append(_as_matrix(value.grad.lerp_(momentum, 0.95)))
            value.grad = None  # AdamW leaves parameters without a gradient alone
        for value, step in zip(values, orthogonalise(ahead), strict=True):
            value.mul_(1 - rate * decay).add_(
                _like(step, value), alpha=-rate * 0.2 * max(step.shape) ** 0.5
            )


def _is_inner(value: torch.Tensor, widest: int) -> bool:
    return (
        value.ndim >= 2
        and min(value.shape[:2]) >= _NARROW
        and min(len(value), value[0].numel()) <= widest
    )


def _as_matrix(value: torch.Tensor) -> torch.Tensor:
    """A layer's weights with one row for each output; the order of the columns does not matter, so
    that of the memory is taken.
    """
    return value.flatten(1) if value.ndim == 2 else value.permute(0, 2, 3, 1).flatten(1)


def _like(matrix: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Undoes `_as_matrix`."""
    return (
        matrix
        if value.ndim == 2
        else matrix.unflatten(1, (*value.shape[2:], value.shape[1])).permute(0, 3, 1, 2)
    )
