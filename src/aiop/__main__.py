"""`python -m aiop` is `aiop`."""

import sys

from aiop.cli.main import main

sys.exit(main())
