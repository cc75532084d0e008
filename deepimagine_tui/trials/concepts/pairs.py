"""Finding the contrast that compares two groups of an outcome. Source fields: the contrast's groups and class."""

from __future__ import annotations

from deepimagine_tui.trials.results import Contrast, Outcome


def find_contrast(outcome: Outcome, k1_id: str, k2_id: str, class_title: str = "") -> Contrast | None:
    """The two-group contrast of `k1_id` and `k2_id`, in either order; `None` when none was posted, which is no failure.

    One restricted to `class_title` comes first, then one restricted to no class. Among those, the first with both an estimate
    and a p-value, then with an estimate, then with a p-value.
    """
    fitting = [
        contrast
        for contrast in outcome.contrasts
        if len(contrast.group_ids) == 2
        and set(contrast.group_ids) == {k1_id, k2_id}
        and contrast.class_title in ("", class_title)
    ]
    if not fitting:
        return None
    return min(
        fitting,
        key=lambda contrast: (
            contrast.class_title != class_title,
            contrast.estimate is None,
            contrast.p is None,
            contrast.index,
        ),
    )
