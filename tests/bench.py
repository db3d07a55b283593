"""onnxruntime in one process, measured on request: what `cargo xtask bench` starts, asks in turn, and adds up.

It speaks the same JSON lines as tests/src/bin/bench_worker.rs. Inputs and output are bound before (IO binding), so that what is
timed is one call into onnxruntime; what Python adds to such a call is measured with a model that does nothing and reported.

    python tests/bench.py --model model.onnx --frames DIR --suffix u8
"""

import argparse
import json
import statistics
import struct
import sys
import time
from pathlib import Path

import numpy
import onnxruntime

# A model of one Identity node, float [1] to float [1], as protobuf bytes: it spares this process the package onnx.
NOTHING = bytes.fromhex(
    "080812003a370a100a017812017922084964656e746974791201655a0f0a0178120a0a08080112040a020801620f0a017912"
    "0a0a08080112040a02080142040a00100d"
)
# Calls to measure Python's share; a call takes some microseconds.
CALLS = 2000


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def bound(run, image):
    """A call into `run` with this input, and where its output will be."""
    (x,), (y,) = run.get_inputs(), run.get_outputs()
    binding = run.io_binding()
    binding.bind_ortvalue_input(x.name, onnxruntime.OrtValue.ortvalue_from_numpy(image))
    output = onnxruntime.OrtValue.ortvalue_from_shape_and_type(y.shape, numpy.float32)
    binding.bind_ortvalue_output(y.name, output)
    return (lambda: run.run_with_iobinding(binding)), output


def nanoseconds(call):
    before = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - before


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--suffix", choices=["u8", "f32"], required=True)
    args = parser.parse_args()

    # The interpreter and its imports are Python's, not onnxruntime's: time counts from here.
    start = time.perf_counter_ns()
    run = session(args.model.read_bytes())
    ready = time.perf_counter_ns() - start
    shape = run.get_inputs()[0].shape
    kind = numpy.dtype(numpy.uint8 if args.suffix == "u8" else "<f4")
    paths = sorted(args.frames.glob(f"*.{args.suffix}"))
    images = [numpy.fromfile(path, kind).reshape(shape) for path in paths]
    first_call, _ = bound(run, images[0])
    first = ready + nanoseconds(first_call)
    say({"ready_us": ready / 1e3, "first_us": first / 1e3})

    calls, outputs = zip(*(bound(run, image) for image in images))
    for line in sys.stdin:
        if line.strip() == "end":
            break
        assert line.strip() == "round", f"expected `round` or `end`, got {line!r}"
        # Another process had the core: one frame brings code and weights back into the caches.
        first_call()
        say([nanoseconds(call) for call in calls])

    for call in calls:
        call()
    logits = [struct.unpack("<I", output.numpy().tobytes())[0] for output in outputs]
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    nothing, _ = bound(session(NOTHING), numpy.zeros(1, numpy.float32))
    say(
        {
            "version": onnxruntime.__version__,
            "peak_kb": int(peak.split()[1]),
            "call_us": statistics.median(nanoseconds(nothing) for _ in range(CALLS)) / 1e3,
            "logits": logits,
        }
    )


if __name__ == "__main__":
    main()
