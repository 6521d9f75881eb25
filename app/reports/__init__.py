"""Documents: a package each with template, style and the functions that `core.pdf.engine` calls; renders, decides nothing.

Imported by render workers: nothing here may import the web stack or the models.
"""
