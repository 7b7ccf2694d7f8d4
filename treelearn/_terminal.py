"""What all commands show and how they end: errors, progress, text on terminals and in pipes."""

from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["WIDTH_OF_PIPES", "console", "printable", "progress_bar", "say", "short_errors"]

WIDTH_OF_PIPES = 120


@contextmanager
def short_errors(after_interrupt=str):
    """End in one line and an exit status, not in a traceback.

    ``after_interrupt`` returns what else to say after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"treelearn: stopped by Ctrl-C.{printable(after_interrupt())}", err=True)
        raise typer.Exit(130) from None
    except BrokenPipeError:
        raise  # whoever reads has enough, as head does: click ends quietly
    except OSError as error:
        text = error.strerror or str(error)
        text = text if error.filename is None else f"{error.filename}: {text}"
    except MemoryError as error:
        text = f"Not enough memory. {error}"
    except (ValueError, ImportError) as error:
        text = str(error)
    else:
        return
    typer.echo(f"treelearn: {printable(text)}", err=True)
    raise typer.Exit(2)


@contextmanager
def progress_bar(name):
    """Yield the function to call after every fit, None where there is no terminal to draw on."""
    on = Console(stderr=True)
    if not on.is_terminal:
        yield None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("fits"),
        TimeRemainingColumn(),
        console=on,
        transient=True,
    ) as bar:
        fits = bar.add_task(printable(name), total=None)
        yield lambda n_done, n_fits: bar.update(fits, completed=n_done, total=n_fits)


def console(stderr=False):
    """Return the console of standard output or of standard error."""
    found = Console(highlight=False, markup=False, emoji=False, stderr=stderr)
    if not found.is_terminal:
        # Nothing folds lines in a file or pipe.
        found.width = max(found.width, WIDTH_OF_PIPES)
    return found


def printable(text):
    """Replace what would steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say(on, text):
    """Print text on a console."""
    on.print(printable(text), soft_wrap=not on.is_terminal)
