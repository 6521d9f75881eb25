"""`python -m app` is the `shouze` command."""

from app.cli import main

if __name__ == "__main__":
    main(prog_name="shouze")
