"""Reading the header of a GGUF file: what the model is, and whether the file is whole.

Only the header is touched, through a memory map; the weights are never read and `llama_cpp` is never imported.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

import msgspec

from deepimagine_tui.errors import BadInputError, ModelError, NotFoundError

Scalar = bool | int | float | str

_TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
"""ggml type -> name, elements of a block, bytes of a block."""

_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
    39: "NVFP4",
    40: "Q1_0",
}
"""`general.file_type` -> the name people use for the quantisation."""

_NOT_GENERATIVE = frozenset(
    (
        "bert",
        "nomic-bert",
        "nomic-bert-moe",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "neo-bert",
        "eurobert",
        "gemma-embedding",
        "t5",
        "t5encoder",
        "clip",
        "wavtokenizer-dec",
    )
)

_STRING, _ARRAY, _BOOL = 8, 9, 7
_MAX_DIMENSIONS = 8
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", _BOOL: "<?", 10: "<Q", 11: "<q", 12: "<d"}


class Tensor(msgspec.Struct, frozen=True):
    """One tensor of the file: its name, element count and ggml type name (empty when unknown to us).

    `shape` is as GGUF stores it, the length of a row first; `offset` is in bytes from the start of the data.
    """

    name: str
    elements: int
    type: str
    shape: tuple[int, ...] = ()
    offset: int = 0


class GgufHeader(msgspec.Struct, frozen=True):
    """What a GGUF file says of itself. `values` holds its scalar and text entries; arrays are left out.

    `spans` are the bytes of the file that each entry takes, arrays included; the tensors' data begin at `data_start`.
    """

    path: str
    size_bytes: int
    values: dict[str, Scalar]
    tensors: tuple[Tensor, ...]
    spans: dict[str, tuple[int, int]] = {}
    data_start: int = 0

    def text(self, key: str) -> str:
        """The text stored under `key`, or an empty string."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ""

    @property
    def architecture(self) -> str:
        """`general.architecture`, e.g. `gemma3`."""
        return self.text("general.architecture")

    @property
    def name(self) -> str:
        """The model's own name, or the file's."""
        return self.text("general.name") or Path(self.path).stem

    @property
    def context_length(self) -> int:
        """Tokens the model was trained for; 0 when the file does not say."""
        value = self.values.get(f"{self.architecture}.context_length", 0)
        return value if isinstance(value, int) else 0

    @property
    def parameters(self) -> int:
        """Elements of all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def quantisation(self) -> str:
        """The quantisation's usual name, e.g. `Q4_K_M`; without a stated one, the type that holds most elements."""
        file_type = self.values.get("general.file_type")
        if isinstance(file_type, int) and file_type in _FILE_TYPES:
            return _FILE_TYPES[file_type]
        sizes: dict[str, int] = {}
        for tensor in self.tensors:
            sizes[tensor.type] = sizes.get(tensor.type, 0) + tensor.elements
        return max(sizes, key=lambda name: sizes[name], default="")

    @property
    def chat_template(self) -> str:
        """The Jinja template of the model's turns; empty for a base model."""
        return self.text("tokenizer.chat_template")

    @property
    def licence(self) -> str:
        """The licence the file states, or an empty string."""
        return self.text("general.license.name") or self.text("general.license")


class _Reader:
    """A cursor over the map. Reading past its end raises `struct.error`, which means a file that was cut off."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def scalar(self, code: str) -> int | float | bool:
        value: int | float | bool = struct.unpack_from(code, self.data, self.at)[0]
        self.at += struct.calcsize(code)
        return value

    def count(self) -> int:
        return int(self.scalar("<Q"))

    def skip(self, size: int) -> int:
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise struct.error("past the end")
        return start

    def string(self) -> str:
        length = self.count()
        start = self.skip(length)
        return self.data[start : start + length].decode("utf-8", "replace")

    def value(self, kind: int) -> Scalar | None:
        """The value at the cursor; `None` for an array, which is skipped."""
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        element, length = int(self.scalar("<I")), self.count()
        if element == _STRING:
            self.skip_strings(length)
        else:
            self.skip(length * struct.calcsize(_SCALARS[element]))
        return None

    def skip_strings(self, length: int) -> None:
        data, at, unpack = self.data, self.at, struct.Struct("<Q").unpack_from
        for _ in range(length):
            at += 8 + unpack(data, at)[0]
        self.at = at
        self.skip(0)


def read_header(path: Path) -> GgufHeader:
    """Read the header of the GGUF file at `path` and check that the file is long enough for its tensors.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is not a GGUF file, of a version not known here, damaged, or cut off.
    """
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise BadInputError(f"{path} is a folder, not a GGUF file.", "Name the .gguf file itself.")
        with path.open("rb") as stream:
            if stream.read(4) != b"GGUF":
                raise BadInputError(f"{path} is not a GGUF file.", "Choose a model file whose name ends in .gguf.")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _parse(path, size, data)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.") from error
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror or error}).") from error


def _parse(path: Path, size: int, data: mmap.mmap) -> GgufHeader:
    reader = _Reader(data)
    reader.at = 4
    try:
        version = int(reader.scalar("<I"))
        if version not in (2, 3):
            raise BadInputError(f"{path} is a GGUF file of version {version}, which cannot be read here.")
        tensor_count, value_count = reader.count(), reader.count()
        values: dict[str, Scalar] = {}
        spans: dict[str, tuple[int, int]] = {}
        for _ in range(value_count):
            begin = reader.at
            key, kind = reader.string(), int(reader.scalar("<I"))
            value = reader.value(kind)
            spans[key] = (begin, reader.at)
            if value is not None:
                values[key] = value
        tensors, ends = [], [0]
        for _ in range(tensor_count):
            tensor, end = _tensor(reader)
            tensors.append(tensor)
            ends.append(end)
        alignment = values.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise KeyError(alignment)
    except (struct.error, OverflowError) as error:
        raise _truncated(path, size) from error
    except KeyError as error:
        raise BadInputError(f"{path} is damaged: its header holds an unknown kind of value.") from error
    start = -(-reader.at // alignment) * alignment
    if start + max(ends) > size and max(ends) > 0:
        raise _truncated(path, size, start + max(ends))
    return GgufHeader(str(path), size, values, tuple(tensors), spans, start)


def _tensor(reader: _Reader) -> tuple[Tensor, int]:
    """One tensor's entry and where its data end, in bytes from the start of the data."""
    name = reader.string()
    dimensions = int(reader.scalar("<I"))
    if dimensions > _MAX_DIMENSIONS:
        raise KeyError(dimensions)
    shape = tuple(reader.count() for _ in range(dimensions))
    elements = math.prod(shape)
    kind, offset = int(reader.scalar("<I")), reader.count()
    known = _TENSOR_TYPES.get(kind)
    if known is None:
        return Tensor(name, elements, "", shape, offset), offset
    label, block, block_bytes = known
    return Tensor(name, elements, label, shape, offset), offset + elements // block * block_bytes


def _truncated(path: Path, size: int, expected: int = 0) -> BadInputError:
    more = f": {size:,} of {expected:,} bytes are there" if expected else ""
    return BadInputError(f"{path} is cut off{more}.", "Download or copy it again.")


def check_model(header: GgufHeader) -> None:
    """Refuse a GGUF file that is whole but not a model that writes text.

    Raises:
        ModelError: it is an adapter, a part of another kind, or of an architecture that does not generate.
    """
    kind = header.text("general.type")
    if kind == "adapter":
        raise ModelError(f"{header.path} is an adapter, not a model.", "Open a model and give this file as its adapter.")
    if kind not in ("", "model"):
        raise ModelError(f"{header.path} holds a part of kind {kind!r}, not a language model.")
    if not header.architecture:
        raise ModelError(f"{header.path} does not say which architecture its model has.")
    if header.architecture in _NOT_GENERATIVE:
        raise ModelError(f"{header.path} holds a {header.architecture!r} model, which does not generate text.")
