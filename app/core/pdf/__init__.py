"""PDF documents: fonts, engine, worker processes.

Importing this package costs nothing; WeasyPrint is loaded by the first render, in the process that renders.
"""
