"""What this machine has, and what of the book will not work on it or be slow."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from lsa_helpers import __version__
from lsa_helpers.runner.manifest import versions

# What a chapter of 2 million cells takes, and a run with its book leaves on the disk, with some
# room to spare, GB (10⁹ bytes).
_MEMORY_GB, _DISK_GB = 3, 2


@dataclass(frozen=True)
class Machine:
    """What counts on a machine.

    Parameters
    ----------
    cores : int
        Processor cores this process may use.
    memory_gb, disk_gb : float
        Memory not in use, and space left where runs are written, GB (10⁹ bytes).
    gpu : str
        Name and memory of the first GPU; empty: none.
    bfloat16 : bool
        Whether the hardware multiplies in bfloat16.
    torch : bool
        Whether torch is installed; without it nothing is known of GPU and bfloat16.
    git, chromium : str
        Where these programs are; empty: nowhere.
    writable : bool
        Whether runs can be written into the current folder.
    """

    cores: int
    memory_gb: float
    disk_gb: float
    gpu: str = ""
    bfloat16: bool = True
    torch: bool = True
    git: str = "git"
    chromium: str = "chromium"
    writable: bool = True


def this_machine() -> Machine:
    """What this machine has."""
    facts = _of_networks() if find_spec("torch") else {"torch": False}
    return Machine(
        cores=len(psutil.Process().cpu_affinity()) if sys.platform == "linux" else os.cpu_count(),
        memory_gb=psutil.virtual_memory().available / 1e9,
        disk_gb=shutil.disk_usage(Path()).free / 1e9,
        git=shutil.which("git") or "",
        chromium=shutil.which("chromium") or "",
        writable=os.access(Path(), os.W_OK),
        **facts,
    )


def _of_networks() -> dict:
    """What torch says about the hardware."""
    import torch

    gpu = ""
    if torch.cuda.is_available():
        found = torch.cuda.get_device_properties(0)
        gpu = f"{found.name}, {found.total_memory / 1e9:.0f} GB"
    return {"gpu": gpu, "bfloat16": _multiplies_in_bfloat16()}


def _multiplies_in_bfloat16() -> bool:
    """Whether the detector will multiply in bfloat16 here, by the function that decides it."""
    import torch

    from lsa_helpers.detect.pyramid import AutocastBF16, use_bfloat16

    class Part(AutocastBF16, torch.nn.Identity):
        """A part that does nothing."""

    return use_bfloat16(Part()).bf16


def table(machine: Machine) -> dict[str, str]:
    """What was found, by its name: versions, then the machine."""
    facts = {"lsa": __version__, "Python": sys.version.split()[0], **versions()}
    bfloat16 = "fast" if machine.bfloat16 else "emulated, so float32 is used"
    return facts | {
        "cores": str(machine.cores),
        "memory not in use": f"{machine.memory_gb:.1f} GB",
        "GPU": (machine.gpu or "none") if machine.torch else "unknown without torch",
        "bfloat16": bfloat16 if machine.torch else "unknown without torch",
        "free disk": f"{machine.disk_gb:.0f} GB",
        "git": machine.git or "not found",
        "chromium": machine.chromium or "not found",
    }


def remarks(machine: Machine) -> list[str]:
    """What will not work on a machine, or be slow, a sentence each."""
    checks = {
        "No torch: chapters 02 and 03 cannot be run and no CNN is trained; all others go on from "
        "the results of a run. requirements.lock has it.": not machine.torch,
        "Runs cannot be written into this folder: go to another one, or use --out.": (
            not machine.writable
        ),
        f"Less than {_DISK_GB} GB of disk are free: a run with its book may not fit.": (
            machine.disk_gb < _DISK_GB
        ),
        f"Less than {_MEMORY_GB} GB of memory are free: close other programs, or use `tiny`.": (
            machine.memory_gb < _MEMORY_GB
        ),
        "One core: count on about twice the times the book names, which are of two.": (
            machine.cores < 2
        ),
        "No GPU: everything runs on the processor; only `paper` is made for a GPU.": (
            machine.torch and not machine.gpu
        ),
        "No bfloat16 in the hardware: convolutions of the detector take about twice as long.": (
            not machine.bfloat16
        ),
        "No git: the manifest will not say which commit made a run.": not machine.git,
        "No chromium: the tests that open the book in a browser are skipped.": (
            not machine.chromium
        ),
    }
    return [words for words, holds in checks.items() if holds]
