"""One epoch of the trainer's recipe as it is commonly written in Python: what the trainer's own is measured against.

The same network, batch and optimizer; the same augmentation (framing, tone, light, scaling, blur, noise, JPEG, erasing) with Pillow
and numpy, on threads or processes beside the step; after it validation on three sets as large as the trainer's, which like the
trainer's are made before. Needs torch, Pillow and numpy (any recent ones; `pip install torch pillow numpy` in an environment of its
own).

    python tests/epoch.py --data chest_xray --pictures 4167 --validation 1049 --epochs 2

It prints a line of JSON an epoch, with seconds of the wall and of all its processes' time; the first epoch also warms up. What came of
the comparison stands in docs/PERFORMANCE.md, section Training.
"""

import argparse
import io
import json
import math
import multiprocessing
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
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
    # Pillow cannot draw the border out: one of its pixels stands for it.
    fill = [0, int(rng.integers(256)), source.getpixel((0, 0))][rng.integers(3)]
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


def changed(job):
    """A picture as the network takes it, changed by the draw of this number: of a validation set or of an epoch."""
    at, draw = job
    return prepared(augment(pictures[at], numpy.random.default_rng((draw, at))))


def unchanged(at):
    return prepared(pictures[at])


def seconds():
    """Of the wall, and of processors by this process and its workers."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    mine = used.ru_utime + used.ru_stime
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        mine += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), mine


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train/NORMAL and train/PNEUMONIA")
    parser.add_argument("--pictures", type=int, default=4167, help="to train on")
    parser.add_argument("--validation", type=int, default=1049, help="to validate on, three times")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--workers", type=int, default=2, help="that change pictures beside the step")
    parser.add_argument("--processes", action="store_true", help="the workers are processes, not threads")
    return parser.parse_args()


def read(path):
    return Image.open(path).convert("L").resize((WORKING, WORKING), Image.Resampling.BOX)


def input_of(batch):
    return torch.from_numpy(numpy.stack(batch))[:, None].contiguous(memory_format=torch.channels_last)


class Training:
    def __init__(self, labels):
        self.labels = labels
        self.net = network().to(memory_format=torch.channels_last)
        self.average = {name: value.clone() for name, value in self.net.state_dict().items()}
        self.optimizer = torch.optim.AdamW(self.net.parameters(), 3e-3, weight_decay=0.05, fused=True)
        positive = labels.mean().item()
        self.weights = 0.5 / (1 - positive), 0.5 / positive

    def step(self, x, batch):
        labels = self.labels[batch]
        self.optimizer.zero_grad()
        weight = labels * self.weights[1] + (1 - labels) * self.weights[0]
        loss = nn.functional.binary_cross_entropy_with_logits(self.net(x)[:, 0], labels, weight)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimizer.step()
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                self.average[name].lerp_(value, 0.005) if value.is_floating_point() else self.average[name].copy_(value)
        return loss.item() * len(batch)

    def epoch(self, pool, draw):
        """The mean loss of an epoch, whose pictures are changed four batches ahead of the step."""
        self.net.train()
        order = numpy.random.default_rng(draw).permutation(len(self.labels))
        batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
        ask = lambda batch: pool.map(changed, [(int(at), draw) for at in batch], chunksize=12)
        ahead, total = [ask(batch) for batch in batches[:4]], 0.0
        for at, batch in enumerate(batches):
            x = input_of(list(ahead.pop(0)))
            ahead += [ask(batches[at + 4])] if at + 4 < len(batches) else []
            total += self.step(x, batch)
        return total / len(order)

    def validate(self, sets):
        self.net.eval()
        with torch.no_grad():
            return [[self.net(input_of(one[at : at + 64])) for at in range(0, len(one), 64)] for one in sets]


def main():
    global pictures
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    files = [(path, label) for label, name in enumerate(["NORMAL", "PNEUMONIA"]) for path in sorted((args.data / "train" / name).iterdir())]
    wanted = args.pictures + args.validation
    if len(files) < wanted:
        raise SystemExit(f"expected {wanted} pictures in {args.data}, found {len(files)}")
    order = numpy.random.default_rng(1).permutation(len(files))[:wanted]
    with ThreadPoolExecutor(args.workers) as pool:
        pictures = list(pool.map(read, [files[i][0] for i in order]))
    rest = range(args.pictures, wanted)
    # Forked: the workers find the pictures that were read.
    pool = ProcessPoolExecutor(args.workers, multiprocessing.get_context("fork")) if args.processes else ThreadPoolExecutor(args.workers)
    with pool:
        sets = [list(pool.map(unchanged, rest))] + [list(pool.map(changed, [(at, draw) for at in rest])) for draw in (0, 1)]
        training = Training(torch.tensor([float(files[i][1]) for i in order[: args.pictures]]))
        for number in range(1, args.epochs + 1):
            begun = seconds()
            loss = training.epoch(pool, 1 + number)
            trained = seconds()
            training.validate(sets)
            done = seconds()
            between = lambda a, b: [round(y - x, 2) for x, y in zip(a, b)]
            parts = {"train": between(begun, trained), "validate": between(trained, done), "epoch": between(begun, done)}
            said = {"torch": torch.__version__, "pictures": args.pictures, "threads": args.threads, "workers": args.workers}
            said |= {"processes": args.processes, "epoch": number, "loss": round(loss, 4), "wall and processor, s": parts}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
