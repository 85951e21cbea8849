"""Writes torch-update.json: two updates of soft actor-critic by PyTorch, with every number that goes in and comes out.

python make_torch_update.py > torch-update.json      (needs torch; the peer's own environment has it)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[3] / "bench" / "peers"))

from sac_torch import Learner  # noqa: E402

OBSERVATION, ACTION, HIDDEN, BATCH, UPDATES = 3, 2, [5, 4], 6, 2


def numbers(tensor: Tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def vector(*networks: nn.Module) -> list[float]:
    """Weights [in, out] and biases of all linear layers, one behind the other."""
    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, nn.Linear)]
    return [value for layer in layers for part in (layer.weight.T, layer.bias) for value in numbers(part)]


def weights(learner: Learner) -> dict[str, list[float]]:
    return {
        "actor": vector(learner.actor),
        "critics": vector(*learner.critics.both),
        "targets": vector(*learner.targets.both),
        "temperature": numbers(learner.log_temperature),
    }


def main() -> None:
    torch.manual_seed(4)
    learner = Learner(OBSERVATION, ACTION, HIDDEN, BATCH)
    for parameter in learner.targets.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    before = weights(learner)
    updates: list[dict[str, list[float]]] = []
    losses: list[float] = []
    for _ in range(UPDATES):
        learner.now, learner.then = torch.randn(BATCH, OBSERVATION), torch.randn(BATCH, OBSERVATION)
        learner.actions, learner.rewards = torch.rand(BATCH, ACTION) * 2 - 1, torch.rand(BATCH)
        next_noise, noise = torch.randn(BATCH, ACTION), torch.randn(BATCH, ACTION)
        queue = [next_noise, noise]
        drawn = torch.randn_like
        torch.randn_like = lambda _: queue.pop(0)  # type: ignore[assignment]
        losses.append(learner.update())
        torch.randn_like = drawn
        updates.append(
            {
                "observations": numbers(learner.now),
                "nextObservations": numbers(learner.then),
                "actions": numbers(learner.actions),
                "rewards": numbers(learner.rewards),
                "noise": numbers(noise),
                "nextNoise": numbers(next_noise),
            }
        )
    shape = {"observationSize": OBSERVATION, "actionSize": ACTION, "hidden": HIDDEN}
    after = {**weights(learner), "criticLosses": losses}
    print(
        json.dumps(
            {"torch": torch.__version__, "shape": shape, "before": before, "updates": updates, "after": after}
        )
    )


if __name__ == "__main__":
    main()
