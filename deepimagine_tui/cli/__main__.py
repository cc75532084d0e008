"""`python -m deepimagine_tui.cli`: the same as `deepimagine`."""

from __future__ import annotations

import sys

from deepimagine_tui.cli import main

sys.exit(main())
