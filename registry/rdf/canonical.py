"""RDFC-1.0: the canonical N-Quads of a set of statements, with a bound on the work.

https://www.w3.org/TR/rdf-canon/. Most graphs are done after the first-degree hashes; what stays ambiguous
costs factorially, so it is counted, and a graph built to be expensive is refused within milliseconds.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from testamur.registry.errors import VerificationError
from testamur.registry.rdf.quads import Quad, write_quad

MAX_DEEP_HASHES: Final = 500
"""Calls of Hash N-Degree Quads for one document. Honest credentials need fewer than 20; a clique of seven
blank nodes (one kilobyte) would need hundreds of thousands."""

MAX_RELATED_HASHES: Final = 6_000
"""Neighbours looked at and orders tried in those calls: a few nodes with thousands of neighbours are as dear
as many nodes. The hardest of the W3C's tests needs 468 calls and 5 688 of these."""

Issuer = dict[str, str]
"""Blank node → its identifier, in the order in which they were issued."""

_HASHES: Final[dict[str, Callable[[bytes], "hashlib._Hash"]]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
}


def canonicalize_quads(quads: Iterable[Quad], algorithm: str = "sha256", subject: str = "document") -> bytes:
    """The canonical N-Quads (UTF-8, sorted, each line once) of `quads`; their blank node labels don't matter.

    `algorithm` is "sha256" or "sha384": P-384 suites hash with SHA-384 here too. Raises
    VerificationError("too-much-work"), ValueError for another algorithm.
    """
    return Canonicalization(quads, algorithm, subject).run()


class Canonicalization:
    """The state of one run; the step numbers are those of RDFC-1.0 §4.4.3."""

    def __init__(self, quads: Iterable[Quad], algorithm: str = "sha256", subject: str = "document") -> None:
        if algorithm not in _HASHES:
            raise ValueError(f"RDFC-1.0 hashes with sha256 or sha384, not with {algorithm}")
        self._hash = _HASHES[algorithm]
        self._subject = subject
        self._quads = list(dict.fromkeys(quads))
        self._of: dict[str, list[Quad]] = {}  # blank node → the statements that mention it
        self._first: dict[str, str] = {}
        self._issued: Issuer = {}
        self.deep_hashes = 0
        self.related_hashes = 0

    def run(self) -> bytes:
        """The canonical form."""
        of = self._of
        for quad in self._quads:  # 2
            s, _, o, g = quad
            if s[0] == "_":
                of.setdefault(s, []).append(quad)
            if o[0] == "_" and o != s:
                of.setdefault(o, []).append(quad)
            if g and g[0] == "_" and g not in (s, o):
                of.setdefault(g, []).append(quad)
        same: dict[str, list[str]] = {}
        for node in of:  # 3
            self._first[node] = first = self._hash_first_degree(node)
            same.setdefault(first, []).append(node)
        ambiguous = []
        for first in sorted(same):  # 4
            if len(same[first]) == 1:
                self._issued[same[first][0]] = f"_:c14n{len(self._issued)}"
            else:
                ambiguous.append(same[first])
        for nodes in ambiguous:  # 5
            unissued = [node for node in nodes if node not in self._issued]
            paths = [self._hash_n_degree(node, {node: "_:b0"}) for node in unissued]
            for _, issuer in sorted(paths, key=lambda path: path[0]):
                for node in issuer:
                    self._issued.setdefault(node, f"_:c14n{len(self._issued)}")
        return self._written()

    def _written(self) -> bytes:
        label = self._issued
        lines = []
        for s, p, o, g in self._quads:  # 6
            lines.append(write_quad((label.get(s, s), p, label.get(o, o), label.get(g, g))))
        lines.sort()
        return "".join(lines).encode()

    def _hash_first_degree(self, node: str) -> str:
        """§4.6: what is said about the node, itself as _:a and every other blank node as _:z."""
        lines = []
        for s, p, o, g in self._of[node]:
            if s[0] == "_":
                s = "_:a" if s == node else "_:z"  # noqa: PLW2901 - the statement as seen from the node
            if o[0] == "_":
                o = "_:a" if o == node else "_:z"  # noqa: PLW2901
            if g and g[0] == "_":
                g = "_:a" if g == node else "_:z"  # noqa: PLW2901
            lines.append(f"{s} {p} {o} {g} .\n" if g else f"{s} {p} {o} .\n")
        lines.sort()
        return self._hash("".join(lines).encode()).hexdigest()

    def _hash_n_degree(self, node: str, issuer: Issuer) -> tuple[str, Issuer]:
        """§4.8: the neighbourhood of the node, by the cheapest of all ways to walk it."""
        self.deep_hashes += 1
        neighbours: dict[str, list[str]] = {}
        for s, p, o, g in self._of[node]:
            for position, related in ((f"s{p}", s), (f"o{p}", o), ("g", g)):
                if related and related[0] == "_" and related != node:
                    known = self._issued.get(related) or issuer.get(related) or self._first[related]
                    hashed = self._hash(f"{position}{known}".encode()).hexdigest()  # §4.7
                    neighbours.setdefault(hashed, []).append(related)
                    self.related_hashes += 1
        self._check_work()
        data = []
        for hashed in sorted(neighbours):
            best = ""
            best_issuer = issuer
            for order in permutations(neighbours[hashed]):
                found = self._walk(order, dict(issuer), best)
                if found is not None and (not best or found[0] < best):
                    best, best_issuer = found
            data += [hashed, best]
            issuer = best_issuer
        return self._hash("".join(data).encode()).hexdigest(), issuer

    def _walk(self, order: list[str], issuer: Issuer, best: str) -> tuple[str, Issuer] | None:
        """§4.8 steps 5.4.1 to 5.4.5: the path of one order, or None once it is worse than the best."""
        self.related_hashes += 1
        self._check_work()
        path = ""
        fresh = []
        for related in order:
            if related in self._issued:
                path += self._issued[related]
            else:
                if related not in issuer:
                    fresh.append(related)
                    issuer[related] = f"_:b{len(issuer)}"
                path += issuer[related]
            if _is_worse(path, best):
                return None
        for related in fresh:
            hashed, deeper = self._hash_n_degree(related, issuer)
            path += f"{issuer[related]}<{hashed}>"
            issuer = deeper
            if _is_worse(path, best):
                return None
        return path, issuer

    def _check_work(self) -> None:
        if self.deep_hashes > MAX_DEEP_HASHES or self.related_hashes > MAX_RELATED_HASHES:
            raise VerificationError("too-much-work", subject=self._subject, limit=MAX_DEEP_HASHES)


def permutations(nodes: list[str]) -> Iterator[list[str]]:
    """Every order of `nodes`, by the Steinhaus-Johnson-Trotter algorithm from the sorted one on.

    Repeated nodes (one neighbour in several statements) are not exchanged with each other: the orders are
    those that the other implementations of RDFC-1.0 try.
    """
    if len(nodes) == 1:
        yield nodes
        return
    order = sorted(nodes)
    leftwards = dict.fromkeys(order, True)
    while True:
        yield order
        largest, place = "", -1
        for at, node in enumerate(order):
            beside = at - 1 if leftwards[node] else at + 1
            if node > largest and 0 <= beside < len(order) and node > order[beside]:
                largest, place = node, at
        if place < 0:
            return
        swap = place - 1 if leftwards[largest] else place + 1
        order[place], order[swap] = order[swap], largest
        for node in order:
            if node > largest:
                leftwards[node] = not leftwards[node]


def _is_worse(path: str, best: str) -> bool:
    return bool(best) and len(path) >= len(best) and path > best
