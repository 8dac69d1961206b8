"""Scores of two runs that predicted the same samples, on the same draws of blocks."""

from pathlib import Path

import numpy as np
import pandas as pd

from lsa_helpers.run import Run

#: What tells a score: its table, the row (its text columns, as the model), and its column.
KEYS = ["table", "row", "score"]


def paired_scores(first: Path, second: Path) -> pd.DataFrame:
    """Differences of scores between two runs that predicted the same samples, block by block.

    Parameters
    ----------
    first, second : Path
        The runs' folders.

    Returns
    -------
    DataFrame
        ``table, row`` (the model), ``score, low, high``: the 95 % interval of the second run's
        score minus the first's over the same draws of blocks. Empty where the samples differ or
        there are none; of predictions the out-of-fold ones count, spatial and random.

    Notes
    -----
    The blocks are those of chapter 5, the larger ones where the runs' differ. **Source**: as for
    `lsa_helpers.validation.paired_differences`.
    """
    from lsa_helpers.validation import N_DRAWS, block_numbers, block_weights

    nothing = pd.DataFrame(columns=[*KEYS, "low", "high"])
    samples = [_parquet(run, "samples") for run in (first, second)]
    predictions = [_parquet(run, "predictions") for run in (first, second)]
    if not (_same_samples(*samples) and all(not table.empty for table in predictions)):
        return nothing
    block_m = max(table.attrs["block_m"] for table in samples)
    blocks = block_numbers(samples[0]["x"], samples[0]["y"], block_m)
    weights = block_weights(blocks, N_DRAWS, samples[0].attrs["seed"])
    a, b = (dict(list(table.groupby(["scheme", "model"]))) for table in predictions)
    rows = []
    for scheme, model in a:
        key = (scheme, model)
        if scheme in ("spatial", "random") and key in b:
            rows += [
                (f"scores_{scheme}", model, *difference)
                for difference in _differences(a[key], b[key], weights)
            ]
    return pd.DataFrame(rows, columns=nothing.columns) if rows else nothing


def _parquet(run: Path, name: str) -> pd.DataFrame:
    """A table among a run's products; empty where it cannot be read."""
    file = Run(run).product(f"{name}.parquet")
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError):
        return pd.DataFrame()


def _same_samples(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether two tables hold the same cells with the same labels, and say their blocks."""
    columns = ["x", "y", "label"]
    if not all(
        {*columns} <= {*table} and {"block_m", "seed"} <= {*table.attrs} for table in (a, b)
    ):
        return False
    return len(a) == len(b) and bool((a[columns].to_numpy() == b[columns].to_numpy()).all())


def _differences(a: pd.DataFrame, b: pd.DataFrame, weights: np.ndarray) -> list[tuple]:
    """Score, and the interval of its difference, of two predictions of the same samples."""
    from lsa_helpers.validation import drawn_scores, paired_differences, within_groups_auc

    drawn = []
    for part in (a, b):
        part = part.sort_values("sample")
        label, probability = part["label"].to_numpy(), part["probability"].to_numpy()
        if len(part) != weights.shape[1]:
            return []
        within = within_groups_auc(label, probability, part["fold"], weights)
        drawn.append(drawn_scores(label, probability, weights) | {"auc_within": within})
    rows = []
    for score in drawn[0]:
        values = {"a": drawn[0][score], "b": drawn[1][score]}
        low, high = paired_differences(values, [("b", "a")]).loc[0, ["low", "high"]]
        rows.append((score, low, high))
    return rows
