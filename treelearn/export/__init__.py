"""The fitted tree elsewhere: SQL, C, ONNX, treelite, JSON, Graphviz, words.

Each ``to_*`` returns an export with ``save`` and ``verify``; `to_dot` returns text.
"""

from ._base import Export, Verification, VerificationError
from .c_source import to_c
from .dot import to_dot
from .model_json import from_json, json_schema, load_model, save_model, to_json
from .onnx_model import register_with_skl2onnx, to_onnx
from .sql import to_sql
from .text import explain_row, leaf_table, rules
from .treelite_model import to_treelite

__all__ = [
    "Export",
    "Verification",
    "VerificationError",
    "explain_row",
    "from_json",
    "json_schema",
    "leaf_table",
    "load_model",
    "register_with_skl2onnx",
    "rules",
    "save_model",
    "to_c",
    "to_dot",
    "to_json",
    "to_onnx",
    "to_sql",
    "to_treelite",
]
