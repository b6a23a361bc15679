"""Entry file for ``spark-submit``: the installed package takes the arguments of ``kedro run``."""

from aerial_kedro.__main__ import main

if __name__ == "__main__":
    main()
