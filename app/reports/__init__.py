"""Documents: a package each with template, style and what `core.pdf.engine` calls; renders, decides nothing.

Imported by render workers: but for `record.py`, nothing here may import the web stack or the models.
"""
