"""The command line: ``treelearn compare``, ``report``, ``fit``, ``predict``, ``show``, ``export``.

Results go to standard output; progress, only on a terminal, and errors to standard error.  Bad
input ends in one line and exit status 2, Ctrl-C in exit status 130.
"""

import sys
from typing import Annotated

import typer

from ._compare_command import CompareCommand, compare
from ._fit_command import fit
from ._model_commands import export, predict, show
from ._report_command import report
from ._version import __version__

__all__ = ["app", "main"]

app = typer.Typer(
    name="treelearn",
    help="Exact decision trees with every impurity.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Without frames the text has the room it needs in 80 columns.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main():
    """Run the command line and exit."""
    # Names in the data may hold characters that the terminal or pipe cannot show.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


def _print_version(is_wanted: bool):
    if is_wanted:
        typer.echo(f"treelearn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
):
    pass


app.command(cls=CompareCommand)(compare)
app.command(cls=CompareCommand)(report)
for command in (fit, predict, show, export):
    app.command()(command)
