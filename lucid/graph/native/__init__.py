"""The native executor: programs as LLVM IR, compiled by llvmlite. Private."""
