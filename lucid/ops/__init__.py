"""Operations, one family per file: the public functions, and below each its rules."""
