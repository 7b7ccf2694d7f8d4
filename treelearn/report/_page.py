"""The page itself: facts as JSON, style and scripts in one file without any address in it."""

import base64
import hashlib
import html
import json
import platform
from importlib.resources import files

import numpy
import scipy
import sklearn

from .._version import __version__

__all__ = ["render_page", "repeat_facts"]

_SCRIPTS = ("charts.js", "tree.js", "page.js")
# What ends a script or begins a comment within one, and what older scripts take for line ends.
_ESCAPES = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def repeat_facts(command, *, seed, data_hash, source):
    """Return how to repeat what the page shows.

    Parameters
    ----------
    command : str
        The command line.
    seed : int
        The seed.
    data_hash : str
        SHA-256 of features and target as they were compared.
    source : str
        Name of the table.

    Returns
    -------
    dict
        With the versions of what decides the numbers.
    """
    versions = {
        "treelearn": __version__,
        "Python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
    return {
        "command": command,
        "seed": seed,
        "data_hash": data_hash,
        "source": source,
        "versions": versions,
    }


def as_json(facts):
    """Return facts as JSON that is safe inside a script element."""
    text = json.dumps(facts, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.translate(str.maketrans(_ESCAPES))


def render_page(facts):
    """Return the page.

    Parameters
    ----------
    facts : dict
        What the scripts draw; ``title`` is the page's name.

    Returns
    -------
    str
        HTML.  Its policy lets only its own style and scripts run, and nothing be loaded.
    """
    folder = files(__package__)
    style = folder.joinpath("page.css").read_text(encoding="utf-8")
    scripts = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    scripts = f'"use strict";\n(() => {{\n{scripts}\n}})();\n'
    parts = {
        "POLICY": f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(scripts)}",
        "TITLE": html.escape(facts["title"]),
        "STYLE": style,
        "FACTS": as_json(facts),
        "SCRIPT": scripts,
    }
    page = folder.joinpath("page.html").read_text(encoding="utf-8")
    # One pass over the template: nothing that is put in is looked at again.
    pieces = page.split("%%")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def _hash(text):
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
