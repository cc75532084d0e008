"""Every benchmark in turn, and the table of what they reached: docs/benchmarks.md.

    python benchmarks/run.py --data DIR [--only NAME]

DIR holds registry records. Run it on an idle machine: each benchmark measures a ratio within one run, and yet a busy machine
shifts it. Prints the table as it grows, writes the page when all of them ran, and exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
from pathlib import Path

from machine import describe_machine

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
WITH_DATA = ("ingest", "search", "training_sft", "training_rl")
NAMES = (
    "ingest",
    "search",
    "first_paint",
    "decode",
    "evaluation_batching",
    "streaming_lag",
    "merging",
    "training_sft",
    "training_rl",
)
HEAD = """# What it reaches

Each line compares ours with a bare baseline on the same machine in the same run, so that the machine's own speed cancels out;
search and lag, which have no baseline, are times. `make bench DATA=folder` writes this page again from a folder of registry
records.

"""
TABLE = "| what | measured | bar | |\n|---|---|---|---|\n"


def rows(name: str, data: Path) -> tuple[str, bool]:
    """The markdown that one benchmark printed, and whether it kept its bars."""
    command = [sys.executable, str(HERE / f"{name}.py"), *(["--data", str(data)] if name in WITH_DATA else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    if not lines:
        raise SystemExit(f"{name} printed no result:\n{done.stderr[-2000:]}")
    return "\n".join(lines) + "\n", done.returncode == 0


def main() -> None:
    """Run them, print, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of registry records")
    parser.add_argument("--only", choices=NAMES, action="append", help="run this one; the page is left as it is")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    table, decoding, kept = TABLE, "", True
    for name in options.only or NAMES:
        text, good = rows(name, options.data)
        sys.stdout.write(text)
        sys.stdout.flush()
        kept &= good
        if name == "decode":
            decoding = f"\nDecoding with the embedded model, against llama.cpp itself:\n\n{text}"
        else:
            table += text
    if not options.only:
        when = f"Measured {datetime.date.today().isoformat()} on {describe_machine()}, load {load:.1f} at the start.\n\n"
        PAGE.write_text(HEAD + when + table + decoding, encoding="utf-8")
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
