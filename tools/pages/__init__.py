"""Writes the parts of the documentation pages that come from the code.

Such a part stands between two comments in its page, `<!-- written by make docs: NAME -->` and `<!-- end -->`. The rest
of the page is written by hand. `catalog.py` lists every part. `python -m tools.pages` writes them, and
`python -m tools.pages --check` lists those that differ from the code.
"""
