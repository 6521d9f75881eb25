"""Runs the package beside it: `python app.py serve` is `python -m app serve`."""

from app.cli import main

if __name__ == "__main__":
    main()
