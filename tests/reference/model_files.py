"""Measures the model files of tests/importers/model_files.py: run it where ultralytics is installed.

    PYTHONPATH=. python tests/reference/model_files.py > tests/reference/model_files.json

Of each file: all parameters and multiplies (torch's FlopCounterMode halved), and of each layer that multiplies its own,
without the products inside of attention. What makes a position encoding that is not learned is taken off.
"""

from __future__ import annotations

import json
import logging
import sys

import torch
import ultralytics
import yaml
from torch.utils.flop_counter import FlopCounterMode
from ultralytics.nn import tasks

from tests.importers.model_files import DESIGNS, FILES, SIZE

MODELS = (
    ("SemanticSegment", "SemanticSegmentationModel"), ("YOLOESegment", "YOLOESegModel"), ("YOLOE", "YOLOEModel"),
    ("World", "WorldModel"), ("Segment", "SegmentationModel"), ("Pose", "PoseModel"), ("OBB", "OBBModel"),
    ("Classify", "ClassificationModel"), ("Depth", "DepthModel"), ("RTDETR", "RTDETRDetectionModel"),
    ("", "DetectionModel"),
)  # fmt: skip


def build(design):
    name, _, scale = design.partition("@")
    settings = yaml.safe_load(FILES[name])  # noqa: TID251 - as the package reads it
    settings["scale"] = scale
    kind = settings["head"][-1][2]
    model = next(found for word, found in MODELS if word in kind)
    built = getattr(tasks, model)(settings, ch=3, nc=settings["nc"], verbose=False).eval()
    if "YOLOE" in kind:
        built.pe = torch.zeros(1, settings["nc"], 512)  # the text of as many classes; by default there are 80
    return built


def multiplies(layer, x, y):
    if isinstance(layer, torch.nn.Conv2d):
        return y.numel() * layer.weight[0].numel()
    if isinstance(layer, torch.nn.ConvTranspose2d):
        return x.numel() * layer.weight[0].numel()
    return x.numel() // x.shape[-1] * layer.weight.numel() if isinstance(layer, torch.nn.Linear) else 0


def measure(design):
    model, layers = build(design), {}

    def hook(name):
        def count(layer, inputs, output):
            if found := multiplies(layer, inputs[0], output):
                known = layers.setdefault(name, [sum(weight.numel() for weight in layer.parameters()), 0])
                known[1] += found

        return count

    tables = []

    def table(layer, inputs, output):
        """Two products of places and frequencies, a quarter of the channels each."""
        tables.append(2 * inputs[0].numel() // 4)

    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear):
            layer.register_forward_hook(hook(name))
        if type(layer).__name__ == "AIFI":
            layer.register_forward_hook(table)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, SIZE, SIZE))
    params = sum(weight.numel() for weight in model.parameters())
    return {"params": params, "macs": counter.get_total_flops() // 2 - sum(tables), "layers": layers}


logging.disable()  # it writes to standard output
measured = {design: measure(design) for design in DESIGNS}
versions = {"torch": torch.__version__, "ultralytics": ultralytics.__version__}
text = json.dumps({"versions": versions, "designs": measured}, separators=(",", ":"))
sys.stdout.write(text.replace('},"', '},\n"') + "\n")
