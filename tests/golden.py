"""Golden vectors of a model, computed by onnxruntime: an engine that shares no code with this project.

For every frame (a file of side * side bytes, the network's input) it records the SHA-256 of every 8-bit tensor and the bits of the
logit; for the first frames it also keeps a few tensors whole. The model must pass onnx.checker's full check first.

On x86 processors with AVX2 and without VNNI onnxruntime multiplies by signed weights with an instruction that adds pairs of products in
16 bits, saturated: there its answers on a file with weights of 8 bits are not what ONNX defines (microsoft/onnxruntime, pull request
12088). So the vectors are those of the same weights stored unsigned, each with 128 added and a zero point of 128, which it multiplies
exactly everywhere; where it does not saturate, the file as it is must give the same logits: everywhere, if its weights have 7 bits (rule 9
of the exact form).

    python tests/golden.py --model models/pneumonia/model.onnx --frames DIR --out golden.json
"""

import argparse
import hashlib
import json
import os
import struct
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime

# Frames and tensors that are kept whole, so that a difference can be looked at: the last ones are small.
WHOLE_FRAMES = 2
WHOLE_BYTES = 8192


def with_every_tensor(model):
    """The model with every 8-bit tensor as an output, and their names in the graph's order."""
    shapes = {v.name: v for v in onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.value_info}
    names = []
    for node in model.graph.node:
        if node.op_type in ("QLinearConv", "QuantizeLinear"):
            names.append(node.output[0])
            model.graph.output.append(shapes[node.output[0]])
    return model, names


def with_unsigned_weights(model):
    """The model with every weight and its zero point 128 higher and unsigned: by ONNX's definition the same sums."""
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "QLinearConv"]
    # The zero point is one for all.
    for name in {node.input[place] for node in convolutions for place in (3, 5)}:
        signed = onnx.numpy_helper.to_array(initializers[name])
        assert signed.dtype == numpy.int8, f"{name}: expected signed 8-bit weights, got {signed.dtype}"
        unsigned = (signed.astype(numpy.int16) + 128).astype(numpy.uint8)
        initializers[name].CopyFrom(onnx.numpy_helper.from_array(unsigned, name))
    return model


def has_narrow_weights(model):
    """Whether no weight has more than 7 bits: two products by unsigned bytes, 2 * 255 * 63 at most, do not saturate then."""
    initializers = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = [initializers[node.input[3]] for node in model.graph.node if node.op_type == "QLinearConv"]
    return all(numpy.abs(w.astype(numpy.int16)).max() <= 63 for w in weights)


def saturates():
    """Whether onnxruntime's sums of products by signed weights saturate on this processor: asked by the largest there are."""
    channels, largest = 16, 16 * 255 * 127
    tensor = onnx.numpy_helper.from_array
    weights = numpy.full((channels, channels, 1, 1), 127, numpy.int8)
    zero, one = numpy.uint8(0), numpy.float32(1)
    constants = {
        "x_scale": one, "x_zero": zero, "w": weights, "w_scale": one, "w_zero": numpy.int8(0),
        "y_scale": numpy.float32(largest / 200), "y_zero": zero,
    }
    shape = [1, channels, 8, 8]
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, shape) for name in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("QLinearConv", ["x", *constants], ["y"])],
        "largest",
        values[:1],
        values[1:],
        [tensor(numpy.asarray(value), name) for name, value in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    (y,) = session(model).run(None, {"x": numpy.full(shape, 255, numpy.uint8)})
    return bool((y != 200).any())


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    file = args.model.read_bytes()
    model = onnx.load_from_string(file)
    onnx.checker.check_model(model, full_check=True)
    plain, saturated = session(model), saturates() and not has_narrow_weights(model)
    model, names = with_every_tensor(with_unsigned_weights(model))
    full = session(model)
    side = model.graph.input[0].type.tensor_type.shape.dim[3].dim_value

    frames, differences = [], []
    for path in sorted(args.frames.glob("*.u8")):
        pixels = path.read_bytes()
        image = {model.graph.input[0].name: numpy.frombuffer(pixels, numpy.uint8).reshape(1, 1, side, side)}
        logit, *tensors = full.run(["logit"] + names, image)
        # Fused or not, the answer is one: the file as a user runs it must give the logit of the opened-up one.
        (alone,) = plain.run(["logit"], image)
        assert saturated or alone.tobytes() == logit.tobytes(), f"{path.name}: onnxruntime disagrees with itself"
        differences.append(float(abs(alone - logit)[0, 0]))
        bits = struct.unpack("<I", numpy.float32(logit).tobytes())[0]
        frame = {
            "name": path.stem,
            "input": hashlib.sha256(pixels).hexdigest(),
            "logit": float(logit[0, 0]),
            "logit_bits": f"{bits:08x}",
            "tensors": [hashlib.sha256(t.tobytes()).hexdigest()[:32] for t in tensors],
        }
        if len(frames) < WHOLE_FRAMES:
            kept = [(n, t) for n, t in zip(names, tensors) if t.size <= WHOLE_BYTES]
            frame["whole"] = {n: t.tobytes().hex() for n, t in kept[-3:]}
        frames.append(frame)
    assert frames, f"no frames in {args.frames}"

    golden = {
        "made_by": f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}",
        "model": hashlib.sha256(file).hexdigest(),
        "tensors": names,
        "frames": frames,
    }
    # One frame a line: short, and a change shows where it is.
    lines = ",\n".join(json.dumps(f) for f in frames)
    text = json.dumps({k: v for k, v in golden.items() if k != "frames"})[:-1] + f', "frames": [\n{lines}\n]}}\n'
    with tempfile.NamedTemporaryFile("w", dir=args.out.parent, delete=False) as temporary:
        temporary.write(text)
        temporary.flush()
        os.fsync(temporary.fileno())
    os.chmod(temporary.name, 0o644)
    os.replace(temporary.name, args.out)
    print(f"{args.out}: {len(frames)} frames, {len(names)} tensors each, {golden['made_by']}")
    if saturated:
        print(
            f"onnxruntime saturates on this processor: on the file as it is its logits are off by up to {max(differences):.2f} "
            f"({numpy.median(differences):.2f} in the middle); the vectors are exact"
        )


if __name__ == "__main__":
    main()
