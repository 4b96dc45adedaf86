"""A difference and a proof as text for a terminal."""

from __future__ import annotations

from workbench.trace.results import Difference, Proof, Rung

_MARKS = {"identical": "=", "float noise": "~", "precision": "p", "different": "X"}


def difference_text(difference: Difference) -> str:
    """Verdict, stage, cause, fix, and the ladder."""
    lines = [f"verdict: {difference.verdict}"]
    if difference.first is not None and difference.cause is not None:
        lines.append(f"first difference: {difference.first.stage} ({difference.first.name})")
        lines.append(f"stage of the fault: {difference.cause.stage}")
        lines.append(f"cause: {difference.cause.sentence}. [{difference.cause.key}]")
    lines.append(
        f"embeddings: largest difference {difference.gap:.3g}, float noise up to {difference.gap_limit:.3g}; "
        f"cosine mean {difference.cosine_mean:.6f}, smallest {difference.cosine_min:.6f}, "
        f"1st percentile {difference.cosine_p01:.6f}"
    )
    for name, (left, right) in difference.context.items():
        lines.append(f"differs too: {name}: {str(left)[:120]} | {str(right)[:120]}")
    lines += [_rung(rung) for rung in difference.rungs]
    if difference.cause is not None and difference.cause.fix:
        lines += ["fix:", *(f"    {line}" for line in difference.cause.fix.splitlines())]
    return "\n".join(lines)


def proof_text(proof: Proof) -> str:
    """The faults in turn, with the gap before and after each swap."""
    lines = [difference_text(proof.difference)]
    for number, fault in enumerate(proof.faults, 1):
        lines.append(
            f"swap {number}: {fault.cause.stage}: gap {fault.gap_before:.3g} → {fault.gap_after:.3g}"
            f"{' (within the noise floor)' if fault.closed else ''}: {fault.cause.sentence}"
        )
    if proof.faults:
        lines.append(
            "the gap is closed" if proof.closed else "the gap is not closed: something else differs too"
        )
    return "\n".join(lines)


def _rung(rung: Rung) -> str:
    size = "" if rung.limit == 0 else f" {rung.max_abs:.2g} of {rung.limit:.2g}"
    count = f" in {len(rung.differing_texts)} texts" if rung.differing_texts else ""
    return f"  {_MARKS[rung.verdict]} {rung.stage:14} {rung.name}{size}{count}"
