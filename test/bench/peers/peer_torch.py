"""What a user would run instead: the same policy in eager PyTorch, as the reference decides, and a stronger variant.

The model has 9 tokens a timestep, 5 timesteps, rank-8 LoRA modulators on query, value and feed-forward, a pool of 30.
  reference: batch 1, one full 45-token forward for every action dimension, no cache (the published loop)
  cached:    batch B, one 38-token prefill, then one cached token for every further dimension (what a careful port would do)
  gradient:  forward, backward and AdamW of the whole model, unmodulated, on 256 windows of 45 tokens
  matmul:    float32 products of [2432, 768] by [768, 3072], the rate of which is the machine's own

Two ways to run it. With sizes, prints one JSON object: milliseconds a call and environment steps per second:
  python peer_torch.py --width 768 --blocks 6 --heads 12 --batch 64 --repeats 5
With --serve, stays alive and takes turns: one JSON request a line on standard input, such as
  {"work": "cached", "width": 128, "blocks": 4, "heads": 4, "batch": 64, "dims": 4, "calls": 3}
and one JSON answer a line: wall and processor milliseconds of every call.  Needs torch only.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

POOL = 30
RANK = 8
BINS = 64
TOKENS_A_STEP = 9
FULL = 45
PREFILL = 38
WINDOWS = 256

Lora = dict[str, Tensor]
Past = tuple[Tensor, Tensor]
Call = Callable[[], object]


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, h: Tensor, lora: Lora | None = None, past: Past | None = None) -> tuple[Tensor, Past]:
        batch, count, width = h.shape
        q, k, v = self.qkv(self.ln1(h)).split(width, -1)
        if lora is not None:
            u = self.ln1(h)
            q = q + 2.0 * (u @ lora["qa"]) @ lora["qb"]
            v = v + 2.0 * (u @ lora["va"]) @ lora["vb"]
        q, k, v = (x.view(batch, count, self.heads, -1).transpose(1, 2) for x in (q, k, v))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        h = h + self.out(mixed.transpose(1, 2).reshape(batch, count, width))
        z = self.up(self.ln2(h))
        if lora is not None:
            z = z + 2.0 * (z @ lora["fa"]) @ lora["fb"]
        return h + self.down(F.gelu(z)), (k, v)


class Model(nn.Module):
    def __init__(self, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, BINS)
        self.embed = nn.Embedding(BINS + 1, width)
        self.keys = nn.Parameter(torch.rand(POOL, width) * 2 - 1)
        shapes = {
            "qa": (width, RANK),
            "qb": (RANK, width),
            "va": (width, RANK),
            "vb": (RANK, width),
            "fa": (4 * width, RANK),
            "fb": (RANK, 4 * width),
        }
        self.lora = nn.ParameterList(
            nn.ParameterDict({name: nn.Parameter(torch.randn(POOL, *shape) * 0.02) for name, shape in shapes.items()})
            for _ in range(blocks)
        )

    def modulators(self, states: Tensor) -> list[Lora]:
        index = (F.normalize(states.mean(1), dim=-1) @ F.normalize(self.keys, dim=-1).T).argmax(-1)
        return [{name: pool[index] for name, pool in block.items()} for block in self.lora]

    def forward(
        self, x: Tensor, lora: list[Lora] | None = None, past: list[Past] | None = None
    ) -> tuple[Tensor, list[Past]]:
        kept: list[Past] = []
        for i, block in enumerate(self.blocks):
            x, kv = block(x, None if lora is None else lora[i], None if past is None else past[i])
            kept.append(kv)
        return self.head(self.norm(x)), kept


def reference(model: Model, width: int, dims: int) -> None:
    with torch.no_grad():
        x = torch.randn(1, FULL, width)
        for _ in range(dims):
            logits, _ = model(x, model.modulators(x[:, ::TOKENS_A_STEP]))
            logits[:, -TOKENS_A_STEP].argmax(-1).item()


def cached(model: Model, width: int, batch: int, dims: int) -> Tensor:
    with torch.no_grad():
        x = torch.randn(batch, PREFILL, width)
        lora = model.modulators(x[:, ::TOKENS_A_STEP])
        logits, past = model(x, lora)
        for _ in range(dims - 1):
            logits, past = model(model.embed(logits[:, -1].argmax(-1))[:, None], lora, past)
        return logits[:, -1].argmax(-1)


def gradient(width: int, blocks: int, heads: int) -> Call:
    model = Model(width, blocks, heads).train()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-4)
    x, y = torch.randn(WINDOWS, FULL, width), torch.randint(0, BINS, (WINDOWS * FULL,))

    def call() -> None:
        optimiser.zero_grad()
        F.cross_entropy(model(x)[0].reshape(-1, BINS), y).backward()
        optimiser.step()

    return call


def matmul() -> Call:
    left, right = torch.randn(64 * PREFILL, 768), torch.randn(768, 3072)
    return lambda: torch.mm(left, right)


class Works:
    """Calls by request; models and optimisers are made once for every size."""

    def __init__(self) -> None:
        self.models: dict[tuple[int, int, int], Model] = {}
        self.gradients: dict[tuple[int, int, int], Call] = {}

    def call(self, work: str, request: dict[str, int]) -> Call:
        if work == "matmul":
            return matmul()
        width = request["width"]
        size = (width, request["blocks"], request["heads"])
        if work == "gradient":
            if size not in self.gradients:
                self.gradients[size] = gradient(*size)
            return self.gradients[size]
        if size not in self.models:
            self.models[size] = Model(*size).eval()
        model, dims = self.models[size], request["dims"]
        if work == "reference":
            return lambda: reference(model, width, dims)
        if work == "cached":
            return lambda: cached(model, width, request["batch"], dims)
        raise ValueError(f"no work called {work}")


def timed(call: Call, calls: int) -> dict[str, list[float]]:
    wall: list[float] = []
    processor: list[float] = []
    for _ in range(calls):
        start, used = time.perf_counter(), time.process_time()
        call()
        wall.append((time.perf_counter() - start) * 1e3)
        processor.append((time.process_time() - used) * 1e3)
    return {"wallMs": wall, "processorMs": processor}


def serve() -> None:
    works = Works()
    print(json.dumps({"library": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        call = works.call(request["work"], request)
        print(json.dumps(timed(call, request["calls"])), flush=True)


def once(request: dict[str, int]) -> None:
    works = Works()
    result: dict[str, object] = {"torch": torch.__version__, **request}
    for work, rows in {"reference": 1, "cached": request["batch"], "gradient": WINDOWS}.items():
        if work == "gradient" and request["width"] > 256:
            continue
        call = works.call(work, request)
        timed(call, 2)
        times = timed(call, max(1, request["repeats"] // (3 if work == "gradient" else 1)))["wallMs"]
        ms = sum(times) / len(times)
        result[work] = {"ms": ms, "windows_per_s" if work == "gradient" else "env_steps_per_s": rows * 1e3 / ms}
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser()
    sizes = {"width": 768, "blocks": 6, "heads": 12, "batch": 64, "dims": 4, "repeats": 5, "threads": 2}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--serve", action="store_true", help="take turns instead, see above")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.serve:
        serve()
    else:
        once({name: getattr(options, name) for name in sizes})


if __name__ == "__main__":
    main()
