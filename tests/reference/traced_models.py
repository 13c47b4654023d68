"""What the importer of PyTorch models gives for networks whose counts are known: ``traced_models.json``.

To be run where torch 2.14.1, torchvision 0.29.1 and timm 1.0.31 are installed; the tests need none of them::

    PYTHONPATH=. python tests/reference/traced_models.py models
    PYTHONPATH=. python tests/reference/traced_models.py check
    PYTHONPATH=. python tests/reference/traced_models.py recordings

``models`` traces the networks of torchvision.json, timm.json and custom.json, those of ``OTHERS``, and the modules of
``torch_modules.py``; for the last two ``torch.utils.flop_counter`` counts too, on the meta device. ``check`` traces
them again and compares. ``recordings`` writes what some modules gave, for tests without PyTorch.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch
import torch_modules
import torchvision
from torch.utils import _pytree as trees
from torch.utils.flop_counter import FlopCounterMode

from convcalc.errors import Source
from convcalc.importers.torch.build import built
from convcalc.importers.torch.dispatch import dispatched
from convcalc.importers.torch.parent import graph_of
from convcalc.importers.torch.recording import Recording
from convcalc.importers.torch.trace import traced

HERE = Path(__file__).parent
TABLE = HERE / "traced_models.json"
RECORDINGS = HERE.parent / "importers" / "torch_recordings.json"
RECORDED = (
    "Functional", "TiedBias", "Shared", "InPlace", "Einsum", "Unfold", "Rnns", "MoE", "WeightNorm", "Unused", "Siamese",
    "Gqa", "DynConv", "NoGrad", "Conv1dNet", "CustomOut", "WindowConv", "SharedNorm", "TiedConvLinear", "Batchy",
    "ComplexFft", "Gathers", "VideoFrames", "CtrlMask", "RmsOut", "Branch", "Rounds", "WeightProducts", "Spectral",
    "Parts", "TwiceShared", "Packed",
)  # fmt: skip
DISPATCHED = ("CustomOut", "TwiceShared")
"""Recorded by the dispatcher, as where the exporter fails."""
VIDEOS = ("mvit_v1_b", "mvit_v2_s", "s3d", "swin3d_t")
OTHERS = {
    "torchvision": """
        vgg13_bn mobilenet_v3_small mnasnet1_3 shufflenet_v2_x1_5 efficientnet_b2 regnet_y_800mf convnext_small vit_l_16
        swin_v2_t swin_s maxvit_t deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large mvit_v1_b mvit_v2_s s3d
        swin3d_t resnext101_64x4d densenet201
    """,
    "timm": """
        vit_base_patch16_224 deit3_small_patch16_224 beit_base_patch16_224 cait_xxs24_224 coat_lite_tiny pit_ti_224
        convmixer_768_32 crossvit_9_240 dla34 edgenext_small efficientformer_l1 efficientvit_b0 eva02_tiny_patch14_224
        fastvit_t8 focalnet_tiny_srf gcvit_xxtiny hrnet_w18 levit_128 mobilevit_s mobilevitv2_050 nest_tiny nf_resnet50
        nfnet_l0 pvt_v2_b0 regnetz_005 res2net50_26w_4s resnest14d resnetv2_50x1_bit sequencer2d_s skresnet18
        swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 tf_efficientnet_b0 tf_efficientnet_cc_b0_4e tiny_vit_5m_224
        tnt_s_patch16_224 twins_pcpvt_small volo_d1_224 xcit_nano_12_p16_224 botnet26t_256 halonet26t lambda_resnet26t
        gmlp_s16_224 resmlp_12_224 poolformer_s12 maxvit_tiny_rw_224 coatnet_0_rw_224 visformer_tiny convit_tiny
        hiera_tiny_224 davit_tiny inception_next_atto mambaout_femto repvit_m0_9 rdnet_tiny starnet_s1 ghostnetv2_100
        mobilenetv4_hybrid_medium efficientvit_m0 shvit_s1 fasternet_t0 swiftformer_xs mixnet_s selecsls42b
        pnasnet5large efficientformerv2_s0 bat_resnext26ts sehalonet33ts nextvit_small convformer_s18 csatv2
    """,
}


def network(source: str, name: str) -> tuple[Callable[[], torch.nn.Module], list[int] | None]:
    """Return what makes a network, and the shape of its input where the network knows it itself."""
    base, _, size = name.partition("@")
    if source == "custom":
        return torch_modules.CUSTOM[name], None
    if source == "timm":
        return lambda: timm.create_model(name), None
    without = base.endswith("_noaux")
    base = base.removesuffix("_noaux")
    options: dict[str, Any] = {"image_size": int(size)} if size else {}
    if base in ("googlenet", "inception_v3"):
        options |= {"aux_logits": not without, "init_weights": False}
    if base.startswith(("fcn", "deeplab", "lraspp")):
        options |= {"weights_backbone": None, **({} if base.startswith("lraspp") else {"aux_loss": not without})}
    shape = [3, 16, 224, 224] if base in VIDEOS else [3, 224, 224]
    return lambda: torchvision.models.get_model(base, weights=None, **options), shape


def cases() -> Iterator[tuple[str, Callable[[], torch.nn.Module], list[int] | None, Any, int | None, str]]:
    """Give all networks: their names, what makes them, inputs, and multiplies if they are known."""
    for source in ("torchvision", "timm", "custom"):
        known = json.loads((HERE / f"{source}.json").read_text(encoding="utf-8"))["models"]
        for name in [*known, *OTHERS.get(source, "").split()]:
            try:
                build, shape = network(source, name)
            except KeyError:
                continue
            shape = known[name]["input"] if name in known else shape
            yield f"{source}:{name}", build, shape, None, known[name]["macs"] if name in known else None, ""
    for name, case in torch_modules.MODULES.items():
        yield f"odd:{name}", case.build, case.shape, case.given, case.macs, case.dtype


def lines_of(build: Any, shape: list[int] | None, given: Any, dtype: str) -> tuple[torch.nn.Module, list[Any], list]:
    """Trace a network."""
    model, notes = built(build, {}, "it", training=False)
    if shape is None and given is None:
        shape = list(model.default_cfg["input_size"])
    shapes = [{"name": "", "axes": shape, "dtype": dtype}] if shape else []
    return model, [*notes, *traced(model, shapes, given)], shapes


def counted(build: Any, shape: list[int] | None, given: Any, dtype: str) -> int:
    """Return the multiplies that the counter of PyTorch finds."""
    with torch.device("meta"):
        model = build().eval()
        found = (torch.zeros((1, *shape), dtype=getattr(torch, dtype or "float32")),) if shape else given()
    args, named = found if len(found) == 2 and isinstance(found[1], dict) else (found, {})
    moved = partial(trees.tree_map, lambda each: each.to("meta") if isinstance(each, torch.Tensor) else each)
    args, named = moved(args), moved(named)
    with FlopCounterMode(display=False) as counter:
        model(*args, **named)
    return counter.get_total_flops() // 2


def row(build: Any, shape: list[int] | None, given: Any, macs: int | None, dtype: str) -> dict[str, Any]:
    """Return what the importer gives for a network, and what is known of it."""
    model, lines, shapes = lines_of(build, shape, given, dtype)
    recording = Recording()
    for line in lines:
        recording.add(line)
    graph, unused, _ = graph_of(recording, Source("it"))
    truth = counted(build, shapes[0]["axes"] if shapes else None, given, dtype) if macs is None else macs
    products = [
        [sum(shape.elements for shape in node.facts.weights.values()), product.multiplies]
        for node in graph.layers
        for product in node.facts.products
        if product.multiplies
    ]
    params = sum(shape.elements for node in graph.layers if node.weight_owner == node.index
                 for shape in node.facts.weights.values())  # fmt: skip
    return {
        "truth": {"params": sum(each.numel() for each in model.parameters()), "macs": truth},
        "params": params,
        "macs": sum(macs for _, macs in products),
        "unknown": sorted({node.source.node.rpartition(".")[2] for node in graph.uncounted}),
        "unused": len(unused),
        **({"products": products} if macs is not None else {}),
    }


def measured() -> dict[str, Any]:
    """Return the rows of all networks."""
    table: dict[str, Any] = {}
    for name, *case in cases():
        table[name] = row(*case)
        equal = table[name]["truth"] == {key: table[name][key] for key in ("params", "macs")}
        sys.stderr.write(f"{name} {equal}\n")
    return table


def main(command: str) -> None:
    """Measure, check, or record."""
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    if command == "recordings":
        found = {}
        for name in RECORDED:
            case = torch_modules.MODULES[name]
            model, lines, _ = lines_of(case.build, case.shape, case.given, case.dtype)
            if name in DISPATCHED:
                entering = torch.zeros((1, *case.shape), device="meta")
                lines = dispatched(model, (entering,), {}, ["x"])
            macs = counted(case.build, case.shape, case.given, case.dtype) if case.macs is None else case.macs
            params = sum(each.numel() for each in model.parameters())
            found[name] = {"params": params, "macs": macs, "lines": lines}
        RECORDINGS.write_text(_text(found), encoding="utf-8")
        return
    text = _text(measured())
    if command == "models":
        TABLE.write_text(text, encoding="utf-8")
    else:
        sys.exit(text != TABLE.read_text(encoding="utf-8"))


def _text(table: dict[str, Any]) -> str:
    rows = (f"  {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in table.items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    main(sys.argv[1])
