"""One process at a time works in a run's folder."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from lsa_helpers.errors import InputError
from lsa_helpers.run import whole_file


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run's folder inside the block.

    The system gives the lock back when its process ends, however it ends; so who held it last on
    this machine is either still at work or gone for good. Who it is stands in a file beside it.

    Parameters
    ----------
    folder : Path
        The run's folder; made when missing.

    Raises
    ------
    InputError
        When another process holds it: which one, where and since when; or nothing can be written.
    """
    holder = folder / ".holder.json"
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        fix = "Wait until it has ended, or give this run a folder of its own with --out"
        raise InputError(_TAKEN, where=folder, found=_words(_read(holder)), fix=fix) from None
    except OSError as error:
        fix = "Choose another place with --out"
        raise InputError(
            "nothing can be written here", where=folder, found=error.strerror, fix=fix
        ) from None
    try:
        _refuse_other_machine(holder)
        with whole_file(holder) as part:
            part.write_text(json.dumps(_myself()), encoding="utf-8")
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)
    finally:
        lock.release()


_TAKEN = "another process works in this run's folder"


def _myself() -> dict:
    """Who holds a lock: this process."""
    since = datetime.now().astimezone().isoformat(" ", "minutes")
    return {"pid": os.getpid(), "host": platform.node(), "since": since}


def _read(holder: Path) -> dict:
    """Who held the lock last; empty when nobody did, or does not say yet."""
    try:
        return json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _words(who: dict) -> str:
    """Who holds a lock, in words."""
    return "process {pid} on {host} since {since}".format(**who) if who else "it does not say which"


def _refuse_other_machine(holder: Path) -> None:
    """Refuse a folder that a process of another machine holds: over a network its lock may not be
    seen here, and whether it is still at work cannot be known.
    """
    who = _read(holder)
    if who and who["host"] != platform.node():
        fix = f"If that process is gone, delete {holder}"
        raise InputError(_TAKEN, where=holder.parent, found=_words(who), fix=fix)
