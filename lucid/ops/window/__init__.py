"""Operations on windows that slide over the last axes: convolution, pooling, patches."""
