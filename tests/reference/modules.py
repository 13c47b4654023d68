"""Networks of which no framework has a module, written in PyTorch layer by layer after the sources that they name.

They share nothing with the specs, whose truth they are: sizes that a source prints stand here as it prints them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Built = tuple[nn.Module, list[int]]


def build(name: str) -> Built:
    """The module of that name, without weights, and the shape that it reads."""
    with torch.device("meta"):
        return BUILDERS[name]()


# --- sound ------------------------------------------------------------------------------------------------------------


class M5(nn.Module):
    """PyTorch's tutorial "Speech Command Classification with torchaudio", after Dai et al. 2016, Table 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, 32, kernel_size=80, stride=16)
        self.bn1 = nn.BatchNorm1d(32)
        self.pool1 = nn.MaxPool1d(4)
        self.conv2 = nn.Conv1d(32, 32, kernel_size=3)
        self.bn2 = nn.BatchNorm1d(32)
        self.pool2 = nn.MaxPool1d(4)
        self.conv3 = nn.Conv1d(32, 64, kernel_size=3)
        self.bn3 = nn.BatchNorm1d(64)
        self.pool3 = nn.MaxPool1d(4)
        self.conv4 = nn.Conv1d(64, 64, kernel_size=3)
        self.bn4 = nn.BatchNorm1d(64)
        self.pool4 = nn.MaxPool1d(4)
        self.fc1 = nn.Linear(64, 35)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(functional.relu(self.bn1(self.conv1(x))))
        x = self.pool2(functional.relu(self.bn2(self.conv2(x))))
        x = self.pool3(functional.relu(self.bn3(self.conv3(x))))
        x = self.pool4(functional.relu(self.bn4(self.conv4(x))))
        x = functional.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return functional.log_softmax(self.fc1(x), dim=2)


class RawWaveform(nn.Module):
    """Dai et al. 2016, Table 1: [80/4, c], then [3, c] × n after each pooling by 4; all convolutions are padded."""

    def __init__(self, first: int, stages: list[tuple[int, int]]) -> None:
        super().__init__()
        layers = self.layer(nn.Conv1d(1, first, 80, 4, padding=38))
        for channels, count in stages:
            layers.append(nn.MaxPool1d(4))
            for _ in range(count):
                layers += self.layer(nn.Conv1d(first, channels, 3, padding=1))
                first = channels
        self.features = nn.Sequential(*layers, nn.MaxPool1d(4), nn.AdaptiveAvgPool1d(1))
        self.head = nn.Linear(first, 10)

    @staticmethod
    def layer(convolution: nn.Conv1d) -> list[nn.Module]:
        return [convolution, nn.BatchNorm1d(convolution.out_channels), nn.ReLU()]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).permute(0, 2, 1))


class WaveNet(nn.Module):
    """Van den Oord et al. 2016, figure 4: three times the dilations 1 to 512, 64 residual and 256 skip channels."""

    def __init__(self) -> None:
        super().__init__()
        self.causal = nn.Conv1d(256, 64, 2)
        self.dilations = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] * 3
        self.filters = nn.ModuleList(nn.Conv1d(64, 64, 2, dilation=d) for d in self.dilations)
        self.gates = nn.ModuleList(nn.Conv1d(64, 64, 2, dilation=d) for d in self.dilations)
        self.skips = nn.ModuleList(nn.Conv1d(64, 256, 1) for _ in self.dilations)
        self.residuals = nn.ModuleList(nn.Conv1d(64, 64, 1) for _ in self.dilations[:-1])  # nothing reads a last one
        self.out1 = nn.Conv1d(256, 256, 1)
        self.out2 = nn.Conv1d(256, 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.causal(functional.pad(x, (1, 0)))
        skipped = []
        for number, dilation in enumerate(self.dilations):
            past = functional.pad(x, (dilation, 0))
            gated = torch.tanh(self.filters[number](past)) * torch.sigmoid(self.gates[number](past))
            skipped.append(self.skips[number](gated))
            if number < len(self.residuals):
                x = x + self.residuals[number](gated)
        total = torch.stack(skipped).sum(0)
        return functional.softmax(self.out2(functional.relu(self.out1(functional.relu(total)))), dim=1)


# --- text -------------------------------------------------------------------------------------------------------------


class TextClassifier(nn.Module):
    """A table of 20,000 words, one recurrent layer, and a linear layer on its last step."""

    def __init__(self, recurrent: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20_000, 128)
        self.recurrent = recurrent(128, 128, batch_first=True)
        self.head = nn.Linear(128, 2)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.recurrent(self.embedding(x))
        return self.head(steps[:, -1])


# --- segmentation -----------------------------------------------------------------------------------------------------


class PaddedUNet(nn.Module):
    """Ronneberger et al. 2015, figure 1, with padded convolutions: nothing is to be cropped."""

    def __init__(self) -> None:
        super().__init__()
        pairs = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]
        self.down = nn.ModuleList(self.double(before, after) for before, after in pairs)
        self.widen = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in (512, 256, 128, 64))
        self.up = nn.ModuleList(self.double(2 * width, width) for width in (512, 256, 128, 64))
        self.out = nn.Conv2d(64, 2, 1)

    @staticmethod
    def double(before: int, after: int) -> nn.Module:
        first, second = nn.Conv2d(before, after, 3, padding=1), nn.Conv2d(after, after, 3, padding=1)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for level in self.down[:-1]:
            kept.append(level(x))
            x = functional.max_pool2d(kept[-1], 2)
        x = self.down[-1](x)
        for widen, level in zip(self.widen, self.up, strict=True):
            x = level(torch.cat([kept.pop(), widen(x)], 1))
        return self.out(x)


class UNet3D(nn.Module):
    """Çiçek et al. 2016, figure 2, on a tile of 132 × 132 × 116 voxels; up-convolutions have no bias."""

    def __init__(self) -> None:
        super().__init__()
        self.down1 = self.double(3, 32, 64)
        self.down2 = self.double(64, 64, 128)
        self.down3 = self.double(128, 128, 256)
        self.down4 = self.double(256, 256, 512)
        self.widen3 = nn.ConvTranspose3d(512, 512, 2, 2, bias=False)
        self.up3 = self.double(256 + 512, 256, 256)
        self.widen2 = nn.ConvTranspose3d(256, 256, 2, 2, bias=False)
        self.up2 = self.double(128 + 256, 128, 128)
        self.widen1 = nn.ConvTranspose3d(128, 128, 2, 2, bias=False)
        self.up1 = self.double(64 + 128, 64, 64)
        self.out = nn.Conv3d(64, 3, 1)

    @staticmethod
    def double(before: int, between: int, after: int) -> nn.Module:
        first = [nn.Conv3d(before, between, 3), nn.BatchNorm3d(between), nn.ReLU()]
        return nn.Sequential(*first, nn.Conv3d(between, after, 3), nn.BatchNorm3d(after), nn.ReLU())

    @staticmethod
    def joined(kept: Tensor, x: Tensor) -> Tensor:
        edge = (kept.shape[-1] - x.shape[-1]) // 2
        inner = slice(edge, -edge)
        return torch.cat([kept[:, :, inner, inner, inner], x], 1)

    def forward(self, x: Tensor) -> Tensor:
        level1 = self.down1(x)
        level2 = self.down2(functional.max_pool3d(level1, 2))
        level3 = self.down3(functional.max_pool3d(level2, 2))
        level4 = self.down4(functional.max_pool3d(level3, 2))
        x = self.up3(self.joined(level3, self.widen3(level4)))
        x = self.up2(self.joined(level2, self.widen2(x)))
        x = self.up1(self.joined(level1, self.widen1(x)))
        return self.out(x)


# --- detection --------------------------------------------------------------------------------------------------------


class YOLOv3(nn.Module):
    """Darknet's cfg/yolov3.cfg, section by section; the maps that its three [yolo] sections read are the outputs."""

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.sections: list[tuple[str, list[int]]] = []  # a section, and the numbers of those that it reads
        self.layers = nn.ModuleList()
        self.widths: list[int] = []
        self.leaky(3, 32, 3)  # number 0
        for width, blocks in [(64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)]:
            self.leaky(self.widths[-1], width, 3, 2)
            for _ in range(blocks):
                self.leaky(width, width // 2, 1)
                self.leaky(width // 2, width, 3)
                self.section("shortcut", [-1, -3], width)
        anchors = 3 * (4 + 1 + classes)
        for width, route in [(512, None), (256, 61), (128, 36)]:
            if route is not None:
                self.section("route", [-4], self.widths[-4])
                self.leaky(self.widths[-1], width, 1)
                self.section("upsample", [-1], width)
                self.section("route", [-1, route], width + self.widths[route])
            for _ in range(3):
                self.leaky(self.widths[-1], width, 1)
                self.leaky(width, 2 * width, 3)
            self.section("convolutional", [-1], anchors, nn.Conv2d(2 * width, anchors, 1))
            self.section("yolo", [-1], anchors)

    def leaky(self, before: int, after: int, size: int, stride: int = 1) -> None:
        convolution = nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False)
        layer = nn.Sequential(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.1))
        self.section("convolutional", [-1], after, layer)

    def section(self, kind: str, reads: list[int], width: int, layer: nn.Module | None = None) -> None:
        number = len(self.sections)
        self.sections.append((kind, [number + read if read < 0 else read for read in reads]))
        self.layers.append(layer or nn.Identity())
        self.widths.append(width)

    def forward(self, x: Tensor) -> list[Tensor]:
        results: list[Tensor] = []
        for (kind, reads), layer in zip(self.sections, self.layers, strict=True):
            read = [results[number] if number >= 0 else x for number in reads]
            match kind:
                case "shortcut":
                    results.append(read[0] + read[1])
                case "route":
                    results.append(torch.cat(read, 1))
                case "upsample":
                    results.append(functional.interpolate(read[0], scale_factor=2))
                case _:
                    results.append(layer(read[0]))
        return [result for (kind, _), result in zip(self.sections, results, strict=True) if kind == "yolo"]


BUILDERS: dict[str, Callable[[], Built]] = {
    "m5": lambda: (M5(), [1, 8000]),
    "m3_paper": lambda: (RawWaveform(256, [(256, 1)]), [1, 32_000]),
    "m5_paper": lambda: (RawWaveform(128, [(128, 1), (256, 1), (512, 1)]), [1, 32_000]),
    "m11_paper": lambda: (RawWaveform(64, [(64, 2), (128, 2), (256, 3), (512, 2)]), [1, 32_000]),
    "m18_paper": lambda: (RawWaveform(64, [(64, 4), (128, 4), (256, 4), (512, 4)]), [1, 32_000]),
    "wavenet": lambda: (WaveNet(), [256, 16_000]),
    "lstm_classifier": lambda: (TextClassifier(nn.LSTM), [256]),
    "gru_classifier": lambda: (TextClassifier(nn.GRU), [256]),
    "unet_padded": lambda: (PaddedUNet(), [1, 512, 512]),
    "unet_3d": lambda: (UNet3D(), [3, 116, 132, 132]),
    "yolov3": lambda: (YOLOv3(), [3, 416, 416]),
    "yolov3_320": lambda: (YOLOv3(), [3, 320, 320]),
    "yolov3_608": lambda: (YOLOv3(), [3, 608, 608]),
}
