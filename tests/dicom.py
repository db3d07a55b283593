"""DICOM files of every form that is read, with what pydicom makes of them.

    python3 dicom.py FOLDER

writes the files and FOLDER/cases.json, a list of {name, file, width, height, steps, grey} or {name,
file, refused}: `grey` is a file of luminance as 16-bit little-endian numbers, 0 to 65535, `steps` the
steps that the values have between black and white, `refused` a part of the sentence that there must
be. pydicom's own test files are among them. Coded files are written by GDCM."""

import json
import os
import sys

import gdcm
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

ROWS, COLUMNS = 48, 64
DX = "1.2.840.10008.5.1.4.1.1.1.1"


def values(bits, signed):
    """A picture that has both ends of its range, edges, ramps and noise."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    noise = np.random.default_rng(bits).normal(0, 0.03, (ROWS, COLUMNS))
    picture = np.clip(0.5 + 0.4 * np.sin(x / 9.0) * np.cos(y / 7.0) + noise, 0, 1)
    picture[:4, :4], picture[-4:, -4:] = 0, 1
    whole = np.round(picture * (2**bits - 1)).astype(np.int64) - (2 ** (bits - 1) if signed else 0)
    width = 8 if bits <= 8 else 16
    return whole.astype(f"{'int' if signed else 'uint'}{width}")


def dataset(bits=12, signed=False, photometric="MONOCHROME2", pixels=None, **tags):
    """A radiograph that pydicom can write."""
    pixels = values(bits, signed) if pixels is None else pixels
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = DX, pydicom.uid.generate_uid(entropy_srcs=["case"])
    ds.StudyInstanceUID = ds.SOPInstanceUID + ".1"
    ds.PatientName, ds.PatientID, ds.Modality = "Nobody^At All", "0", "DX"
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = photometric
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8 * pixels.dtype.itemsize, bits, bits - 1
    ds.PixelRepresentation = int(signed)
    for name, value in tags.items():
        setattr(ds, name, value)
    ds.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    return ds


def written(ds, syntax=ExplicitVRLittleEndian):
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = DX, ds.SOPInstanceUID
    if syntax == ExplicitVRBigEndian and ds.BitsAllocated == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    buffer = DicomBytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def lut(first, bits, entries=1024, signed=False):
    """The item of a lookup table: a curve over `entries` inputs."""
    item = Dataset()
    curve = np.sqrt(np.linspace(0, 1, entries)) * (2**bits - 1)
    item.add_new(0x00283002, "SS" if signed else "US", [entries, first, bits])
    item.add_new(0x00283006, "US", [int(value) for value in curve])
    return Sequence([item])


def padded(ds, pixels):
    """Where a stored value is padding (PS3.3 C.7.5.1.1.2), which pydicom reads the tags of and no more."""
    if "PixelPaddingValue" not in ds:
        return np.zeros(pixels.shape, bool)

    def word(name):
        value = ds[name].value
        signed = bool(ds.PixelRepresentation)
        return int.from_bytes(value[:2], "little", signed=signed) if isinstance(value, bytes) else int(value)

    value = word("PixelPaddingValue")
    limit = word("PixelPaddingRangeLimit") if "PixelPaddingRangeLimit" in ds else value
    return (pixels >= min(value, limit)) & (pixels <= max(value, limit))


def square(light, ds):
    """The picture with square pixels, in straight lines between the middles of those that there are."""
    for name in ["PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"]:
        if len(ds.get(name) or []) == 2:
            height, width = map(float, ds[name].value)
            break
    else:
        return light
    if abs(height / width - 1) < 0.01:
        return light
    axis, ratio = (0, height / width) if height > width else (1, width / height)
    many = light.shape[axis]
    new = round(many * ratio)
    places = (np.arange(new) + 0.5) * many / new - 0.5
    return np.apply_along_axis(lambda line: np.interp(places, np.arange(many), line), axis, light)


def grey(ds):
    """pydicom's picture as luminance in 0 to 1 with square pixels, and the steps between black and white."""
    luminance = ds.PhotometricInterpretation.startswith("YBR_FULL")
    pixels = pixel_array(ds, raw=luminance)
    most = 2**ds.BitsStored - 1
    if ds.SamplesPerPixel == 3:
        # Colours are mixed in whole numbers: one step of 8 bits.
        return pixels.astype(float) @ ([1, 0, 0] if luminance else [0.299, 0.587, 0.114]) / most, 255
    rescaled = apply_modality_lut(pixels, ds).astype(float)
    if "ModalityLUTSequence" in ds:
        low, high = 0, 2 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    else:
        low, high = (-(2 ** (ds.BitsStored - 1)), 2 ** (ds.BitsStored - 1) - 1) if ds.PixelRepresentation else (0, most)
        slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
        low, high = sorted([low * slope + intercept, high * slope + intercept])
    shown = apply_voi_lut(apply_modality_lut(pixels, ds), ds).astype(float)
    if ds.get("VOILUTSequence"):
        low, high = 0, 2 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1
    elif "WindowCenter" not in ds:
        shown = rescaled
    light = (shown - low) / (high - low)
    steps = min(most, high - low) if ds.get("VOILUTSequence") else most
    light = np.clip(1 - light if ds.PhotometricInterpretation == "MONOCHROME1" else light, 0, 1)
    light[padded(ds, pixels)] = 0
    return square(light, ds), steps


def coded(source, target, syntax):
    """The file in another transfer syntax, by GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(source)
    assert reader.Read(), source
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change(), (source, syntax)
    writer = gdcm.ImageWriter()
    writer.SetFileName(target)
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write(), target


CODED = {
    "jpeg-lossless": gdcm.TransferSyntax.JPEGLosslessProcess14,
    "jpeg-lossless-sv1": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "jpeg-ls": gdcm.TransferSyntax.JPEGLSLossless,
    "jpeg-ls-near": gdcm.TransferSyntax.JPEGLSNearLossless,
    "jpeg-2000-lossless": gdcm.TransferSyntax.JPEG2000Lossless,
    "jpeg-2000": gdcm.TransferSyntax.JPEG2000,
    "rle-gdcm": gdcm.TransferSyntax.RLELossless,
}

# Of pydicom's own files what is refused here, with the sentence, beside what `refused` tells by the tags.
TWELVE, COLOUR = "JPEG Extended (Process 2 & 4), process C1, 12 bits", "Image Compression in colour"
REFUSED = {
    "JPEG-lossy.dcm": TWELVE,
    "JPGExtended.dcm": TWELVE,
    "MR_truncated.dcm": "reaches beyond its end",
    "UN_sequence.dcm": "Pixel Data is missing",
    "badVR.dcm": "got 32 with 32 stored",
    "no_meta.dcm": "got unknown content",
    "rtplan_truncated.dcm": "reaches beyond its end",
    "SC_rgb_jls_lossy_line.dcm": COLOUR,
    "SC_rgb_jls_lossy_sample.dcm": COLOUR,
}

# pydicom does not read it by GDCM.
NOT_JUDGED = "JPEG2000-embedded-sequence-delimiter.dcm"


class Cases:
    def __init__(self, folder):
        self.folder, self.cases = folder, []

    def path(self, name):
        return os.path.join(self.folder, name)

    def add(self, name, content, refused=None, judged=None):
        """A file of this content; `judged` is the dataset to judge it by where pydicom cannot open it."""
        with open(self.path(name), "wb") as file:
            file.write(content)
        self.judge(name, self.path(name), refused, judged)

    def judge(self, name, path, refused=None, judged=None):
        case = {"name": name, "file": path}
        if refused is None:
            ds = judged if judged is not None else pydicom.dcmread(path, force=True)
            light, steps = grey(ds)
            np.round(np.clip(light, 0, 1) * 65535).astype("<u2").tofile(self.path(name + ".grey"))
            case.update(width=light.shape[1], height=light.shape[0], steps=float(steps), grey=self.path(name + ".grey"))
        else:
            case["refused"] = refused
        self.cases.append(case)


def monochrome(cases):
    plain = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
    for number, bits in enumerate([8, 10, 12, 14, 16]):
        for signed in [False, True]:
            for photometric in ["MONOCHROME1", "MONOCHROME2"]:
                syntax = plain[(number + signed + 2 * (photometric == "MONOCHROME1")) % 4]
                name = f"{bits}-{'signed' if signed else 'unsigned'}-{photometric}-{syntax.name.replace(' ', '')}"
                cases.add(name, written(dataset(bits, signed, photometric), syntax))
    window = {"WindowCenter": 2000, "WindowWidth": 1500}
    rescale = {"RescaleSlope": "0.5", "RescaleIntercept": "-100"}
    high = values(12, False) << 4
    unused = values(12, False) | 0xA000
    for name, ds in {
        "window": dataset(**window),
        "window-of-1": dataset(WindowCenter=2000, WindowWidth=1),
        "window-of-0": None,
        "window-exact": dataset(**window, VOILUTFunction="LINEAR_EXACT"),
        "window-sigmoid": dataset(**window, VOILUTFunction="SIGMOID"),
        "windows": dataset(WindowCenter=[1500, 3000], WindowWidth=[900, 10]),
        "window-monochrome1": dataset(photometric="MONOCHROME1", **window),
        "window-signed": dataset(12, True, WindowCenter="-200.5", WindowWidth="1800.25"),
        "rescale": dataset(**rescale),
        "rescale-window": dataset(**rescale, WindowCenter=900, WindowWidth=1000),
        "rescale-signed-window": dataset(14, True, **rescale, WindowCenter=0, WindowWidth=6000),
        "voi-lut-10": dataset(VOILUTSequence=lut(1000, 10)),
        "voi-lut-12": dataset(VOILUTSequence=lut(0, 12, 4096)),
        "voi-lut-16-monochrome1": dataset(photometric="MONOCHROME1", VOILUTSequence=lut(500, 16, 2048)),
        "voi-lut-signed": dataset(12, True, VOILUTSequence=lut(-1000, 12, 2000, signed=True)),
        "voi-lut-and-window": dataset(**window, VOILUTSequence=lut(0, 12, 4096)),
        "modality-lut": dataset(ModalityLUTSequence=lut(200, 16, 3000)),
        "modality-lut-window": dataset(
            ModalityLUTSequence=lut(200, 16, 3000), WindowCenter=30000, WindowWidth=20000
        ),
        "high-bit-15": None,
        "bits-above-those-stored": None,
    }.items():
        if ds is not None:
            cases.add(name, written(ds))
            cases.add(name + "-implicit", written(ds, ImplicitVRLittleEndian))
    # What pydicom does not judge: a window of no width is none, and bits that are not stored are not seen.
    cases.add("window-of-0", written(dataset(WindowCenter=2000, WindowWidth=0)), judged=pydicom.dcmread(DicomBytesIO(written(dataset()))))
    plain = pydicom.dcmread(DicomBytesIO(written(dataset())))
    ds = dataset(pixels=high)
    ds.HighBit = 15
    cases.add("high-bit-15", written(ds), judged=plain)
    cases.add("bits-above-those-stored", written(dataset(pixels=unused)), judged=plain)
    ds = dataset()
    ds.PixelData = ds.PixelData[:-2]
    cases.add("a-pixel-short", written(ds), refused="cut short (it has fewer samples than its size says)")


def meant(cases):
    """Values that mean something else than they are: unused bits, padding, pixels that are not square."""
    window = {"WindowCenter": 2047.5, "WindowWidth": 4096}
    rescale = {"RescaleSlope": "0.5", "RescaleIntercept": "-100"}
    plain = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
    for number, (photometric, signed) in enumerate(
        [("MONOCHROME1", False), ("MONOCHROME1", True), ("MONOCHROME2", False), ("MONOCHROME2", True)]
    ):
        name, syntax = f"{photometric}-{'signed' if signed else 'unsigned'}", plain[number % 3]
        pixels = values(12, signed)

        def written_as(**tags):
            return written(dataset(16, signed, photometric, pixels, **tags), syntax)

        refused = "12 bits in 16: the file does not say which values are black and white"
        cases.add(f"unused-{name}", written_as(), refused=refused)
        cases.add(f"unused-{name}-rescale", written_as(**rescale), refused=refused)
        cases.add(f"unused-{name}-window", written_as(**{**window, "WindowCenter": 0} if signed else window))
        least, most = int(pixels.min()), int(pixels.max())
        for which, tags in {
            "least": {"PixelPaddingValue": least},
            "most": {"PixelPaddingValue": most},
            "range": {"PixelPaddingValue": least, "PixelPaddingRangeLimit": least + 500},
            "range-down": {"PixelPaddingValue": most, "PixelPaddingRangeLimit": most - 500},
            "window": {"PixelPaddingValue": least, **window},
            "rescale": {"PixelPaddingValue": most, **rescale},
        }.items():
            cases.add(f"padding-{name}-{which}", written(dataset(12, signed, photometric, **tags), syntax))
        # Padding at the other end of 16 bits makes no range of it.
        edge = pixels.copy()
        edge[:, :8] = 32767 if signed else 65535
        told = {"PixelPaddingValue": int(edge.max())}
        cases.add(f"unused-{name}-padding", written(dataset(16, signed, photometric, edge, **told), syntax), refused=refused)
        cases.add(f"all-padding-{name}", written(dataset(12, signed, photometric, PixelPaddingValue=least, PixelPaddingRangeLimit=most), syntax), refused="all of its pixels are padding")
    for which, tags in {
        "ratio": {"PixelAspectRatio": [2, 1]},
        "ratio-of-thirds": {"PixelAspectRatio": [3, 4]},
        "spacing": {"PixelSpacing": [0.3, 0.2]},
        "imager": {"ImagerPixelSpacing": [0.1, 0.25]},
        "scanned": {"NominalScannedPixelSpacing": [0.2, 0.1]},
        "spacing-before-ratio": {"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [2, 1]},
        "almost-square": {"PixelSpacing": [0.1430, 0.1434]},
    }.items():
        cases.add(f"pixels-{which}", written(dataset(**tags)))
        cases.add(f"pixels-{which}-implicit", written(dataset(photometric="MONOCHROME1", **tags), ImplicitVRLittleEndian))
    cases.add("pixels-of-a-mistake", written(dataset(PixelSpacing=[10, 0.2])), refused="got 10 by 0.2")


def syntaxes(cases):
    for bits, signed in [(8, False), (12, False), (16, False), (12, True), (16, True)]:
        form = f"{bits}-{'signed' if signed else 'unsigned'}"
        ds = dataset(bits, signed)
        plain = cases.path(f"plain-{form}")
        with open(plain, "wb") as file:
            file.write(written(ds))
        compressed = pydicom.dcmread(plain)
        compressed.compress(RLELossless)
        buffer = DicomBytesIO()
        compressed.save_as(buffer, enforce_file_format=True)
        cases.add(f"rle-{form}", buffer.getvalue())
        for name, syntax in CODED.items():
            coded(plain, cases.path(f"{name}-{form}"), syntax)
            cases.judge(f"{name}-{form}", cases.path(f"{name}-{form}"))
    coded(cases.path("plain-8-unsigned"), cases.path("jpeg-baseline"), gdcm.TransferSyntax.JPEGBaselineProcess1)
    cases.judge("jpeg-baseline", cases.path("jpeg-baseline"))
    coded(cases.path("plain-12-unsigned"), cases.path("jpeg-12"), gdcm.TransferSyntax.JPEGExtendedProcess2_4)
    cases.judge("jpeg-12", cases.path("jpeg-12"), refused="JPEG Extended")
    content = written(dataset()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.6\0")
    cases.add("unknown-syntax", content, refused="which is not read; have it sent uncompressed")


def containers(cases):
    whole = written(dataset())
    judged = pydicom.dcmread(DicomBytesIO(whole))
    cases.add("no-preamble", whole[132:], judged=judged)
    cases.add("prefix-without-preamble", whole[128:], judged=judged)
    cases.add("preamble-of-a-tiff", b"II*\0" + whole[4:], judged=judged)
    meta = 132 + 12 + int.from_bytes(whole[140:144], "little")
    cases.add("no-meta-explicit", whole[meta:], judged=judged)
    cases.add("preamble-no-meta", whole[:132] + whole[meta:], judged=judged)
    cases.add("no-meta-group-length", whole[:132] + whole[144:], judged=judged)
    for syntax, name in [(ImplicitVRLittleEndian, "implicit"), (ExplicitVRBigEndian, "big-endian")]:
        other = written(dataset(), syntax)
        meta = 132 + 12 + int.from_bytes(other[140:144], "little")
        cases.add(f"no-meta-{name}", other[meta:], judged=judged)
    # The syntax that is stated is not the one that is written.
    cases.add("stated-explicit-is-implicit", written(dataset(), ImplicitVRLittleEndian).replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2\0"), judged=judged)
    frames = dataset(NumberOfFrames=2)
    frames.PixelData = frames.PixelData * 2
    cases.add("two-frames", written(frames), refused="got a DICOM file of 2 frames")
    cases.add("no-pixels", written_without(dataset(), "PixelData"), refused="holds no picture (Pixel Data is missing)")
    cases.add("no-rows", written_without(dataset(), "Rows"), refused="holds no picture (Rows is missing)")
    palette = dataset(8, photometric="PALETTE COLOR")
    cases.add("palette", written(palette), refused="got PALETTE COLOR")
    for length in [0, 100, 140, 300, meta + 20, len(whole) // 2]:
        cases.add(f"cut-at-{length}", whole[:length], refused="")


def written_without(ds, name):
    delattr(ds, name)
    return written(ds)


def colours(cases):
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    rgb = np.stack([90 + x, 80 + y, 120 + (x + y) // 2], axis=2).astype(np.uint8)
    ds = dataset(8, photometric="RGB", pixels=rgb)
    cases.add("rgb", written(ds))
    compressed = pydicom.dcmread(cases.path("rgb"))
    compressed.compress(RLELossless)
    buffer = DicomBytesIO()
    compressed.save_as(buffer, enforce_file_format=True)
    cases.add("rgb-rle", buffer.getvalue())
    coded(cases.path("rgb"), cases.path("rgb-jpeg-2000"), gdcm.TransferSyntax.JPEG2000Lossless)
    cases.judge("rgb-jpeg-2000", cases.path("rgb-jpeg-2000"))
    ds.PlanarConfiguration, ds.PixelData = 1, rgb.transpose(2, 0, 1).tobytes()
    cases.add("rgb-planes", written(ds))
    ybr = pydicom.pixels.convert_color_space(rgb, "RGB", "YBR_FULL")
    cases.add("ybr", written(dataset(8, photometric="YBR_FULL", pixels=ybr)))
    halved = dataset(8, photometric="YBR_FULL_422", pixels=ybr)
    pairs = ybr.reshape(-1, 2, 3)
    halved.PixelData = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], axis=1).tobytes()
    cases.add("ybr-422", written(halved))


def own(cases):
    """pydicom's test files: each with a picture, and some without."""
    folder = os.path.join(os.path.dirname(pydicom.__file__), "data", "test_files")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not name.endswith(".dcm") or name == NOT_JUDGED:
            continue
        ds = pydicom.dcmread(path, force=True)
        cases.judge("pydicom-" + name, path, refused=refused(name, ds))


def refused(name, ds):
    if name in REFUSED:
        return REFUSED[name]
    if "PixelData" not in ds:
        return "holds no picture"
    if str(ds.get("NumberOfFrames") or 1) != "1":
        return "frames"
    if "Rows" not in ds:
        return "holds no picture"
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        return "PALETTE COLOR"
    if ds.BitsAllocated not in (8, 16):
        return "bits a sample"
    if min(ds.Rows, ds.Columns) < 32:
        return "sides of 32 to"
    return None


def main(folder):
    cases = Cases(folder)
    for part in (monochrome, meant, syntaxes, containers, colours, own):
        part(cases)
    with open(cases.path("cases.json"), "w") as file:
        json.dump(cases.cases, file)


main(sys.argv[1])
