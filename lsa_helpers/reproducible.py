"""Seeded, repeatable and silent torch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def reproducible(seed: int, n_jobs: int) -> Iterator[None]:
    """Seeded torch on `n_jobs` cores inside the block, the caller's state again after it;
    Lightning's notices silenced.

    On a processor results repeat to the last bit, on a GPU only to within rounding.
    """
    threads, logger = torch.get_num_threads(), logging.getLogger("lightning.pytorch")
    strict, mild = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    level, fill = logger.level, torch.utils.deterministic.fill_uninitialized_memory
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        torch.manual_seed(seed)
        torch.set_num_threads(n_jobs)
        # Sums of gradients from several cores otherwise depend on which one is first. On a GPU
        # torchvision would then compile a RoIAlign of its own anew for every size of image, which
        # takes longer than all training.
        torch.use_deterministic_algorithms(not torch.cuda.is_available(), warn_only=True)
        # Repeatable sums do not need every new array filled with NaN first, which takes a sixth of
        # a training step.
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=mild)
            torch.utils.deterministic.fill_uninitialized_memory = fill
            torch.set_num_threads(threads)
            logger.setLevel(level)
