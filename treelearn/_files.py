"""Files that are written whole or not at all, and replaced only when somebody says so."""

import os
import tempfile
from pathlib import Path

__all__ = ["check_apart", "check_writable", "write_whole"]


def check_writable(path, force, option="--out"):
    """Refuse a file that could not be written, before any work is done.

    Parameters
    ----------
    path : path
        Where the file is to be.
    force : bool
        Whether it may replace one.
    option : str, default="--out"
        What the message calls the path.

    Raises
    ------
    ValueError
        If there is a folder or, without ``force``, a file of that name, or no writable folder
        to put it in.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{option} {path} is a folder.")
    if path.exists() and not path.is_file():
        raise ValueError(f"{option} {path} is no ordinary file.")
    if os.path.lexists(path) and not force:
        raise ValueError(_taken(path, option))
    folder = path.resolve().parent
    if not folder.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {path.parent}.")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(f"{option} {path}: cannot write there ({error.strerror}).") from error


def check_apart(path, option, *sources):
    """Refuse, whatever --force says, to write over what is being read."""
    for source in sources:
        if source is not None and path.resolve() == Path(source).resolve():
            raise ValueError(f"{option} {path} is what is read: it would be lost.")


def write_whole(path, content, force, option="--out"):
    """Write a file whole or not at all: beside its place first, then moved there.

    Parameters
    ----------
    path : path
        Where the file is to be; a link is followed, so that its file is replaced.
    content : str or bytes
        Text is written as UTF-8.
    force : bool
        Whether it may replace a file.
    option : str, default="--out"
        What messages call the path.

    Raises
    ------
    ValueError
        As `check_writable` raises it.
    OSError
        If writing fails; what was there before is still there.
    """
    check_writable(path, force, option)
    if isinstance(content, str):
        content = content.encode("utf-8")
    path = Path(path).resolve()
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    handle, partial = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is for its owner alone; this one is to be like any other.
        os.chmod(partial, _usual_mode() if mode is None else mode)
        if force:
            os.replace(partial, path)
        else:
            _move_where_nothing_is(partial, path, option)
    except BaseException as error:
        Path(partial).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say of which file
        raise
    _sync_folder(path.parent)


def _taken(path, option):
    how = "--force" if option.startswith("--") else "force=True"
    return f"{option} {path} exists; {how} replaces it."


def _usual_mode():
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _move_where_nothing_is(partial, path, option):
    """Move a file to a name that must still be free: somebody else may have just taken it."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise ValueError(_taken(path, option)) from None
    except OSError:  # a file system without links
        os.replace(partial, path)
    else:
        os.unlink(partial)


def _sync_folder(folder):
    """Make the new name outlast a loss of power, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # a file system that cannot
        pass
    finally:
        os.close(handle)
