"""The optimizer Muon for the matrices inside a network, beside AdamW for everything else.

`torch.optim.Muon` takes matrices only and orthogonalises them one by one. Here convolutions are
stepped as matrices, those of one size together, in one optimizer with AdamW for the rest.
"""

from collections.abc import Callable, Iterable, Sequence

import torch

# Slopes a, b, c of the quintic x (a + b x² + c x⁴): it drives all of 0–1 to near 1 in five rounds.
_SLOPES = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_MOMENTUM = 0.95
_MIN_CHANNELS = 16  # fewer are inputs and outputs of the network


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
    wide = [matrix if len(matrix) <= matrix.shape[1] else matrix.T for matrix in matrices]
    results = [torch.empty_like(matrix) for matrix in matrices]
    for size in {len(matrix) for matrix in wide}:
        places = [i for i, matrix in enumerate(wide) if len(matrix) == size]
        turns = _newton_schulz(torch.stack([wide[i] @ wide[i].T for i in places]))
        for i, turn in zip(places, turns, strict=True):
            result = results[i] if wide[i] is matrices[i] else results[i].T
            torch.mm(turn, wide[i], out=result)
    return results


def _newton_schulz(gram: torch.Tensor) -> torch.Tensor:
    """What all rounds together multiply matrices by, from their Gram matrices (matrices, size,
    size).
    """
    # The length of all singular values: none is larger.
    length = gram.diagonal(dim1=1, dim2=2).sum(1).sqrt()[:, None, None] + 1e-7
    gram = gram / length**2
    change = _round(gram)
    turn = change
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
    """AdamW, but that the matrices inside the network take steps of one length in all directions,
    as `torch.optim.Muon` makes them.

    Gradients of convolutions are dominated by few directions; making them orthogonal moves the rare
    ones as far. From random weights the detector learns in about a third of the updates so.

    Parameters
    ----------
    parameters : iterable of Parameter
        Convolutions and layers of at least 16 and at most `max_channels` channels get orthogonal
        steps, with momentum 0.95; all others AdamW's.
    lr : float
        Learning rate of AdamW.
    ahead : float
        The orthogonal steps, scaled to the usual size of AdamW's, are this many times longer.
    max_channels : int
        The time of an orthogonal step grows with the cube of the channels: on a processor, 128 are
        the better bargain for a short training.
    weight_decay : float
    **options
        As in `torch.optim.AdamW`.

    Notes
    -----
    A step of W (n × m) is −lr · ahead · 0.2 √max(n, m) · O(G), with O from `orthogonalise` and G
    the gradient with Nesterov's momentum.

    Source: as `orthogonalise`; the size of a step is that of Liu et al. (2025), arXiv:2502.16982,
    equation 4.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        lr: float,
        *,
        ahead: float = 3.0,
        max_channels: int = 256,
        weight_decay: float = 0.01,
        **options,
    ):
        groups = {False: [], True: []}
        for value in parameters:
            groups[_is_inner(value, max_channels)].append(value)
        super().__init__(
            [
                {"params": values, "orthogonal": inner, "lr": ahead * lr if inner else lr}
                for inner, values in groups.items()
                if values
            ],
            lr,
            weight_decay=weight_decay,
            **options,
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
                self._step_orthogonal(group)
        super().step()
        return loss

    def _step_orthogonal(self, group: dict) -> None:
        values = [value for value in group["params"] if value.grad is not None]
        gradients = []
        for value in values:
            state = self.state[value]
            if not state:  # AdamW looks for a step when a state is read again
                state.update(momentum=torch.zeros_like(value), step=torch.zeros(()))
            momentum = state["momentum"].lerp_(value.grad, 1 - _MOMENTUM)
            gradients.append(_as_matrix(value.grad.lerp_(momentum, _MOMENTUM)))
            value.grad = None  # AdamW leaves parameters without a gradient alone
        for value, step in zip(values, orthogonalise(gradients), strict=True):
            size = 0.2 * max(step.shape) ** 0.5
            value.mul_(1 - group["lr"] * group["weight_decay"])
            value.add_(_as_weights(step, value), alpha=-group["lr"] * size)


def _is_inner(value: torch.Tensor, max_channels: int) -> bool:
    """Whether a parameter is a matrix inside the network, neither too narrow nor too wide."""
    if value.ndim < 2 or min(value.shape[:2]) < _MIN_CHANNELS:
        return False
    return min(len(value), value[0].numel()) <= max_channels


def _as_matrix(value: torch.Tensor) -> torch.Tensor:
    """A layer's weights with one row for each output; the order of the columns does not matter, so
    that of the memory is taken.
    """
    return value.flatten(1) if value.ndim == 2 else value.permute(0, 2, 3, 1).flatten(1)


def _as_weights(matrix: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Undoes `_as_matrix`."""
    if like.ndim == 2:
        return matrix
    return matrix.unflatten(1, (*like.shape[2:], like.shape[1])).permute(0, 3, 1, 2)
