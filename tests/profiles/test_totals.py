"""What tools printed for whole networks, against the profiles of the shipped specs: exact, cell by cell."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import convcalc
from convcalc import profiles
from convcalc.designs.sources import open_source
from convcalc.designs.zoo import search_zoo
from convcalc.errors import Source
from convcalc.graph.graph import Graph
from convcalc.profiles import ProfileResult
from tests.conftest import ROOT
from tests.zoo.test_language_networks import MODULES, NETWORKS

OTHER_TOOLS = json.loads((Path(__file__).parents[1] / "reference" / "other_tools.json").read_text("utf-8"))
COLUMNS: list[str] = OTHER_TOOLS["columns"]
TOTALS: dict[str, list[int]] = OTHER_TOOLS["totals"]

EVALUATED = (
    "fvcore", "fvcore_activations", "torch", "ptflops_pytorch", "ptflops_aten", "thop", "torchinfo", "calflops",
    "calflops_macs",
)  # fmt: skip
ON_A_CPU = {
    "alexnet": (714197696, 494184, 1428376960, 716441128, 714682664, 714206912, 714682664, 1429741184, 714188480),
    "vgg16": (15470289408, 13556712, 30940528640, 15523225576, 15483821032, 15470314496, 15483821032, 30973778432,
              15470264320),
    "resnet18": (1819065856, 2484712, 3628146688, 1825313768, 1814074344, 1824033792, 1814083944, 3636250112,
                 1814073344),
    "resnet50": (4111512576, 11114984, 8178368512, 4132436968, 4089185256, 4133742592, 4089238376, 8211108352,
                 4089184256),
    "mobilenet_v2": (314193216, 6679112, 601548544, 320300008, 300775272, 327486720, 300809384, 614967488, 300774272),
    "mobilenet_v3_large": (226033824, 4407168, 433179520, 231316416, 216597120, 234838456, 216621520, 444944056,
                           216589760),
    "squeezenet1_0": (819093576, 4346248, 1637849152, 836821960, 823270824, 819094576, 823270824, 1648970968,
                      818924576),
    "densenet121": (2865546752, 6900200, 5668323328, 2899843048, 2834162664, 2897007104, 2834246312, 5716881152,
                    2834161664),
    "googlenet": (1504878688, 3227160, 2996752384, 1513907448, 1498377192, 1511332032, 1498391752, 3009356752,
                  1498376192),
    "efficientnet_b0": (401659392, 6748036, 771629504, 410196896, 385825092, 415145024, 385867108, 793641400,
                        385814752),
    "resnext50_32x4d": (4259381248, 14401512, 8460959744, 4286878696, 4230480872, 4288184320, 4230549096, 8503559168,
                        4230479872),
    "shufflenet_v2_x1_0": (148808392, 1951200, 289815984, 152387568, 144908992, 152708792, 144925172, 295505472,
                           144907992),
    "convnext_tiny": (4470437376, 13435624, 8911062528, 4488347368, 4468966888, 4464149760, 322371592, 8937258240,
                      4455531264),
    "swin_t": (4509232128, 17055352, 8981133312, 3128183416, 4503738856, 2978099712, 34368232, 9008009616, 4490566656),
}  # fmt: skip
"""torchvision 0.29.1's networks on a CPU, torch 2.14.1, batch 1, 3×224×224: what each tool of ``EVALUATED`` printed."""
WITHOUT_GRADIENTS = (11290036992, 9229288, 22542249984, 17606030584, 11280354280, 11286254592, 173232616, 22568574720,
                     11271124992)  # fmt: skip
"""torchvision's vit_b_16 alike, under ``torch.no_grad``, where nn.MultiheadAttention takes its fast path."""

DISTORTED = {
    "timm/cspdarknet53": {"calflops": 16809984},
    "timm/darknet53": {"calflops": 12386304},
    "custom/dcgan_discriminator": {"calflops": 122880},
    "torchvision/fcn_resnet50_noaux": {"calflops": 21 * 520 * 520 * 1560},
    "torchvision/fcn_resnet50": {"calflops": 2 * 21 * 520 * 520 * 1560},
    "torchvision/deeplabv3_resnet50_noaux": {"calflops": 21 * 520 * 520 * 1560 + 256 * 65 * 65 * 195},
}
"""What calflops counted more on the meta device than it does on a CPU.

There torch works out leaky ReLU and bilinear interpolation in Python, by torch.mul and others that calflops replaces
by counting ones: on 1×8×10×10 nn.LeakyReLU gives 1600 in place of 800, interpolation to 20×20 192400 in place of 400.
"""

MODULES_OF_TORCH_SCAN = {
    "resnet50": (4111916032, 8221876096),
    "resnet18": (1819467776, 3638342528),
    "mobilenet_v2": (314130496, 633829856),
    "vgg16": (15471844864, 30955673088),
}
"""torch-scan 0.2, module by module: MACs and FLOPs."""

PUBLISHED = {
    "torchvision/resnet18": ("1.82", "2.48"),
    "torchvision/resnet50": ("4.11", "11.11"),
    "torchvision/vgg16": ("15.47", "13.56"),
    "torchvision/densenet121": ("2.87", "6.90"),
    "torchvision/convnext_tiny": ("4.47", "13.44"),
    "torchvision/efficientnet_b0": ("0.40", "6.75"),
    "timm/deit_tiny_patch16_224": ("1.26", "5.97"),
}
"""timm's benchmark-infer tables (pt240, rtx3090): billions of gmacs, millions of macts, by networks alike in both."""


@cache
def designs() -> dict[str, Graph]:
    """The design of every module that a tool was run on: shipped, or for tests alone."""
    found: dict[str, Graph] = {}
    for one in search_zoo():
        for module in one.modules:
            if module in TOTALS and module not in found:
                found[module] = one.expand().graph
    for module in ("googlenet", "inception_v3"):  # the auxiliary heads do not run in evaluation
        found[f"torchvision/{module}"] = found[f"torchvision/{module}_noaux"]
    for name, module in MODULES.items():
        found[module] = convcalc.load(NETWORKS / f"{name}.yaml").graph
    return found


def standing(graph: Graph, key: str) -> ProfileResult:
    return profiles.profile_result(graph, profiles.find_profile(key))


def test_all_modules_have_a_design() -> None:
    assert set(designs()) == set(TOTALS)
    assert set(DISTORTED) < set(TOTALS)


@pytest.mark.parametrize("key", COLUMNS)
def test_every_total_is_what_the_tool_printed(key: str) -> None:
    column = COLUMNS.index(key)
    wrong = {}
    for module, graph in designs().items():
        missing = TOTALS[module][column] - profiles.total(graph, key)
        if missing != DISTORTED.get(module, {}).get(key, 0):
            wrong[module] = missing
    assert wrong == {}


@pytest.mark.parametrize("name", ON_A_CPU)
def test_totals_on_a_cpu(name: str) -> None:
    graph = designs()[f"torchvision/{name}"]
    assert tuple(profiles.total(graph, key) for key in EVALUATED) == ON_A_CPU[name]


def test_attention_on_its_fast_path() -> None:
    text = (ROOT / "specs" / "zoo" / "vit.yaml").read_text("utf-8").replace("via: fused", "via: fast_path")
    graph = open_source(Source("vit.yaml", text)).graph
    assert tuple(profiles.total(graph, key) for key in EVALUATED) == WITHOUT_GRADIENTS


@pytest.mark.parametrize("name", MODULES_OF_TORCH_SCAN)
def test_torch_scan(name: str) -> None:
    graph = designs()[f"torchvision/{name}"]
    totals = (profiles.total(graph, "torchscan_module_macs"), profiles.total(graph, "torchscan_module_flops"))
    assert totals == MODULES_OF_TORCH_SCAN[name]


@pytest.mark.parametrize("module", PUBLISHED)
def test_timm_prints_hundredths(module: str) -> None:
    graph = designs()[module]
    shown = (f"{profiles.total(graph, 'timm') / 1e9:.2f}", f"{profiles.total(graph, 'timm_macts') / 1e6:.2f}")
    assert shown == PUBLISHED[module]


def test_terms_of_resnet50() -> None:
    """Checked by hand: 11,113,984 elements of batch norms, 9,608,704 of ReLUs, pools of 802,816 and 100,352."""
    graph = designs()["torchvision/resnet50"]
    macs, norm, relu, pools = 4_089_184_256, 11_113_984, 9_608_704, 802_816 + 100_352
    assert standing(graph, "fvcore").terms == {"macs": macs, "batch norm": 2 * norm, "pooling": 100_352}
    assert standing(graph, "thop").terms == {"macs": macs, "batch norm": 4 * norm, "pooling": 2048 * (49 + 1)}
    assert standing(graph, "torchinfo").terms == {"macs": macs, "bias": 1000, "batch norm": 53_120}
    assert standing(graph, "torch").terms == {"macs": macs, "additions": macs}
    assert standing(graph, "ptflops_pytorch").terms == {
        "macs": macs,
        "bias": 1000,
        "batch norm": 2 * norm,
        "activation functions": relu,
        "pooling": pools,
        "doubled modules": relu + pools,
    }
    assert standing(graph, "calflops").terms == {
        "macs": macs,
        "additions": macs,
        "batch norm": 2 * norm,
        "activation functions": relu,
        "pooling": pools,
    }
