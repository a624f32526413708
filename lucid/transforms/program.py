"""Straight-line programs: the operations of one run, without their values.

A program is captured by running a function on concrete values, so that Python control flow is
settled, and can then be interpreted again at any level. Tensors that the function closes over
become inputs of the program, so that their derivatives are not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lucid.core.dispatch import apply
from lucid.core.frames import Frame, Note, transformation
from lucid.core.op import Op
from lucid.core.tensor import Tensor, strip, wrap
from lucid.transforms.boundary import settle_output

__all__ = ["Program", "capture"]


class Step(NamedTuple):
    """One operation: where its operands are (a slot, or a Python number) and what it fills."""

    op: Op
    operands: tuple[tuple[bool, Any], ...]  # (True, slot) or (False, number)
    params: tuple[Any, ...]
    outputs: tuple[int, ...]


class Program(NamedTuple):
    """Steps between numbered slots; the first slots are the inputs."""

    inputs: int
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def run(self, *inputs: Any) -> tuple[Any, ...]:
        """Interpret the program on these inputs, whatever watches them."""
        slots: dict[int, Any] = dict(enumerate(inputs))
        for op, operands, params, outputs in self.steps:
            args = tuple(slots[x] if is_slot else x for is_slot, x in operands)
            result = apply(op, args, params)
            slots.update(zip(outputs, result if op.multi else (result,), strict=True))
        return tuple(slots[k] for k in self.outputs)


class Captured(Note):
    """The note of a Tensor in a program being captured: the slot it is in."""

    __slots__ = ("slot",)

    def __init__(self, frame: Frame, slot: int) -> None:
        self.frame = frame
        self.slot = slot


class CaptureFrame(Frame):
    """One running capture: computes with values that nothing watches, and notes the steps."""

    __slots__ = ("constants", "known", "slots", "steps")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.steps: list[Step] = []
        self.constants: list[tuple[int, Tensor]] = []
        self.known: dict[int, int] = {}  # id of a constant -> its slot
        self.slots = 0

    def new_slot(self) -> int:
        """Return a slot that nothing is in yet."""
        self.slots += 1
        return self.slots - 1

    def enter(self, value: Tensor) -> Tensor:
        """Return an input of the program."""
        return wrap(strip(value.detach()), Captured(self, self.new_slot()))

    def slot_of(self, t: Tensor) -> int:
        """Return where a Tensor is; one from outside becomes a constant."""
        if isinstance(t._note, Captured) and t._note.frame is self:
            return t._note.slot
        if id(t) not in self.known:
            self.known[id(t)] = self.new_slot()
            self.constants.append((self.known[id(t)], t))
        return self.known[id(t)]

    def apply(self, op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Note the step, and compute it on plain values."""
        operands = tuple(
            (True, self.slot_of(a)) if isinstance(a, Tensor) else (False, a) for a in args
        )
        plain = tuple(self.plain(a) if isinstance(a, Tensor) else a for a in args)
        ans = apply(op, plain, params)
        results = ans if op.multi else (ans,)
        outputs = tuple(self.new_slot() for _ in results)
        self.steps.append(Step(op, operands, params, outputs))
        done = tuple(
            wrap(strip(r), Captured(self, k)) for r, k in zip(results, outputs, strict=True)
        )
        return done if op.multi else done[0]

    def sources(self, note: Note) -> list[Tensor]:
        """Return the Tensors of outside that a value was computed from."""
        assert isinstance(note, Captured)
        wanted = {note.slot}
        for step in reversed(self.steps):
            if not wanted.isdisjoint(step.outputs):
                wanted.update(slot for is_slot, slot in step.operands if is_slot)
        return [t for slot, t in self.constants if slot in wanted]

    def plain(self, t: Tensor) -> Tensor:
        """Return the value of a Tensor, without what differentiates it."""
        if isinstance(t._note, Captured) and t._note.frame is self:
            return t._value if isinstance(t._value, Tensor) else wrap(t._value, None)
        return t.detach()


def capture(
    name: str, fun: Callable[..., Sequence[Tensor]], inputs: Sequence[Tensor]
) -> tuple[Program, list[Tensor], tuple[Tensor, ...]]:
    """Run a function of Tensors to a list of Tensors and return what it did.

    Returns:
        The program, the Tensors it closes over (its inputs behind the given ones), and the values
        of its outputs.
    """
    frame = CaptureFrame(name)
    with transformation(frame):
        outs = fun(*[frame.enter(x) for x in inputs])
        outs = [settle_output(frame, name, y) for y in outs]  # a Parameter is watched further in
        places = [frame.slot_of(y) for y in outs]
        values = tuple(frame.plain(y) for y in outs)
    # constants were numbered as they appeared: move them behind the inputs
    given = len(inputs)
    order = [*range(given), *(slot for slot, _ in frame.constants)]
    taken = set(order)
    order += [k for k in range(frame.slots) if k not in taken]
    new = {old: k for k, old in enumerate(order)}
    steps = tuple(
        Step(
            s.op,
            tuple((is_slot, new[x] if is_slot else x) for is_slot, x in s.operands),
            s.params,
            tuple(new[k] for k in s.outputs),
        )
        for s in frame.steps
    )
    program = Program(given + len(frame.constants), steps, tuple(new[k] for k in places))
    return program, [t for _, t in frame.constants], values
