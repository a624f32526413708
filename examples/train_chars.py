"""A character language model of the Python documentation: a small GPT.

    python examples/train_chars.py

The text is that of `pydoc_data.topics`, which comes with Python: 465,000 characters, of which the
last tenth validates. Three causal transformer blocks of width 128, trained for 500 steps of 32
times 64 characters by AdamW, predict the next character, and continue a text in the end. The
training step is written as for eager code, and compiled by `lucid.jit`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
from _common import BLUE, GREY, ORANGE, figure, options, progress, save

import lucid
from lucid import functional, nn, optim

WIDTH, HEADS, BLOCKS, CONTEXT = 128, 4, 3, 64
RATE, BATCH, STEPS = 6e-3, 32, 500
REQUIRED, REQUIRED_SECONDS = 1.5, 120.0


class Block(nn.Module):
    """Causal attention, then two affine maps, of (batch, length, width); each adds to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH)
        self.rotary = nn.RotaryEmbedding(WIDTH // HEADS)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        for layer in (self.out, self.down):  # at first a block changes nothing
            nn.init.zeros_(layer.weight)

    def forward(self, x: Any) -> Any:
        """Apply the block."""
        batch, length, _ = x.shape
        heads = self.queries_keys_values(self.norm1(x)).reshape((batch, length, 3, HEADS, -1))
        q, k, v = lucid.unstack(heads.transpose((2, 0, 3, 1, 4)))
        y = functional.scaled_dot_product_attention(
            self.rotary(q), self.rotary(k), v, is_causal=True
        )
        x = x + self.out(y.transpose((0, 2, 1, 3)).reshape((batch, length, WIDTH)))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Sequential):
    """From numbers of characters, shape (batch, length), to scores of the next ones."""

    def __init__(self, characters: int) -> None:
        blocks = [Block() for _ in range(BLOCKS)]
        last = [nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters)]
        super().__init__(nn.Embedding(characters, WIDTH), *blocks, *last)


def load() -> tuple[list[str], Any, Any]:
    """Return the alphabet, and the text to train and to validate with as places in it."""
    text = "\n".join(topics[key] for key in sorted(topics))
    alphabet, numbers = np.unique(list(text), return_inverse=True)
    cut = len(numbers) * 9 // 10
    return list(alphabet), numbers[:cut], numbers[cut:]


def loss(model: nn.Module, x: Any) -> Any:
    """Return how well all characters but the first are predicted, in nats per character."""
    scores = model(x[:, :-1])
    return functional.cross_entropy(scores.reshape((-1, scores.shape[-1])), x[:, 1:].reshape(-1))


def train(
    model: nn.Module, text: Any, steps: int, seed: int, validate: Callable[[], float]
) -> tuple[list[float], list[tuple[int, float]]]:
    """Train with random pieces of the text; return all losses, and those of the validation."""
    rng = np.random.default_rng(seed)
    optimizer = optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=0.1)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=0.1, cycle_momentum=False
    )

    @lucid.jit
    def step(x: Any) -> Any:
        value = loss(model, x)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        return value

    losses, validated = [], []
    for k in progress(range(1, steps + 1), "training"):
        starts = rng.integers(0, len(text) - CONTEXT, BATCH)
        losses.append(step(text[starts[:, None] + np.arange(CONTEXT + 1)]).item())
        schedule.step()
        if k % max(1, steps // 10) == 0:
            validated.append((k, validate()))
    return losses, validated


def validator(model: nn.Module, text: Any) -> Callable[[], float]:
    """Return a function that measures the loss on all of the text, cut into pieces."""
    count = (len(text) - 1) // CONTEXT // BATCH
    cut = np.arange(count * BATCH)[:, None] * CONTEXT + np.arange(CONTEXT + 1)
    pieces = text[cut].reshape((count, BATCH, CONTEXT + 1))

    @lucid.jit
    @lucid.no_grad()
    def measure(x: Any) -> Any:
        return loss(model, x)

    return lambda: float(np.mean([measure(x).item() for x in pieces]))


def continued(model: nn.Module, alphabet: list[str], text: str, count: int, seed: int) -> str:
    """Continue a text by `count` characters, drawn with the probabilities that the model gives."""
    rng = np.random.default_rng(seed)
    predict = lucid.jit(model)
    for _ in range(count):
        seen = [alphabet.index(c) for c in text[-CONTEXT:]]
        padded = np.array([seen + [0] * (CONTEXT - len(seen))])
        scores = predict(padded).numpy()[0, len(seen) - 1] / 0.8  # a little less daring
        text += alphabet[(scores + rng.gumbel(size=len(alphabet))).argmax()]
    return text


def draw(losses: list[float], validated: list[tuple[int, float]], path: Path) -> None:
    """Plot the loss of training and validation."""
    plot, axes = figure(7, 4.2)
    axes.plot(np.arange(1, len(losses) + 1), losses, color=BLUE, linewidth=0.8, label="training")
    axes.plot(*zip(*validated, strict=True), "o-", color=ORANGE, label="validation")
    axes.axhline(REQUIRED, color=GREY, linestyle="--", linewidth=1)
    axes.annotate("required", (1, REQUIRED), ha="left", va="bottom", color=GREY)
    axes.set(xlabel="step", ylabel="nats per character")
    axes.set_title(f"Validation loss, in the end {validated[-1][1]:.3f} nats per character")
    axes.legend()
    save(plot, path)


def main() -> None:
    """Train, write, draw."""
    chosen = options("train_chars", "A character language model.", STEPS, "steps", seed=0)
    lucid.set_default_dtype(lucid.float32)
    lucid.random.seed(chosen.seed)
    alphabet, text, last_tenth = load()
    model = GPT(len(alphabet))
    start, cpu_start = time.perf_counter(), time.process_time()
    losses, validated = train(model, text, chosen.rounds, chosen.seed, validator(model, last_tenth))
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start

    print(continued(model, alphabet, "The statement ", 400, chosen.seed))
    print(f"validation  {validated[-1][1]:.3f} nats per character; {len(alphabet)} characters")
    print(f"training    {seconds:.1f} s in all, {cpu_seconds:.1f} s of processor time")
    draw(losses, validated, chosen.plot)
    assert np.mean(losses[-10:]) < 0.8 * losses[0]
    if chosen.rounds >= STEPS:
        assert validated[-1][1] <= REQUIRED, f"expected at most {REQUIRED} nats per character"
        assert seconds < REQUIRED_SECONDS, f"training took {seconds:.0f} s"


if __name__ == "__main__":
    main()
