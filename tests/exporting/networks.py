"""Modules for the exporter's tests."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

CHANNELS = 3
SLOPES = torch.tensor([0.1, -0.3, 0.7], dtype=torch.float64)

Form = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

FORMS: dict[str, Form] = {
    "relu": lambda x, _: functional.relu(x),
    "relu_inplace": lambda x, _: functional.relu(x.clone(), inplace=True),
    "relu_": lambda x, _: torch.relu_(x.clone()),
    "relu_method": lambda x, _: x.clone().relu_(),
    "leaky_relu": lambda x, _: functional.leaky_relu(x, 0.1),
    "leaky_relu_inplace": lambda x, _: functional.leaky_relu(x.clone(), 0.1, inplace=True),
    "leaky_relu_": lambda x, _: functional.leaky_relu_(x.clone(), 0.3),
    "prelu": functional.prelu,
    "prelu_torch": lambda x, slopes: torch.prelu(x, slopes[:1]),
    "rrelu": lambda x, _: functional.rrelu(x),
    "rrelu_bounds": lambda x, _: functional.rrelu(x, 0.1, 0.3),
    "rrelu_inplace": lambda x, _: functional.rrelu(x.clone(), inplace=True),
    "rrelu_": lambda x, _: functional.rrelu_(x.clone(), 0.2, 0.2),
    "rrelu_keyword": lambda x, _: torch.rrelu(input=x, upper=0.5),
    "rrelu_aten": lambda x, _: torch.ops.aten.rrelu_(x.clone()),
    "elu": lambda x, _: functional.elu(x, 0.1),
    "elu_inplace": lambda x, _: functional.elu(x.clone(), 1.7, inplace=True),
    "elu_": lambda x, _: functional.elu_(x.clone(), -1.0),
    "elu_scaled": lambda x, _: torch.ops.aten.elu(x, 0.5, 2.0, 0.25),
}
"""Ways of calling an activation, of an input and per-channel slopes."""


class Nested(nn.Module):
    """Every activation as a module, in a submodule of a submodule, half of them in place."""

    def __init__(self, *, inplace: bool) -> None:
        super().__init__()
        prelu = nn.PReLU(CHANNELS)
        self.inner = nn.ModuleDict(
            {
                "ReLU": nn.ReLU(inplace=inplace),
                "LeakyReLU": nn.LeakyReLU(0.1, inplace=inplace),
                "PReLU": prelu,
                "RReLU": nn.RReLU(0.1, 0.4, inplace=inplace),
                "ELU": nn.ELU(0.1, inplace=inplace),
            }
        )
        with torch.no_grad():
            prelu.weight.copy_(SLOPES)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Applies each to its own copy of x."""
        return [act(x.clone()) for act in self.inner.values()]


class EveryForm(nn.Module):
    """Every activation in every form; one output each, named by `names`."""

    slopes: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.plain = Nested(inplace=False)
        self.inplace = Nested(inplace=True)
        self.register_buffer("slopes", SLOPES.clone())

    @property
    def names(self) -> list[str]:
        """The outputs' names."""
        modules = [f"{kind}_{name}" for kind in ("plain", "inplace") for name in self.plain.inner]
        return [*modules, *FORMS]

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Applies every form to x."""
        functional = [form(x, self.slopes) for form in FORMS.values()]
        return [*self.plain(x), *self.inplace(x), *functional]


class Small(nn.Module):
    """A network with weights, batch normalisation, dropout and two activations."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4), nn.Dropout(), nn.Flatten()
        )
        self.head = nn.Sequential(nn.Linear(4 * 4, 5), nn.ELU(0.3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 2, 4, 4)."""
        return self.head(self.body(x))


class Dense(nn.Sequential):
    """A network that ONNX Runtime can run in float64, which it has no convolution for."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(3, 4), nn.PReLU(4), nn.Dropout(), nn.Linear(4, 5), nn.ELU(0.1))


class Applied(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: torch.Tensor) -> object:
        """Calls the function."""
        return self.function(*args)


def compile_module(module: nn.Module) -> nn.Module:
    """What `torch.compile` makes of a module: a module, which it declares as a function."""
    compiled = torch.compile(module)
    assert isinstance(compiled, nn.Module)
    return compiled


def small() -> Small:
    """A `Small` with fixed weights, for the command line."""
    torch.manual_seed(0)
    return Small()


def trained_rrelu() -> nn.Module:
    """A module whose RReLU is in training mode, for the command line."""
    return nn.Sequential(nn.RReLU())


def normalised_rrelu() -> nn.Module:
    """A module with RReLU, batch normalisation and dropout, for the command line."""
    return nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(), nn.RReLU())


def of_two() -> nn.Module:
    """A module that works for a batch of two, for the command line."""
    return Applied(lambda x: functional.elu(x + torch.ones(2, 3)))


def samples(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Normal numbers of all magnitudes, with both zeros, infinities and NaN."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    x *= 10.0 ** torch.randint(-4, 2, shape, generator=generator)
    special = torch.tensor([0.0, -0.0, torch.inf, -torch.inf, torch.nan], dtype=torch.float64)
    count = min(len(special), x.numel())
    x.view(-1)[:count] = special[:count]
    return x.to(dtype)
