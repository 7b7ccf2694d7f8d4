"""The page: one HTML file that opens offline and shows what a comparison has found, and a tree.

``_findings`` and ``_model`` collect the facts, ``_page`` puts them as JSON into ``page.html`` with
its style and its scripts; the scripts draw.
"""

from ._build import page_of_study, page_of_table, sample_rows

__all__ = ["page_of_study", "page_of_table", "sample_rows"]
