"""The documentation: its examples run, its links lead somewhere, its pictures can be drawn."""

import doctest
import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))

FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")

# A page shows output as it looks; in a doctest a blank line would end it.
BLANK_WITHIN_OUTPUT = re.compile(r"\n(?=\n(?!>>>))")


def examples(page):
    """Yield the examples of a page, block by block, with the line that each block begins in."""
    text = page.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        source = BLANK_WITHIN_OUTPUT.sub("\n<BLANKLINE>", block[1])
        if ">>>" in source:
            yield source, text.count("\n", 0, block.start()) + 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.parametrize("needs_torch", [False, True], ids=["plain", "torch"])
def test_examples_run(page, needs_torch):
    """Blocks of a page share their names; those with torch come last and may be skipped."""
    if needs_torch:
        pytest.importorskip("torch", reason="some examples show gradients of torch")
    names, report = {}, []
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    n_run = 0
    for source, line in examples(page):
        if "torch" in source and not needs_torch:
            continue
        test = doctest.DocTestParser().get_doctest(source, names, page.name, str(page), line)
        names = test.globs
        runner.run(test, out=report.append, clear_globs=False)
        n_run += len(test.examples)
    assert runner.failures == 0, "".join(report)
    assert n_run


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_an_example_that_fails_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\n>>> print('a\\n\\nb')\na\n\nb\n>>> 1 + 1\n3\n```\n")
    [(source, line)] = examples(page)
    runner, report = doctest.DocTestRunner(), []
    runner.run(
        doctest.DocTestParser().get_doctest(source, {}, "page", "page", line), out=report.append
    )
    assert (runner.failures, runner.tries) == (1, 2)


def test_pictures_can_be_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="draws the pictures")
    runpy.run_path(str(DOCS / "make_pictures.py"))["main"](tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in (DOCS / "pictures").iterdir()}
    assert all("<svg" in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
