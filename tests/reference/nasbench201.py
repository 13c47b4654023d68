"""Counts of NAS-Bench-201 cells by torch, stacked as in arXiv:2001.00326, section 2: prints ``nasbench201.json``.

Parameters are those of the modules, multiplies those of convolutions and of the classifier, counted by hooks while the
network runs. Needs torch; run it as ``python tests/reference/nasbench201.py > tests/reference/nasbench201.json``.
"""

from __future__ import annotations

import itertools
import json
import random
import sys

import torch
from torch import nn


class Zero(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 0


def convolution(i: int, o: int, kernel: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(o))


def edge(operation: int, c: int) -> nn.Module:
    if operation > 3:
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return (Zero(), nn.Identity(), convolution(c, c, 1), convolution(c, c, 3))[operation]


class Cell(nn.Module):
    def __init__(self, c: int, operations: tuple[int, ...]) -> None:
        super().__init__()
        self.edges = nn.ModuleList(edge(operation, c) for operation in operations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        e = self.edges
        one = e[0](x)
        two = e[1](x) + e[2](one)
        return e[3](x) + e[4](one) + e[5](two)


class Reduce(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.first, self.second = convolution(c, 2 * c, 3, 2), convolution(2 * c, 2 * c, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(c, 2 * c, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x)) + self.shortcut(x)


def network(operations: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)]
    for c in (16, 32, 64):
        layers += [Reduce(c // 2)] if c > 16 else []
        layers += [Cell(c, operations) for _ in range(5)]
    return nn.Sequential(
        *layers, nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)
    )


def measured(operations: tuple[int, ...]) -> dict[str, object]:
    model, macs = network(operations).eval(), 0

    def count(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        nonlocal macs
        macs += output.numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, 32, 32))
    return {"cell": operations, "params": sum(each.numel() for each in model.parameters()), "macs": macs}


if __name__ == "__main__":
    every = list(itertools.product(range(5), repeat=6))
    random.seed(201)
    cells = [(3,) * 6, (0,) * 6, (4, 1, 0, 3, 2, 2), *random.sample(every, 22)]
    lines = ",\n ".join(json.dumps(measured(cell)) for cell in cells)
    version = torch.__version__.partition("+")[0]
    sys.stdout.write(f'{{"origin": "tests/reference/nasbench201.py, torch {version}", "cells": [\n {lines}\n]}}\n')
