#!/usr/bin/env python3
"""Writes the fixtures of tests/containers.c with the libraries whose formats they are in, and beside
each NAME the list NAME.txt of what must be found in it: the container, then a line for each tensor,
by place: name, dtype, shape in memory order, offset, bytes. Offsets are found by looking for
the data, which is random; nothing of ours takes part.

    pip install torch numpy safetensors onnx gguf ml_dtypes && tests/containers/make.py

Keys of PyTorch's older format are addresses, so those files differ from run to run."""
import json, os, struct, zipfile
import numpy as np
import onnx, torch
from gguf import GGUFWriter, GGMLQuantizationType as Q, GGUFValueType as V
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(1)
torch.manual_seed(1)


def random(n):
    return rng.integers(0, 256, n, dtype=np.uint8).tobytes()


def expect(path, container, tensors):
    """tensors: (name, dtype, shape, bytes, or the offset and length where there are none)."""
    raw = open(path, "rb").read()
    rows = []
    for name, dtype, shape, data in tensors:
        if isinstance(data, tuple):
            at, n = data
        else:
            assert raw.count(data) == 1, (path, name, raw.count(data))
            at, n = raw.index(data), len(data)
        rows.append((at, n, name, dtype, shape))
    rows.sort()
    with open(path + ".txt", "w") as f:
        print(container, file=f)
        for at, n, name, dtype, shape in rows:
            print(name, dtype, ",".join(map(str, shape)), at, n, sep="\t", file=f)


NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
         torch.int8: "I8", torch.uint8: "U8", torch.int16: "I16", torch.uint16: "U16",
         torch.int32: "I32", torch.uint32: "U32", torch.int64: "I64", torch.uint64: "U64",
         torch.bool: "BOOL", torch.complex64: "C64", torch.complex128: "C128",
         torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
         torch.float8_e4m3fnuz: "F8_E4M3FNUZ", torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
         torch.float8_e8m0fnu: "F8_E8M0"}


def tensor(dtype, *shape):
    n = int(np.prod(shape)) * torch.empty(0, dtype=dtype).element_size()
    data = bytes(b & 1 for b in random(n)) if dtype == torch.bool else random(n)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape).clone()


def data(t):
    """The bytes, which lie in this order where t was saved."""
    t = t.detach().contiguous()
    return t.flatten().view(torch.uint8).numpy().tobytes() if t.dim() else data(t.reshape(1))


def row(name, t):
    return name, NAMES[t.dtype], list(t.shape), data(t)


def make_safetensors():
    tensors = {f"type.{NAMES[d]}": tensor(d, 3, 40) for d in NAMES if d != torch.complex128}
    tensors["a.scalar"] = tensor(torch.float64)
    tensors['quote " backslash \\ é 中 🂡'] = tensor(torch.bfloat16, 2, 3, 5)
    tensors["nine dims"] = tensor(torch.int16, 2, 1, 3, 1, 1, 1, 1, 2, 2)
    tensors["empty"] = torch.empty(4, 0, 2)
    path = "all.safetensors"
    save_file(tensors, path, metadata={"format": "pt", "[{": "}]\"\\"})
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    rows = [row(k, t) for k, t in tensors.items() if t.numel()]
    rows = [r if r[0] != "nine dims" else (r[0], r[1], [2, 3, 1, 1, 1, 1, 2, 2], r[3]) for r in rows]
    rows.append(("empty", "F32", [4, 0, 2], (8 + n + head["empty"]["data_offsets"][0], 0)))
    expect(path, "safetensors", rows)


def make_gguf():
    for path, align in ("small.gguf", None), ("aligned.gguf", 128):
        w = GGUFWriter(path, "test")
        if align:
            w.add_custom_alignment(align)
        w.add_uint32("a.number", 7)
        w.add_bool("a.bool", True)
        w.add_float64("a.double", 0.5)
        w.add_array("tokenizer.tokens", ["one", "two", "", "é"] * 8)
        w.add_array("tokenizer.scores", [0.5, 1.5, 2.5])
        w.add_array("a.bytes", [1, 2, 3])
        rows = []
        for name, q, shape, n in [
                ("token_embd.weight", Q.Q4_K, (4, 256), 4 * 144), ("norm.weight", Q.F32, (10,), 40),
                ("a.q8_0", Q.Q8_0, (3, 64), 3 * 68), ("a.mxfp4", Q.MXFP4, (2, 32), 34),
                ("a.bf16", Q.BF16, (2, 3, 5), 60), ("a.i8", Q.I8, (17,), 17),
                ("a.iq2_xs", Q.IQ2_XS, (256,), 74), ("a.q1_0", Q.Q1_0, (128,), 18)]:
            d = np.frombuffer(random(n), dtype=np.uint8).reshape(*shape[:-1], -1)
            w.add_tensor(name, d, raw_dtype=q)
            rows.append((name, q.name, shape, d.tobytes()))
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
        expect(path, "gguf", rows)


def make_torch():
    layer = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7, affine=False))
    layer[1].running_mean.normal_()
    layer[1].running_var.uniform_()
    layer[1].num_batches_tracked.fill_(0x123456789abcdef)
    base = tensor(torch.float32, 100)
    turned = tensor(torch.float16, 6, 11)
    image = tensor(torch.float32, 2, 3, 4, 5)
    holes = tensor(torch.float32, 8, 8)
    tied = tensor(torch.int64, 5)
    o = {
        "state_dict": layer.state_dict(), 3: tensor(torch.bfloat16, 9),
        "list": [tensor(torch.uint8, 11), {"x": tensor(torch.float64)}, (tensor(torch.bool, 33), 1.5)],
        "views": {"late": base[60:90].reshape(3, 10), "early": base[10:30], "over": base[20:40]},
        "turned": turned.T, "last": image.to(memory_format=torch.channels_last), "holes": holes[:, ::2],
        "tied": tied, "also": tied, "tied view": tied[:],
        "parameter": torch.nn.Parameter(tensor(torch.float32, 3, 3)),
        "new": {NAMES[d]: tensor(d, 5, 7) for d in (torch.uint16, torch.uint32, torch.uint64,
                torch.float8_e4m3fn, torch.float8_e5m2)},
        "epoch": 12, "names": {"lr": 0.1, "text": "x" * 2000, "big": 1 << 70, "bytes": b"abc"},
    }
    rows = [row("state_dict." + k, v) for k, v in layer.state_dict().items()]
    rows += [row("3", o[3]), row("list.0", o["list"][0]), row("list.1.x", o["list"][1]["x"]),
             row("list.2.0", o["list"][2][0]), row("views.early", o["views"]["early"]),
             row("views.late", o["views"]["late"]), row("turned", turned),
             ("last", "F32", [2, 4, 5, 3], data(image.permute(0, 2, 3, 1))), row("tied", tied),
             row("parameter", o["parameter"])] + [row("new." + k, v) for k, v in o["new"].items()]
    whole = [(base, base[:10]), (base, base[30:60]), (base, base[90:]), (holes, holes)]

    def storages(path):
        """Offset and name of each storage in a zip archive."""
        raw = open(path, "rb").read()
        for i in zipfile.ZipFile(path).infolist():
            n, m = struct.unpack("<HH", raw[i.header_offset + 26:i.header_offset + 30])
            yield i.header_offset + 30 + n + m, i.filename, i.file_size

    for path, protocol in ("torch.pt", 2), ("torch4.pt", 4):
        torch.save({"empty": torch.empty(0, 3), **o}, path, pickle_protocol=protocol)
        raw = open(path, "rb").read()
        rest = [("empty", "F32", [0, 3], (at, 0)) for at, name, n in storages(path) if "/data/" in name and n == 0]
        for _, t in whole:
            at = raw.index(data(t))
            [name] = [f for start, f, n in storages(path) if start <= at < start + n]
            rest.append((name, "F32", [t.numel()], data(t)))
        expect(path, "pytorch", rows + rest)

    # The older format; storages are named by their keys.
    path = "torch-old.pt"
    torch.save(o, path, _use_new_zipfile_serialization=False)
    rest = [(str(of.untyped_storage()._cdata), "F32", [t.numel()], data(t)) for of, t in whole]
    expect(path, "pytorch", rows + rest)

    # A whole module: names are the attributes that lead to the tensors.
    path = "module.pt"
    torch.save(layer, path)
    expect(path, "pytorch", [
        row("_modules.0._parameters.weight", layer[0].weight), row("_modules.0._parameters.bias", layer[0].bias),
        *[row(f"_modules.1._buffers.{k}", v) for k, v in layer[1].named_buffers()]])


def make_numpy():
    a = np.frombuffer(random(24), dtype="<f4").reshape(2, 3)
    wide = np.frombuffer(random(48), dtype=">i4").reshape(3, 4)
    np.save("plain.npy", a)
    expect("plain.npy", "npy", [("", "F32", a.shape, a.tobytes())])
    with open("big-endian.npy", "wb") as f:
        np.lib.format.write_array(f, wide, version=(2, 0))
    expect("big-endian.npy", "npy", [("", "BYTES", [48], wide.tobytes())])
    more = {"matrix": a, "layer/0": np.frombuffer(random(60), dtype="<i2").reshape(5, 6),
            "columns": np.asfortranarray(np.frombuffer(random(70), dtype="<u2").reshape(5, 7)),
            "complex": np.frombuffer(random(32), dtype="<c16"), "scalar": np.float64(0.123456789),
            "text": np.array(["abcd", "efg"]), "objects": np.array([{}, "x"], dtype=object),
            "bytes": np.frombuffer(random(13), dtype="|u1")}
    np.savez("arrays.npz", **more)
    expect("arrays.npz", "npz", [
        ("matrix", "F32", [2, 3], a.tobytes()), ("layer/0", "I16", [5, 6], more["layer/0"].tobytes()),
        ("columns", "U16", [7, 5], more["columns"].tobytes("F")), ("complex", "C128", [2], more["complex"].tobytes()),
        ("scalar", "F64", [], more["scalar"].tobytes()), ("text", "BYTES", [32], more["text"].tobytes()),
        ("bytes", "U8", [13], more["bytes"].tobytes())])
    np.savez_compressed("packed.npz", a=a)
    expect("packed.npz", "zip", [])

    # Written to a pipe, a zip archive has its sizes behind the data.
    class Pipe:
        def __init__(self, path):
            self.f = open(path, "wb")
        def write(self, b):
            return self.f.write(b)
        read = None
        def flush(self):
            pass
    p = Pipe("piped.npz")
    np.savez(p, **{k: more[k] for k in ("matrix", "objects", "bytes")})
    p.f.close()
    expect("piped.npz", "npz", [("matrix", "F32", [2, 3], a.tobytes()), ("bytes", "U8", [13], more["bytes"].tobytes())])


def make_onnx():
    def raw(name, kind, shape, n):
        return helper.make_tensor(name, kind, shape, random(n), raw=True)

    inner_constant = raw("", TensorProto.FLOAT16, [5], 10)
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["inner.out"], value=inner_constant)], "inner", [],
        [helper.make_tensor_value_info("inner.out", TensorProto.FLOAT16, [5])],
        [raw("inner.weight", TensorProto.INT8, [3, 5], 15)])
    constant = raw("its own name", TensorProto.INT64, [2], 16)
    sparse = helper.make_sparse_tensor(raw("sparse.values", TensorProto.FLOAT, [3], 12),
                                       raw("sparse.indices", TensorProto.INT64, [3], 24), [100])
    w = [raw("weight", TensorProto.FLOAT, [4, 3], 48), raw("half", TensorProto.BFLOAT16, [7], 14),
         raw("scalar", TensorProto.DOUBLE, [], 8), raw("int4", TensorProto.INT4, [3, 6], 9),
         raw("int4.odd", TensorProto.INT4, [5], 3), raw("fp8", TensorProto.FLOAT8E5M2, [9], 9)]
    listed = helper.make_tensor("listed", TensorProto.FLOAT, [2], [0.25, 0.75])
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["c.out"], value=constant),
         helper.make_node("If", ["cond"], ["if.out"], then_branch=inner, else_branch=helper.make_graph(
             [], "empty", [], []))],
        "main", [helper.make_tensor_value_info("cond", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("if.out", TensorProto.FLOAT16, [5])], w + [listed],
        doc_string="a test", sparse_initializer=[sparse])
    model = helper.make_model(graph, producer_name="nzip tests", functions=[helper.make_function(
        "d", "f", [], ["o"], [helper.make_node("Constant", [], ["f.out"],
        value=raw("", TensorProto.UINT8, [2, 9], 18))], [helper.make_opsetid("", 18)])])
    onnx.save(model, "small.onnx")
    D = {TensorProto.FLOAT: "F32", TensorProto.BFLOAT16: "BF16", TensorProto.DOUBLE: "F64", TensorProto.INT4: "I4",
         TensorProto.FLOAT8E5M2: "F8_E5M2"}
    rows = [(t.name, D[t.data_type], list(t.dims), t.raw_data) for t in w if t.name != "int4.odd"]
    rows += [("int4.odd", "BYTES", [3], w[4].raw_data), ("its own name", "I64", [2], constant.raw_data),
             ("inner.out", "F16", [5], inner_constant.raw_data), ("inner.weight", "I8", [3, 5], inner.initializer[0].raw_data),
             ("sparse.values", "F32", [3], sparse.values.raw_data), ("sparse.indices", "I64", [3], sparse.indices.raw_data),
             ("f.out", "U8", [2, 9], model.functions[0].node[0].attribute[0].t.raw_data)]
    expect("small.onnx", "onnx", rows)


make_safetensors()
make_gguf()
make_torch()
make_numpy()
make_onnx()
print(sum(os.path.getsize(f) for f in os.listdir(".")), "bytes")
