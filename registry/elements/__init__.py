"""The sixteen elements of a European micro-credential: each found, missing or doubtful, and how to fill it.

Council Recommendation of 16 June 2022 on a European approach to micro-credentials, Annex I. Where an element
stands in Open Badges 3.0 and in the European Learning Model 3 is data (`*.json` beside this file); what makes
a value plausible is code (`rules`, `checks`). docs/spec/micro-credential.md.
"""

from testamur.registry.elements.finding import ElementReport, Finding, Need, Problem, State
from testamur.registry.elements.profile import (
    check_elements,
    claims_elements,
    element_problems,
    require_elements,
)

__all__ = [
    "ElementReport",
    "Finding",
    "Need",
    "Problem",
    "State",
    "check_elements",
    "claims_elements",
    "element_problems",
    "require_elements",
]
