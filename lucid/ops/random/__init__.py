"""Random numbers: immutable keys, pure draws, and a generator that is a shell over both."""
