"""The Dask cluster a computation may be given to."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from lsa_helpers.errors import InputError


@contextmanager
def connect(scheduler: str, n_jobs: int = 1) -> Iterator["distributed.Client"]:  # noqa: F821
    """The client of a Dask scheduler, the default of everything computed inside the ``with`` block.

    Parameters
    ----------
    scheduler : str
        Address, such as ``tcp://10.0.0.5:8786``; its workers have this package and see the same
        files. "local": a cluster of processes of this machine, as long as the block lasts.
    n_jobs : int
        Processes of the local cluster.

    Raises
    ------
    InputError
        When the scheduler does not answer.
    """
    from distributed import Client, LocalCluster

    here = {"n_workers": n_jobs, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**here) if scheduler == "local" else nullcontext(scheduler) as cluster:
        try:
            client = Client(cluster, timeout=10)
        except (OSError, ValueError) as error:
            fix = (
                "Start one with `dask scheduler` and `dask worker ADDRESS`, or leave the option out"
            )
            raise InputError(
                "the Dask scheduler does not answer", where=scheduler, found=error, fix=fix
            ) from None
        with client:
            yield client
