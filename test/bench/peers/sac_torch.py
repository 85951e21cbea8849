"""Soft actor-critic as one writes it in eager PyTorch: twin critics, automatic temperature, Adam, soft target updates.

The order of work is that of `agent/experts/sac-update.ts`: critics, then the actor against the new critics with the critics'
weights frozen, then temperature and target critics (in one fused call). Takes turns over standard input and output, one JSON a
line, as `peer_torch.py --serve` does:
  {"calls": 3}   ->   wall and processor milliseconds of every update.  Needs torch only.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def network(sizes: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Actor(nn.Module):
    def __init__(self, observation: int, action: int, hidden: list[int]) -> None:
        super().__init__()
        self.body = network([observation, *hidden, 2 * action])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = self.body(x).chunk(2, -1)
        log_deviation = -5 + 3.5 * (torch.tanh(raw) + 1)
        noise = torch.randn_like(mean)
        unsquashed = mean + log_deviation.exp() * noise
        density = -0.5 * noise.square() - log_deviation - 0.5 * math.log(2 * math.pi)
        volume = 2 * (math.log(2) - unsquashed - F.softplus(-2 * unsquashed))
        return torch.tanh(unsquashed), (density - volume).sum(-1)


class Critics(nn.Module):
    def __init__(self, observation: int, action: int, hidden: list[int]) -> None:
        super().__init__()
        self.both = nn.ModuleList(network([observation + action, *hidden, 1]) for _ in range(2))

    def forward(self, observation: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([observation, action], -1)
        first, second = (critic(x).squeeze(-1) for critic in self.both)
        return first, second


class Learner:
    def __init__(self, observation: int, action: int, hidden: list[int], batch: int) -> None:
        self.actor = Actor(observation, action, hidden)
        self.critics, self.targets = (Critics(observation, action, hidden) for _ in range(2))
        self.targets.load_state_dict(self.critics.state_dict())
        self.targets.requires_grad_(False)
        self.log_temperature = torch.tensor(math.log(0.1), requires_grad=True)
        self.of_actor = torch.optim.Adam(self.actor.parameters(), 3e-4)
        self.of_critics = torch.optim.Adam(self.critics.parameters(), 3e-4)
        self.of_temperature = torch.optim.Adam([self.log_temperature], 1e-4)
        self.pairs = [list(self.targets.parameters()), list(self.critics.parameters())]
        self.target_entropy = -float(action)
        self.now, self.then = torch.randn(batch, observation), torch.randn(batch, observation)
        self.actions, self.rewards = torch.rand(batch, action) * 2 - 1, torch.rand(batch)

    def update(self) -> float:
        with torch.no_grad():
            next_actions, density = self.actor(self.then)
            soft = torch.min(*self.targets(self.then, next_actions)) - self.log_temperature.exp() * density
            wanted = self.rewards + 0.99 * soft
        first, second = self.critics(self.now, self.actions)
        critic_loss = F.mse_loss(first, wanted) + F.mse_loss(second, wanted)
        self.of_critics.zero_grad()
        critic_loss.backward()
        self.of_critics.step()

        self.critics.requires_grad_(False)
        actions, density = self.actor(self.now)
        value = torch.min(*self.critics(self.now, actions))
        actor_loss = (self.log_temperature.exp().detach() * density - value).mean()
        self.of_actor.zero_grad()
        actor_loss.backward()
        self.of_actor.step()
        self.critics.requires_grad_(True)

        temperature_loss = -(self.log_temperature * (density.detach() + self.target_entropy)).mean()
        self.of_temperature.zero_grad()
        temperature_loss.backward()
        self.of_temperature.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.pairs[0], self.pairs[1], 0.005)  # pyright: ignore[reportPrivateUsage]
        return critic_loss.item()


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in {"observation": 17, "action": 6, "batch": 256, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--hidden", default="256,256")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    hidden = [int(width) for width in options.hidden.split(",")]
    learner = Learner(options.observation, options.action, hidden, options.batch)
    print(
        json.dumps({"library": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads()}),
        flush=True,
    )
    for line in sys.stdin:
        wall: list[float] = []
        processor: list[float] = []
        for _ in range(json.loads(line)["calls"]):
            start, used = time.perf_counter(), time.process_time()
            learner.update()
            wall.append((time.perf_counter() - start) * 1e3)
            processor.append((time.process_time() - used) * 1e3)
        print(json.dumps({"wallMs": wall, "processorMs": processor}), flush=True)


if __name__ == "__main__":
    main()
