"""The one place that imports matplotlib; colours, axes and legends of all pictures."""

__all__ = ["COLOURS", "add_legend", "axes", "colour", "shorten"]

# Okabe and Ito's colours, which people who see few colours tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#7F7F7F")


def axes(ax, size=(6.0, 4.0)):
    """Return axes to draw on: those given, else new ones of a size in inches.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('Pictures need matplotlib: pip install "treelearn[plot]"') from error
    return plt.subplots(figsize=size, layout="constrained")[1]


def colour(i):
    """Return the colour of a class or curve by its number."""
    return COLOURS[i % len(COLOURS)]


def shorten(text, most):
    """Return a text of at most so many characters, its middle left out where it is longer."""
    if len(text) <= most:
        return text
    head = (most - 1) * 2 // 3
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (most - 1 - head) :]}"


def add_legend(ax, handles, labels, **options):
    """Add a legend in which names from the data stay text."""
    # A label that begins with an underscore would be left out.
    labels = [f" {label}" if label.startswith("_") else label for label in labels]
    legend = ax.legend(handles, labels, frameon=False, **options)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return legend
