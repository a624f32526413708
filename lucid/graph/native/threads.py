"""Threads for large kernels: workers that wait in native code, and the function that shares a loop.

A loop is cut into as many pieces as there are threads; the caller computes the first itself. If the
workers are busy with another program, the caller computes all of them.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from typing import Any

import llvmlite.binding as llvm

__all__ = ["count", "start"]

_STRIDE = 128  # bytes for one worker: two semaphores, and what it is to do
_SOURCE = """
declare i32 @sem_init(ptr, i32, i32)
declare i32 @sem_post(ptr)
declare i32 @sem_wait(ptr)

define void @prepare(ptr %workers, i64 %n) {{
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %body, label %exit
body:
  %at = mul i64 %i, {stride}
  %go = getelementptr i8, ptr %workers, i64 %at
  %done = getelementptr i8, ptr %go, i64 32
  call i32 @sem_init(ptr %go, i32 0, i32 0)
  call i32 @sem_init(ptr %done, i32 0, i32 0)
  %next = add i64 %i, 1
  br label %head
exit:
  ret void
}}

define void @work(ptr %go, i64 %tid) {{
entry:
  %done = getelementptr i8, ptr %go, i64 32
  %task = getelementptr i8, ptr %go, i64 64
  %pe = getelementptr i8, ptr %go, i64 72
  %pl = getelementptr i8, ptr %go, i64 80
  %ph = getelementptr i8, ptr %go, i64 88
  br label %wait
wait:
  %failed = call i32 @sem_wait(ptr %go)
  %again = icmp ne i32 %failed, 0
  br i1 %again, label %wait, label %run
run:
  %f = load ptr, ptr %task
  %env = load ptr, ptr %pe
  %lo = load i64, ptr %pl
  %hi = load i64, ptr %ph
  call void %f(ptr %env, i64 %lo, i64 %hi, i64 %tid)
  call i32 @sem_post(ptr %done)
  br label %wait
}}

define void @share(ptr %f, ptr %env, i64 %n) {{
entry:
  %busy = inttoptr i64 {busy} to ptr
  %workers = inttoptr i64 {workers} to ptr
  %pair = cmpxchg ptr %busy, i32 0, i32 1 acq_rel monotonic
  %free = extractvalue {{ i32, i1 }} %pair, 1
  br i1 %free, label %send, label %alone
alone:
  call void %f(ptr %env, i64 0, i64 %n, i64 0)
  ret void
send:
  %i = phi i64 [ 1, %entry ], [ %inext, %one ]
  %more = icmp slt i64 %i, {threads}
  br i1 %more, label %one, label %own
one:
  %lo0 = mul i64 %i, %n
  %lo = sdiv i64 %lo0, {threads}
  %inext = add i64 %i, 1
  %hi0 = mul i64 %inext, %n
  %hi = sdiv i64 %hi0, {threads}
  %index = sub i64 %i, 1
  %at = mul i64 %index, {stride}
  %go = getelementptr i8, ptr %workers, i64 %at
  %task = getelementptr i8, ptr %go, i64 64
  %pe = getelementptr i8, ptr %go, i64 72
  %pl = getelementptr i8, ptr %go, i64 80
  %ph = getelementptr i8, ptr %go, i64 88
  store ptr %f, ptr %task
  store ptr %env, ptr %pe
  store i64 %lo, ptr %pl
  store i64 %hi, ptr %ph
  call i32 @sem_post(ptr %go)
  br label %send
own:
  %mine = sdiv i64 %n, {threads}
  call void %f(ptr %env, i64 0, i64 %mine, i64 0)
  br label %collect
collect:
  %j = phi i64 [ 1, %own ], [ %j, %waiting ], [ %jnext, %got ]
  %left = icmp slt i64 %j, {threads}
  br i1 %left, label %waiting, label %finish
waiting:
  %jindex = sub i64 %j, 1
  %jat = mul i64 %jindex, {stride}
  %jgo = getelementptr i8, ptr %workers, i64 %jat
  %done = getelementptr i8, ptr %jgo, i64 32
  %failed = call i32 @sem_wait(ptr %done)
  %again = icmp ne i32 %failed, 0
  br i1 %again, label %collect, label %got
got:
  %jnext = add i64 %j, 1
  br label %collect
finish:
  store atomic i32 0, ptr %busy release, align 4
  ret void
}}
"""


@functools.cache
def count() -> int:
    """Return how many threads share a loop."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(available or 1, 8))


class _Pool:
    """The workers, and the compiled function that hands a loop to them."""

    def __init__(self, machine: Any) -> None:
        threads = count()
        self._memory = ctypes.create_string_buffer(_STRIDE * threads + 128)
        workers = -(-ctypes.addressof(self._memory) // 64) * 64
        self._busy = ctypes.c_int32(0)
        text = _SOURCE.format(
            stride=_STRIDE,
            threads=threads,
            workers=workers,
            busy=ctypes.addressof(self._busy),
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
        self._engine.finalize_object()
        address = self._engine.get_function_address
        prepare = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address("prepare"))
        prepare(workers, threads)
        self._work = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address("work"))
        for tid in range(1, threads):
            place = workers + (tid - 1) * _STRIDE
            name = f"lucid-{tid}"
            threading.Thread(target=self._work, args=(place, tid), name=name, daemon=True).start()
        llvm.add_symbol("lucid_share", address("share"))
        os.register_at_fork(after_in_child=self._alone)

    def _alone(self) -> None:
        """A forked process has no workers: each caller computes everything itself."""
        self._busy.value = 1


_lock = threading.Lock()
_pool: list[_Pool] = []


def start(machine: Any) -> None:
    """Start the workers, once for the process."""
    with _lock:
        if not _pool:
            _pool.append(_Pool(machine))
