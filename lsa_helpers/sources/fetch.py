"""Fetch a public data set when the user asks for it; nothing is ever downloaded otherwise."""

from pathlib import Path
from zipfile import BadZipFile

from lsa_helpers.errors import InputError


def fetch(address: str, folder: Path, sha256: str | None = None) -> list[Path]:
    """Download one file, check its hash, and unpack it if it is a zip archive.

    Parameters
    ----------
    address : str
        A web address, or ``doi:…/file`` of a file on Zenodo or figshare, as pooch reads it.
    folder : Path
        Where the file, or what is in the archive, is put.
    sha256 : str, optional
        The hash the file must have; without it the file is taken as it comes.

    Returns
    -------
    list of Path
        The files that are there now.

    Raises
    ------
    InputError
        When there is no connection, no such file, or the hash differs (the bad file is not kept).
    """
    import pooch
    import requests

    name = address.rstrip("/").rsplit("/", 1)[-1]
    unpack = pooch.Unzip(extract_dir=".") if name.lower().endswith(".zip") else None
    try:
        paths = pooch.retrieve(address, sha256, fname=name, path=folder, processor=unpack)
    except requests.exceptions.RequestException as error:
        what = "the file cannot be downloaded"
        fix = "Check the address and the connection"
        raise InputError(what, where=address, found=error, fix=fix) from None
    except BadZipFile as error:
        what = "the archive is damaged"
        fix = "Delete it and fetch it again"
        raise InputError(what, where=folder / name, found=error, fix=fix) from None
    except ValueError as error:
        what = "the file is not the one expected"
        fix = "Check the address and the hash"
        raise InputError(what, where=address, found=error, fix=fix) from None
    if unpack is None:
        return [Path(paths)]
    return sorted(Path(path) for path in paths if Path(path).name != name)
