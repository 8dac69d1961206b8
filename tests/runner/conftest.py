"""The command line in an empty folder."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lsa_helpers.runner import cli


@dataclass
class Result:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def empty(tmp_path_factory, monkeypatch) -> Path:
    """An empty working folder, which becomes the current one."""
    folder = tmp_path_factory.mktemp("work")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def lsa(monkeypatch, capsys):
    """Function that runs the command in the empty folder."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["lsa", *arguments])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return Result(code, *capsys.readouterr())

    return run
