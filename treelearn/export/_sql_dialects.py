"""What the dialects of SQL differ in: names, types and literals."""

import math
from decimal import Decimal

__all__ = [
    "DIALECTS",
    "DOUBLE_TYPES",
    "MOST_COLUMNS",
    "column_type",
    "identifier",
    "literal",
    "quoted",
    "sqlite_float",
]

DIALECTS = ("postgresql", "sqlite", "duckdb")

DOUBLE_TYPES = {"postgresql": "DOUBLE PRECISION", "sqlite": "REAL", "duckdb": "DOUBLE"}
"""What the dialects call float64."""

MOST_COLUMNS = {"postgresql": 1600, "sqlite": 2000, "duckdb": 10_000}
"""That a table may have."""

_LONGEST_NAME = 63


def quoted(name):
    """Return an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def identifier(name, what, dialect):
    """Return a name in quotes, or raise ValueError where it cannot be one."""
    if not isinstance(name, str):
        raise ValueError(f"The name of a {what} must be text, not {name!r}.")
    _check_text(name)
    if not name and dialect != "sqlite":
        raise ValueError(f"{dialect} has no {what} without a name; give feature_names.")
    if dialect == "postgresql" and len(name.encode()) > _LONGEST_NAME:
        raise ValueError(
            f"The name {name[:40]!r}... of a {what} is longer than the {_LONGEST_NAME} bytes "
            "of PostgreSQL; give feature_names."
        )
    return quoted(name)


def _check_text(text):
    """Refuse text that no database takes."""
    if "\0" in text:
        raise ValueError(f"SQL has no text with a NUL character, as in {text[:40]!r}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text[:40]!r} is no Unicode text.") from None


def column_type(column, dialect):
    """Return the type of the column of a feature."""
    if column.kind == "category":
        kinds = {bool if isinstance(v, bool) else type(v) for v in column.levels}
        if kinds == {bool}:
            return "BOOLEAN"
        if kinds <= {int} and all(-(2**63) <= level < 2**63 for level in column.levels):
            return "BIGINT"
        return "TEXT" if str in kinds else DOUBLE_TYPES[dialect]
    if dialect != "sqlite" and column.kind in ("date", "duration"):
        return "TIMESTAMP" if column.kind == "date" else "INTERVAL"
    return "BOOLEAN" if column.kind == "boolean" else DOUBLE_TYPES[dialect]


def literal(value, dialect):
    """Return a value as an expression that gives back the same value."""
    if isinstance(value, str):
        _check_text(value)
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return str(value).upper() if dialect != "sqlite" else str(int(value))
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{value} is no 64-bit integer.")
        # The lowest one is a negated number out of range.
        return str(value) if value > -(2**63) else f"({value + 1} - 1)"
    if dialect == "sqlite":
        return sqlite_float(value)
    if math.isinf(value):
        sign = "-" if value < 0 else ""
        return f"CAST('{sign}Infinity' AS {DOUBLE_TYPES[dialect]})"
    text = repr(value)
    if dialect == "duckdb":  # with an exponent it is no DECIMAL, which would round
        return text if "e" in text else f"{text}e0"
    return text


def sqlite_float(value):
    """Return a float64 as SQL that every SQLite reads exactly; it may round decimals wrongly."""
    if math.isinf(value):
        return "9e999" if value > 0 else "-9e999"
    exact = Decimal(value)
    digits, exponent = exact.as_tuple()[1:]
    if len(digits) <= 15 and -22 <= exponent <= 15 - len(digits):
        return repr(value)
    # The mantissa as a whole number, odd unless that makes it longer than it is.
    whole, power = float(value).as_integer_ratio()
    sign = "-" if whole < 0 else ""
    whole, shift = abs(whole), -(power.bit_length() - 1)
    while whole >= 2**53:
        whole, shift = whole // 2, shift + 1
    steps = []
    while shift:
        step = min(62, abs(shift))
        steps.append(f"{'*' if shift > 0 else '/'} {2**step}")
        shift -= step if shift > 0 else -step
    # Whole numbers become floats before the first step, and every step is exact.
    steps = "".join(f" {step}" for step in steps)
    return f"({sign}CAST({whole} AS REAL){steps} /* {value!r} */)"
