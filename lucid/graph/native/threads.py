"""Threads for large kernels: workers that wait in native code, and the function that shares a loop.

A loop is cut into a few pieces for every thread, and whoever is free takes the next one: a worker
that the system does not let run holds nobody up. If the workers are busy with another program, the
caller computes everything itself. Between programs workers look for a task for some microseconds
before they go to sleep, since waking one up costs as much as a small kernel.

Where pieces add up numbers, each has sums of its own, whichever thread takes it, and also if the
caller is alone; there are as many pieces as threads. Sums of floating-point numbers depend on how
they are parted, and a program is to give the same bits whenever it runs.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from typing import Any

import llvmlite.binding as llvm

__all__ = ["count", "start"]

_STRIDE = 256  # bytes for one worker: a semaphore, and what the caller and it tell each other
_SPIN = 3000  # looks at the next task before a worker goes to sleep: some tens of microseconds
_SOURCE = """
declare i32 @sem_init(ptr, i32, i32)
declare i32 @sem_post(ptr)
declare i32 @sem_wait(ptr)
declare i32 @sched_yield()
{declare_pause}

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
  call i32 @sem_init(ptr %go, i32 0, i32 0)
  %next = add i64 %i, 1
  br label %head
exit:
  ret void
}}

define internal void @take(ptr %job, i64 %tid) {{
entry:
  %counter = getelementptr i8, ptr %job, i64 64
  %finished = getelementptr i8, ptr %job, i64 128
  br label %grab
grab:
  %v = atomicrmw sub ptr %counter, i64 1 acq_rel
  %some = icmp sgt i64 %v, 0
  br i1 %some, label %run, label %exit
run:
  %pe = getelementptr i8, ptr %job, i64 8
  %pn = getelementptr i8, ptr %job, i64 16
  %pp = getelementptr i8, ptr %job, i64 24
  %ps = getelementptr i8, ptr %job, i64 32
  %f = load ptr, ptr %job
  %sums = load i64, ptr %ps
  %env = load ptr, ptr %pe
  %n = load i64, ptr %pn
  %pieces = load i64, ptr %pp
  %piece = sub i64 %pieces, %v
  %lo0 = mul i64 %piece, %n
  %lo = sdiv i64 %lo0, %pieces
  %up = add i64 %piece, 1
  %hi0 = mul i64 %up, %n
  %hi = sdiv i64 %hi0, %pieces
  %own = icmp ne i64 %sums, 0
  %part = select i1 %own, i64 %piece, i64 %tid
  call void %f(ptr %env, i64 %lo, i64 %hi, i64 %part)
  %c = atomicrmw add ptr %finished, i64 1 acq_rel
  br label %grab
exit:
  ret void
}}

define void @work(ptr %w, i64 %tid) {{
entry:
  %job = inttoptr i64 {job} to ptr
  %asked = getelementptr i8, ptr %job, i64 192
  %asleep = getelementptr i8, ptr %w, i64 64
  br label %next
next:
  %last = phi i64 [ 0, %entry ], [ %now, %run ]
  br label %look
look:
  %n = phi i64 [ 0, %next ], [ %n1, %idle ]
  %seen = load atomic i64, ptr %asked acquire, align 8
  %new = icmp ne i64 %seen, %last
  br i1 %new, label %run, label %idle
idle:
  {pause}
  %n1 = add i64 %n, 1
  %tired = icmp sge i64 %n1, {spin}
  br i1 %tired, label %sleep, label %look
sleep:
  %x = atomicrmw xchg ptr %asleep, i64 1 seq_cst
  %again = load atomic i64, ptr %asked seq_cst, align 8
  %late = icmp ne i64 %again, %last
  br i1 %late, label %awake, label %wait
awake:
  %was = atomicrmw xchg ptr %asleep, i64 0 seq_cst
  %mine = icmp eq i64 %was, 1
  br i1 %mine, label %run, label %wait
wait:
  %failed = call i32 @sem_wait(ptr %w)
  %retry = icmp ne i32 %failed, 0
  br i1 %retry, label %wait, label %run
run:
  %now = load atomic i64, ptr %asked acquire, align 8
  call void @take(ptr %job, i64 %tid)
  br label %next
}}

define void @share(ptr %f, ptr %env, i64 %n, i64 %sums) {{
entry:
  %own_sums = icmp ne i64 %sums, 0
  %most = select i1 %own_sums, i64 {threads}, i64 {pieces}
  %few = icmp slt i64 %n, %most
  %pieces = select i1 %few, i64 %n, i64 %most
  %busy = inttoptr i64 {busy} to ptr
  %job = inttoptr i64 {job} to ptr
  %workers = inttoptr i64 {workers} to ptr
  %pair = cmpxchg ptr %busy, i32 0, i32 1 acq_rel monotonic
  %free = extractvalue {{ i32, i1 }} %pair, 1
  br i1 %free, label %set, label %alone
alone:
  %parts = select i1 %own_sums, i64 %pieces, i64 1
  br label %part
part:
  %k = phi i64 [ 0, %alone ], [ %k1, %part ]
  %k1 = add i64 %k, 1
  %lo0 = mul i64 %k, %n
  %lo = sdiv i64 %lo0, %parts
  %hi0 = mul i64 %k1, %n
  %hi = sdiv i64 %hi0, %parts
  call void %f(ptr %env, i64 %lo, i64 %hi, i64 %k)
  %rest = icmp slt i64 %k1, %parts
  br i1 %rest, label %part, label %parted
parted:
  ret void
set:
  %pe = getelementptr i8, ptr %job, i64 8
  %pn = getelementptr i8, ptr %job, i64 16
  %pp = getelementptr i8, ptr %job, i64 24
  %counter = getelementptr i8, ptr %job, i64 64
  %finished = getelementptr i8, ptr %job, i64 128
  %asked = getelementptr i8, ptr %job, i64 192
  %ps = getelementptr i8, ptr %job, i64 32
  store ptr %f, ptr %job
  store ptr %env, ptr %pe
  store i64 %n, ptr %pn
  store i64 %pieces, ptr %pp
  store i64 %sums, ptr %ps
  store atomic i64 0, ptr %finished release, align 8
  store atomic i64 %pieces, ptr %counter seq_cst, align 8
  %number = atomicrmw add ptr %asked, i64 1 seq_cst
  br label %send
send:
  %i = phi i64 [ 1, %set ], [ %inext, %told ]
  %more = icmp slt i64 %i, {threads}
  br i1 %more, label %one, label %own
one:
  %inext = add i64 %i, 1
  %index = sub i64 %i, 1
  %at = mul i64 %index, {stride}
  %w = getelementptr i8, ptr %workers, i64 %at
  %asleep = getelementptr i8, ptr %w, i64 64
  %slept = atomicrmw xchg ptr %asleep, i64 0 seq_cst
  %wake = icmp eq i64 %slept, 1
  br i1 %wake, label %post, label %told
post:
  %posted = call i32 @sem_post(ptr %w)
  br label %told
told:
  br label %send
own:
  call void @take(ptr %job, i64 0)
  br label %check
check:
  %tries = phi i64 [ 0, %own ], [ %tries1, %pausing ], [ %tries, %yielding ]
  %have = load atomic i64, ptr %finished acquire, align 8
  %ready = icmp eq i64 %have, %pieces
  br i1 %ready, label %finish, label %notyet
notyet:
  %long = icmp sge i64 %tries, {spin}
  br i1 %long, label %yielding, label %pausing
pausing:
  {pause}
  %tries1 = add i64 %tries, 1
  br label %check
yielding:
  %y = call i32 @sched_yield()
  br label %check
finish:
  store atomic i32 0, ptr %busy release, align 4
  ret void
}}
"""
_PAUSES = {"x86": "llvm.x86.sse2.pause", "i686": "llvm.x86.sse2.pause"}


@functools.cache
def count() -> int:
    """Return how many threads share a loop."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(available or 1, 8))


class _Pool:
    """The workers, and the compiled function that hands a loop to them."""

    def __init__(self, machine: Any) -> None:
        threads = count()
        self._memory = ctypes.create_string_buffer(_STRIDE * (threads + 1) + 128)
        job = -(-ctypes.addressof(self._memory) // 64) * 64
        workers = job + _STRIDE
        self._busy = ctypes.c_int32(0)
        pause = next((p for k, p in _PAUSES.items() if machine.triple.startswith(k)), "")
        text = _SOURCE.format(
            declare_pause=f"declare void @{pause}()" if pause else "",
            pause=f"call void @{pause}()" if pause else "",
            spin=_SPIN,
            stride=_STRIDE,
            threads=threads,
            workers=workers,
            job=job,
            pieces=4 * threads,
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
