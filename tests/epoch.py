"""One epoch of the trainer's recipe as it is commonly written in Python: what the trainer's own is measured against.

The same network, batch and optimizer; the same augmentation (framing, tone, light, scaling, blur, noise, JPEG, erasing) with Pillow
and numpy, on threads beside the step; validation on the plain pictures and once changed ones. Needs torch, Pillow and numpy (any
recent ones; `pip install torch pillow numpy` in an environment of its own).

    python tests/epoch.py --data chest_xray --pictures 4167 --threads 2

No figure of it has been published yet: it was not compared with the trainer's own epoch so far.

It prints one line of JSON with seconds of the wall and of the processor. The trainer prints its epoch's seconds; its processor's
are those of `time cargo run -p host-trainer -- train --epochs 2` less those with `--epochs 1`.
"""

import argparse
import io
import json
import math
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageFilter
from torch import nn

WORKING, SIDE, BATCH = 224, 128, 48
# The ranges of AugmentParams::TRAINING.
CROP, ASPECT, ROTATION, GAMMA, LIGHT, SMALL, BLUR, NOISE, QUALITY, OFTEN, ERASE = 0.7, 1.4, 12, 1.8, 0.25, 96, 1.5, 10, 20, 0.35, 0.3


def conv(cin, cout, kernel=1, stride=1, groups=1, relu6=True):
    layers = [nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(cout, momentum=0.05)]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if relu6 else []))


class Inverted(nn.Sequential):
    def __init__(self, channels, wide):
        parts = conv(channels, wide), conv(wide, wide, 3, groups=wide), conv(wide, channels, relu6=False)
        super().__init__(*parts)

    def forward(self, x):
        return x + super().forward(x)


def network():
    """Net::pneumonia."""
    return nn.Sequential(
        conv(1, 16, 3, 2),
        conv(16, 16, 3, groups=16), conv(16, 24),
        conv(24, 24, 3, 2, groups=24), conv(24, 40),
        conv(40, 40, 3, 2, groups=40), conv(40, 48, relu6=False),
        Inverted(48, 96), Inverted(48, 96),
        conv(48, 144), conv(144, 144, 3, 2, groups=144), conv(144, 80, relu6=False),
        Inverted(80, 160), Inverted(80, 160),
        conv(80, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 1),
    )  # fmt: skip


def augment(source, rng):
    """What augment.rs does to one working picture: a Pillow image of 96 to 223 pixels a side."""
    n = WORKING
    share, stretch = rng.uniform(CROP, 1.1), rng.uniform(-1, 1) * math.log(ASPECT) / 2
    wide, high = share * math.exp(stretch), share / math.exp(stretch)
    angle = math.radians(rng.uniform(-ROTATION, ROTATION))
    dx, dy = (rng.uniform(-1, 1) * (abs(1 - size) / 2 + 0.03) for size in (wide, high))
    across = wide * (-1 if rng.random() < 0.5 else 1)
    sin, cos = math.sin(angle), math.cos(angle)
    a, b, d, e = cos * across, -sin * high, sin * across, cos * high
    c = n * (0.5 + dx) - (a + b) * n / 2
    f = n * (0.5 + dy) - (d + e) * n / 2
    fill = [0, int(rng.integers(256)), int(numpy.median(source))][rng.integers(3)]
    picture = source.transform((n, n), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR, fillcolor=fill)
    gamma, contrast, brightness = GAMMA ** rng.uniform(-1, 1), rng.uniform(0.6, 1.2), rng.uniform(-30, 30)
    tone = 255 * (numpy.arange(256) / 255) ** gamma
    picture = picture.point(((tone - 128) * contrast + 128 + brightness).clip(0, 255).astype(numpy.uint8).tolist())
    side = int(rng.uniform(SMALL, n))
    if rng.random() < OFTEN:
        at = (numpy.arange(n, dtype=numpy.float32) / n - 0.5)[None]
        p, q, r = (numpy.float32(v) for v in rng.uniform(-LIGHT, LIGHT, 3))
        light = 1 + p * at + q * at.T + r * (2 * (at * at + (at * at).T) - numpy.float32(0.33))
        picture = Image.fromarray((numpy.asarray(picture) * light).clip(0, 255).astype(numpy.uint8))
    picture = picture.resize((side, side), Image.Resampling.BOX)
    if rng.random() < OFTEN:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, BLUR) * side / 128))
    if rng.random() < OFTEN:
        noise = rng.standard_normal((side, side), dtype=numpy.float32) * numpy.float32(rng.uniform(0, NOISE))
        picture = Image.fromarray((numpy.asarray(picture) + noise).clip(0, 255).astype(numpy.uint8))
    if rng.random() < OFTEN:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.uniform(QUALITY, 95)))
        picture = Image.open(file)
        picture.load()
    if rng.random() < ERASE:
        w, h = rng.integers(1, side // 4 + 1, 2)
        x, y = int(rng.integers(side - w)), int(rng.integers(side - h))
        picture.paste(int(rng.integers(256)), (x, y, x + int(w), y + int(h)))
    return picture


def prepared(picture):
    """Area and standardisation as edge-core's."""
    grey = numpy.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=numpy.float32)
    return ((grey - grey.mean()) * (48 / max(grey.std(), 1))).clip(-128, 127).round() / 32


def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train/NORMAL and train/PNEUMONIA")
    parser.add_argument("--pictures", type=int, default=4167, help="to train on")
    parser.add_argument("--validation", type=int, default=1049, help="to validate on, plain and changed")
    parser.add_argument("--threads", type=int, default=2, help="of torch, and of the augmentation")
    parser.add_argument("--no-augmentation", action="store_true", help="the step alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    files = [(path, label) for label, name in enumerate(["NORMAL", "PNEUMONIA"]) for path in sorted((args.data / "train" / name).iterdir())]
    order = numpy.random.default_rng(1).permutation(len(files))[: args.pictures + args.validation]
    if len(order) < args.pictures + args.validation:
        parser.error(f"expected {args.pictures + args.validation} pictures in {args.data}, found {len(files)}")

    begin = seconds()
    with ThreadPoolExecutor(args.threads) as pool:
        read = lambda i: Image.open(files[i][0]).convert("L").resize((WORKING, WORKING), Image.Resampling.BOX)
        pictures = list(pool.map(read, order))
    labels = torch.tensor([float(files[i][1]) for i in order])
    train, rest = range(args.pictures), range(args.pictures, len(order))
    validation = [numpy.stack([prepared(pictures[i]) for i in rest]), numpy.stack([prepared(augment(pictures[i], numpy.random.default_rng(i))) for i in rest])] if rest else []
    ready = seconds()

    net = network().to(memory_format=torch.channels_last)
    average = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.05, fused=True)
    positive = labels[: args.pictures].mean().item()
    weights = 0.5 / (1 - positive), 0.5 / positive

    def loss_of(logits, labels):
        weight = labels * weights[1] + (1 - labels) * weights[0]
        return nn.functional.binary_cross_entropy_with_logits(logits, labels, weight)

    def input_of(batch):
        return torch.from_numpy(batch)[:, None].contiguous(memory_format=torch.channels_last)

    def changed(i):
        return prepared(pictures[i] if args.no_augmentation else augment(pictures[i], numpy.random.default_rng((1, i))))

    begun, total = seconds(), 0.0
    shuffled = numpy.random.default_rng(2).permutation(train)
    batches = [shuffled[at : at + BATCH] for at in range(0, args.pictures, BATCH)]
    with ThreadPoolExecutor(args.threads) as pool:
        # Four batches ahead of the step.
        ahead = [[pool.submit(changed, i) for i in batch] for batch in batches[:4]]
        for at, batch in enumerate(batches):
            x = input_of(numpy.stack([future.result() for future in ahead.pop(0)]))
            ahead += [[pool.submit(changed, i) for i in batches[at + 4]]] if at + 4 < len(batches) else []
            optimizer.zero_grad()
            loss = loss_of(net(x)[:, 0], labels[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            total += loss.item() * len(batch)
            with torch.no_grad():
                for name, value in net.state_dict().items():
                    average[name].lerp_(value, 0.005) if value.is_floating_point() else average[name].copy_(value)
    trained = seconds()
    net.eval()
    with torch.no_grad():
        for plain in validation:
            for at in range(0, len(plain), 64):
                net(input_of(plain[at : at + 64]))
    done = seconds()
    between = lambda a, b: [round(y - x, 2) for x, y in zip(a, b)]
    parts = {"ready": between(begin, ready), "train": between(begun, trained), "validate": between(trained, done), "epoch": between(begun, done)}
    print(json.dumps({"torch": torch.__version__, "pictures": args.pictures, "threads": args.threads, "loss": round(total / args.pictures, 4), "wall and processor, s": parts}))


if __name__ == "__main__":
    main()
