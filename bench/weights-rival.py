"""A rival of bench/weights.c on one file in memory, one thread: a line in, one round, a CSV row out.

weights-rival.py NAME DTYPE MEMORY FILE
NAME is zstd, planes, xz or zipnn; DTYPE fp32, bf16, fp16 or fp8; MEMORY goes into the row as it is.
Prints nothing and leaves when the rival is not installed. Calls go as straight as they can:
zstd through its C library into buffers held from round to round; byte planes by strided slices.
ZipNN gets a copy of the input every time: packing scrambles its argument, even a bytes object.
"""
import ctypes
import os
import sys
import time

WIDTH = {"fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1}


class Zstd:
    mode = "3"

    def __init__(self, raw, dtype):
        self.lib = ctypes.CDLL("libzstd.so.1")
        self.lib.ZSTD_compressBound.restype = ctypes.c_size_t
        self.lib.ZSTD_createCCtx.restype = ctypes.c_void_p
        self.lib.ZSTD_createDCtx.restype = ctypes.c_void_p
        size = ctypes.c_size_t
        self.lib.ZSTD_compressBound.argtypes = [size]
        self.lib.ZSTD_compressCCtx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, size,
                                               ctypes.c_void_p, size, ctypes.c_int]
        self.lib.ZSTD_compressCCtx.restype = size
        self.lib.ZSTD_decompressDCtx.argtypes = self.lib.ZSTD_compressCCtx.argtypes[:-1]
        self.lib.ZSTD_decompressDCtx.restype = size
        self.cctx, self.dctx = self.lib.ZSTD_createCCtx(), self.lib.ZSTD_createDCtx()
        self.n = len(raw)
        self.packed = bytearray(self.lib.ZSTD_compressBound(self.n))
        self.raw = bytearray(self.n)

    def call(self, f, ctx, to, src, n, *more):
        at = [ctypes.addressof(ctypes.c_char.from_buffer(b)) for b in (to, src)]
        size = f(ctx, at[0], len(to), at[1], n, *more)
        if size > len(to):
            raise RuntimeError("zstd failed")
        return size

    def pack(self, raw):
        self.size = self.call(self.lib.ZSTD_compressCCtx, self.cctx, self.packed, raw, self.n, 3)
        return self.size

    def unpack(self):
        self.call(self.lib.ZSTD_decompressDCtx, self.dctx, self.raw, self.packed, self.size)
        return self.raw


class Planes(Zstd):
    def __init__(self, raw, dtype):
        super().__init__(raw, dtype)
        self.width = WIDTH[dtype]
        self.split, self.back = bytearray(self.n), bytearray(self.n)

    def planes(self):
        at = 0
        for i in range(self.width):
            n = (self.n - i + self.width - 1) // self.width
            yield slice(at, at + n), slice(i, None, self.width)
            at += n

    def pack(self, raw):
        for whole, strided in self.planes():
            self.split[whole] = raw[strided]
        return super().pack(self.split)

    def unpack(self):
        split = super().unpack()
        for whole, strided in self.planes():
            self.back[strided] = split[whole]
        return self.back


class Xz:
    mode = "6"

    def __init__(self, raw, dtype):
        import lzma
        self.lzma = lzma

    def pack(self, raw):
        self.packed = self.lzma.compress(raw, preset=6)
        return len(self.packed)

    def unpack(self):
        return self.lzma.decompress(self.packed)


class Zipnn:
    DTYPE = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "fp8": "float8_e4m3fn"}

    def __init__(self, raw, dtype):
        import importlib.metadata
        import warnings
        warnings.simplefilter("ignore")
        from zipnn import ZipNN
        self.mode = importlib.metadata.version("zipnn")
        self.zipnn = ZipNN(bytearray_dtype=self.DTYPE[dtype], input_format="byte", threads=1)

    def pack(self, raw):
        self.packed = self.zipnn.compress(raw)
        return len(self.packed)

    def unpack(self):
        return self.zipnn.decompress(self.packed)


def now():
    return time.process_time(), time.monotonic()


def speeds(n, start):
    return [1e-6 * n / max(b - a, 1e-9) for a, b in zip(start, now())]


def main(name, dtype, memory, path):
    with open(path, "rb") as f:
        original = bytearray(f.read())
    try:
        rival = {"zstd": Zstd, "planes": Planes, "xz": Xz, "zipnn": Zipnn}[name](original, dtype)
    except (ImportError, OSError) as why:
        print(f"skipped: {name}: {why}", file=sys.stderr)
        return
    n = len(original)
    for _ in sys.stdin:
        raw = bytes(original) if name == "zipnn" else original
        start = now()
        size = rival.pack(raw)
        packing = speeds(n, start)
        start = now()
        back = rival.unpack()
        unpacking = speeds(n, start)
        if back != original:
            sys.exit(f"{name}: {path}: DIFFERENT after unpacking")
        del raw, back
        row = [name, os.path.basename(path), rival.mode, "-", 1, memory, n, size]
        row += [f"{speed:.1f}" for pair in zip(packing, unpacking) for speed in pair]
        print(*row, sep=",", flush=True)


main(*sys.argv[1:])
