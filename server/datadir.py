"""The data folder: this machine's database, key file and metrics, readable by its owner alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.kernel.settings import Settings


def prepare_data_dir(settings: Settings) -> Path:
    """Make the data folder and in it a fresh folder for this start's metrics, before anything imports them.

    Raises:
        OSError: the folder cannot be made or written.
    """
    data_dir = Path(settings.data_dir).absolute()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = data_dir / "metrics"
    folder.mkdir(mode=0o700, exist_ok=True)
    for former in folder.iterdir():
        if not _is_alive(former.name):
            shutil.rmtree(former, ignore_errors=True)
    mine = folder / str(os.getpid())
    shutil.rmtree(mine, ignore_errors=True)
    mine.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(mine)
    return data_dir


def _is_alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def find_fault(settings: Settings) -> str | None:
    """Say what is wrong with the data folder; None when nothing is."""
    data_dir = Path(settings.data_dir)
    if not data_dir.exists():
        return None if os.access(data_dir.absolute().parent, os.W_OK) else "it is missing and cannot be made"
    if not data_dir.is_dir() or not os.access(data_dir, os.W_OK | os.X_OK):
        return "it is no folder that this user may write"
    if data_dir.stat().st_mode & 0o077:
        return "other users may look into it: chmod 700"
    return None
