"""A diagnosis in words."""

from .advice import SEE
from .finding import HEALTHY, UNDETERMINED, Finding

SHOWN_LAYERS = 4


def report(name: str, findings: list[Finding], learned: str) -> str:
    """What is wrong, where, since when, on what evidence, and what to try.

    Args:
        name: The root cause.
        findings: The root first.
        learned: How much has been learned, in a sentence.
    """
    if name == HEALTHY:
        return f"Diagnosis: healthy. {learned}"
    if name == UNDETERMINED:
        return f"Diagnosis: undetermined: there is not enough yet to say. {learned}"
    lines = [f"Diagnosis: {name}. {learned}"]
    lines += _told(findings[0])
    if findings[1:]:
        lines.append("It explains, or goes with:")
        lines += [f"  - {headline(finding)}: {finding.evidence}" for finding in findings[1:]]
    return "\n".join(lines)


def headline(finding: Finding) -> str:
    """Name, layers and epoch in one line."""
    return f"{finding.name}{_places(finding)}, since epoch {finding.since_epoch}"


def line(finding: Finding) -> str:
    """A finding in one line, for the moment it appears."""
    first = f" Try: {finding.advice[0]}." if finding.advice else ""
    return f"[{finding.severity}] {headline(finding)}: {finding.evidence}.{first}"


def _told(finding: Finding) -> list[str]:
    where = ", ".join(finding.layers) if finding.layers else "the whole network"
    lines = [
        f"  where     {where}",
        f"  since     epoch {finding.since_epoch}",
        f"  evidence  {finding.evidence}",
    ]
    cures = [one for one in finding.advice if not one.startswith(SEE)]
    lines += [f"  {'' if place else 'try':9} {place + 1}. {cure}" for place, cure in enumerate(cures)]
    return lines + [f"  {one}" for one in finding.advice if one.startswith(SEE)]


def _places(finding: Finding) -> str:
    names = list(finding.layers)
    if not names:
        return ""
    more = f" and {len(names) - SHOWN_LAYERS} more" if len(names) > SHOWN_LAYERS else ""
    return f" in {', '.join(names[:SHOWN_LAYERS])}{more}"
