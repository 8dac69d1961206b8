"""Muon against singular values and against torch's own."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.detect.muon import MuonAdamW, orthogonalise


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31), st.floats(1e-3, 1e3))
def test_orthogonalised_keeps_the_directions_and_evens_the_lengths(rows, columns, seed, size):
    """U and V of the singular value decomposition stay, the values of all that is not tiny come
    near 1, whatever the matrix's size.
    """
    rng = np.random.default_rng(seed)
    k = min(rows, columns)
    u, v = (np.linalg.qr(rng.standard_normal((edge, k)))[0] for edge in (rows, columns))
    matrix = torch.tensor(u * (size * rng.uniform(0.2, 1, k)) @ v.T, dtype=torch.float32)
    out, again = (each.numpy() for each in orthogonalise([matrix, torch.eye(7), matrix])[::2])
    assert np.allclose(out, again, atol=1e-5)  # what else goes along does not matter
    inner = u.T @ out @ v
    assert out.shape == (rows, columns)
    assert np.allclose(inner, np.diag(np.diag(inner)), atol=1e-3)
    assert ((np.diag(inner) > 0.6) & (np.diag(inner) < 1.25)).all()


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (64, 576)])
@pytest.mark.known_by("torch.optim", "Muon")
def test_steps_equal_those_of_torch(shape):
    """Ten updates of a matrix as torch.optim.Muon makes them (in bfloat16, so within its
    precision), weight decay included.
    """
    torch.manual_seed(0)
    ours, theirs = (
        torch.nn.Parameter(torch.linspace(-1, 1, shape[0] * shape[1]).reshape(shape).clone())
        for _ in range(2)
    )
    first = MuonAdamW([ours], 1e-3, ahead=3.0, weight_decay=0.1)
    second = torch.optim.Muon(
        [theirs],
        3e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        adjust_lr_fn="match_rms_adamw",
    )
    start = ours.detach().clone()
    for _ in range(10):
        gradient = torch.randn(shape)
        for value, optimizer in ((ours, first), (theirs, second)):
            value.grad = gradient.clone()
            optimizer.step()
    assert (ours - start).norm() > 0.05
    assert (ours - theirs).norm() < 0.03 * (theirs - start).norm()


def test_a_convolution_is_stepped_as_its_matrix():
    """In either order of memory a convolution moves as the matrix with one row for each output."""
    torch.manual_seed(0)
    weight, gradient = torch.randn(24, 16, 3, 3), torch.randn(24, 16, 3, 3)
    moved = []
    for order in (torch.contiguous_format, torch.channels_last):
        value = torch.nn.Parameter(weight.clone(memory_format=order))
        value.grad = gradient.clone(memory_format=order)
        MuonAdamW([value], 1e-3, weight_decay=0).step()
        moved.append(value.detach() - weight)
    matrix = torch.nn.Parameter(weight.flatten(1).clone())
    matrix.grad = gradient.flatten(1).clone()
    MuonAdamW([matrix], 1e-3, weight_decay=0).step()
    expected = (matrix.detach() - weight.flatten(1)).view_as(weight)
    assert all(torch.allclose(each, expected, atol=1e-6) for each in moved)


def test_inputs_outputs_vectors_and_the_widest_are_left_to_adamw():
    """First filters, output layers, biases, and matrices too wide to be worth it move exactly as
    with AdamW.
    """
    torch.manual_seed(0)
    for shape in ((64, 3, 7, 7), (2, 256), (64,), (512, 512, 3, 3)):
        ours, theirs = torch.nn.Parameter(torch.ones(shape)), torch.nn.Parameter(torch.ones(shape))
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        MuonAdamW([ours], 1e-3, weight_decay=0.05).step()
        torch.optim.AdamW([theirs], 1e-3, weight_decay=0.05).step()
        assert torch.equal(ours, theirs) and not torch.equal(ours, torch.ones(shape))


def test_state_read_back_goes_on_alike():
    """What was saved after three steps goes on as if nothing had happened; a closure's loss is
    returned.
    """
    torch.manual_seed(0)
    start, gradients = torch.randn(32, 32), torch.randn(6, 32, 32)

    def go(value, optimizer, rows):
        for gradient in rows:
            value.grad = gradient.clone()
            optimizer.step()

    whole = torch.nn.Parameter(start.clone())
    go(whole, MuonAdamW([whole], 1e-2), gradients)
    first = torch.nn.Parameter(start.clone())
    saved = MuonAdamW([first], 1e-2)
    go(first, saved, gradients[:3])
    again = torch.nn.Parameter(first.detach().clone())
    other = MuonAdamW([again], 1e-2)
    other.load_state_dict(saved.state_dict())
    go(again, other, gradients[3:])
    assert torch.equal(again, whole)
    assert other.step(lambda: torch.tensor(4.0)) == 4
