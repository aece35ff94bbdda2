"""A holder with one file, who refreshes it and asks about moments."""

from datetime import datetime, timedelta

from fakes.status_life import StatusLife
from fakes.whole_registry import judge, trust
from testamur.registry.evidence import parse_evidence
from testamur.registry.evidence_building import refreshed
from testamur.registry.mirrored import mirrored_logs
from testamur.registry.verification import Verdict

TRUST = trust()


class EvidenceHolder:
    """Keeps one file, and refreshes it whenever it is told to. `at`: the moment as of which it proves."""

    def __init__(self, life: StatusLife, evidence=None):
        self.life = life
        self.evidence = evidence
        self.at = life.captured_at
        self.refresh()

    def refresh(self, records=()):
        """What a node gives out now takes the place of what was in the file."""
        life = self.life
        whole = life.evidence()
        self.evidence = refreshed(
            whole,
            self.evidence,
            life.credential,
            life.prove_consistency,
            mirrored=mirrored_logs(parse_evidence(whole).logs.values(), TRUST),
            records=records,
        )
        self.at = life.captured_at
        return self.evidence

    @property
    def earlier(self):
        """What the file keeps of the evidence that was replaced, the newest first."""
        return self.evidence.get("earlier", [])

    def as_of(self, moment: datetime, evidence=None) -> Verdict:
        """The verdict about a moment, judged just after now."""
        dossier = {"credential": self.life.credential, "evidence": evidence or self.evidence}
        return judge(dossier, trust=TRUST, now=self.life.now + timedelta(seconds=1), as_of=moment)
