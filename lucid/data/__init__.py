"""Datasets, samplers and the DataLoader: from arrays, tables, files and streams to batches.

    loader = lucid.data.DataLoader(dataset, batch_size=64, shuffle=True, generator=0)
    for x, y in loader: ...

Order and contents of batches depend on the generator alone, not on the workers, and a loader can
resume in the middle of an epoch. Arrays are NumPy's, pandas' or scikit-learn's; the latter two are
not needed to import this package.
"""

from __future__ import annotations

from lucid.data.collate import default_collate, default_convert
from lucid.data.context import WorkerInfo, get_worker_info, sample_key
from lucid.data.dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    NpyDataset,
    Subset,
    TensorDataset,
    random_split,
)
from lucid.data.loader import DataLoader
from lucid.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "NpyDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
    "sample_key",
]
