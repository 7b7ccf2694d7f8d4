"""What the commands say on a terminal or in a pipe, and how they end."""

from contextlib import contextmanager

import typer
from rich.console import Console

__all__ = ["new_console", "printable", "say", "short_errors"]

_WIDTH_OF_PIPES = 120


@contextmanager
def short_errors():
    """End in one line and an exit status, not in a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("treelearn: stopped by Ctrl-C.", err=True)
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


def new_console(stderr=False):
    """Return a console that shows text as it is."""
    console = Console(highlight=False, markup=False, emoji=False, stderr=stderr)
    if not console.is_terminal:
        # Nothing folds lines in a file or pipe.
        console.width = max(console.width, _WIDTH_OF_PIPES)
    return console


def printable(text):
    """Replace what would steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say(console, text):
    """Print lines, folded on a terminal only."""
    console.print(printable(text), soft_wrap=not console.is_terminal)
