"""How a test server packs its answers and unpacks what it gets, by what is installed beside it."""

import contextlib
import gzip
import importlib
import zlib
from types import ModuleType

# By the name of an encoding: a module with `compress` and `decompress`.
ENCODINGS: dict[str, ModuleType] = {}

# In the order in which a server of ClickHouse's prefers them. Python has zstd from 3.14 on.
for _name, _module in (
    ("lz4", "lz4.frame"),
    ("zstd", "compression.zstd"),
    ("zstd", "backports.zstd"),
):
    with contextlib.suppress(ModuleNotFoundError):
        ENCODINGS.setdefault(_name, importlib.import_module(_module))
ENCODINGS |= {"gzip": gzip, "deflate": zlib}
