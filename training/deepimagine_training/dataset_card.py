"""The dataset card: what the pairs are, where they come from, and what they must not be taken for."""

from __future__ import annotations

from collections.abc import Mapping

from deepimagine_training.pair_stats import PairStats, text_of
from deepimagine_training.pairs import PairSet
from deepimagine_training.rows import PAIRS_VERSION
from deepimagine_tui.evaluation.sides import DOSE_RANGING_SHARES, SHARES, SIDES, SIDES_VERSION, Side


def card(pairs: PairSet, stats: PairStats) -> str:
    """The card as Markdown, with the header by which `datasets.load_dataset` finds the files: an empty one it cannot read."""
    present = {row.side for row in pairs.rows}
    files = "\n".join(f"      - split: {side}\n        path: data/{side}.parquet" for side in SIDES if side in present)
    claims = ", ".join(f"{file.name} ({len(file.claims):,} claims)" for file in pairs.claims) or "none"
    options = pairs.options
    randomised = "randomised trials" if options.randomised_only else "trials of any allocation"
    return f"""---
pretty_name: DeepImagine counterfactual pairs
language:
  - en
task_categories:
  - text-generation
configs:
  - config_name: default
    data_files:
{files}
---

# Counterfactual pairs of clinical trial results

Version {PAIRS_VERSION}. Each row is two posted comparisons of arms, with the changes that lead from the first to the second.

- **Corpus**: {pairs.corpus.name}, version {pairs.corpus.version}, data to {pairs.corpus.data_date or "unknown"},
  {pairs.corpus.trials:,} trials. CliniFact: {claims}.
- **Used**: {len(pairs.used):,} {randomised} with posted results and an enrolment of {options.min_enrolment:,} or more.
- **Natural pairs**: two comparisons of one trial that differ in one factor and are equal in everything else.
- **Approximate pairs**: comparisons of two similar trials of different programmes on one side, posted in the order source,
  target; `factors` lists what differs, `similarity` says how alike they are.
- **At most {options.per_trial_and_factor} pairs a trial and factor.** Pairs with two known verdicts are drawn first, then those
  with a known direction of benefit, then by hash. Each unordered pair is there once. Nothing is drawn by its answer.

## Sides

Trials are put on a side before any pair is drawn ({SIDES_VERSION}), by a hash of the smallest NCT id of their programme: trials
that share a sponsor's protocol id, a secondary id or an acronym are one programme, over all data sets. Shares:
{_shares(SHARES)}; programmes with a dose-ranging trial {_shares(DOSE_RANGING_SHARES)}. CliniFact's own split is never read.

## Columns

States are JSON of DeepImagine's `State`. Every number has its unit, status (`observed` or `derived`), dispersion, n and its
place in the registry: NCT id, outcome, group, class, category, or the index of the posted analysis. A verdict is `met`,
`not met` or `undetermined`, by one rule. `direction` is `up`, `down` or `no clear change` of the value that changes, and of the
benefit where the outcome changes; `e_scale` is what an error on the target's value is divided by, `copy_error` the error of
repeating the source's value. `not_scored` says why either is missing.

## What to know before training on it

- Copying the source's result is right most of the time, as the table below says. Report it as a baseline, and flips apart.
- Rows of one trial are not independent: split, weigh and bootstrap by trial.
- CliniFact's p-values have no sign: a significant one has no verdict here, so that its pairs are all `not met` to `not met`.
- Registry records were public before most models were trained, which may have seen them.
- Model output made with this is for hypothesis generation. Not evidence; not for patient care.

ClinicalTrials.gov records are public domain; CliniFact is MIT licensed.

## Counts

{text_of(stats)}
"""


def _shares(shares: Mapping[Side, float]) -> str:
    return ", ".join(f"{side} {share:.0%}" for side, share in shares.items())
