"""What libraries could not write, told as the one error of storage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepimagine_tui.extras import extra
from deepimagine_tui.files import storage_error

_NUMBER = re.compile(r"os error (\d+)")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Within this `folder` is written to, by the operating system's calls or by safetensors, whose error is no `OSError`.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise storage_error(folder, error) from error
    except extra("safetensors").SafetensorError as error:
        found = _NUMBER.search(str(error))
        if found is None:
            raise
        number = int(found[1])
        raise storage_error(folder, OSError(number, os.strerror(number))) from error
