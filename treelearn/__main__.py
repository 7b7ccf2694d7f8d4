"""Run the command line: ``python -m treelearn``."""

from .cli import main

if __name__ == "__main__":
    main()
