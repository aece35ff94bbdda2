"""What several endpoints say together: more than half of those that answered, or nothing."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias, TypeVar

from testamur.node.chain.endpoints import Endpoint
from testamur.node.chain.refusals import RpcRefused
from testamur.node.errors import ChainUnavailable

Answer = TypeVar("Answer")
Answers: TypeAlias = Sequence[tuple[Endpoint, Answer]]


def majority(what: str, answers: Answers[Answer], key: Callable[[Answer], Hashable]) -> Answer:
    """The answer that more than half give, equal being what has the same `key`; the others are noted.

    Raises ChainUnavailable naming two endpoints that disagree.
    """
    keys = [key(answer) for _, answer in answers]
    winner, count = Counter(keys).most_common(1)[0]
    if 2 * count <= len(answers):
        one = keys.index(winner)
        other = next((place for place, found in enumerate(keys) if found != winner), one)
        raise ChainUnavailable(
            f"endpoints disagree about {what}: {answers[one][0].name} says {_text(winner)}, "
            f"{answers[other][0].name} says {_text(keys[other])}"
        )
    for (endpoint, _), found in zip(answers, keys, strict=True):
        if found == winner:
            endpoint.agreed()
        elif found is not None and winner is not None:  # None is said by who has not come so far
            endpoint.contradicted(f"most endpoints say {_text(winner)} of {what}, not {_text(found)}")
    return answers[keys.index(winner)][1]


def reached(what: str, answers: Answers[int | RpcRefused]) -> int:
    """The highest number that more than half have reached; of two endpoints, the lower one.

    Raises ChainUnavailable when half of them refused to say.
    """
    numbers = sorted(
        (-1 if isinstance(answer, RpcRefused) else answer for _, answer in answers), reverse=True
    )
    number = numbers[len(numbers) // 2]
    if number < 0:
        raise ChainUnavailable(f"too few endpoints know {what}")
    return number


def value_of(answer: Answer | RpcRefused) -> Answer:
    """The answer itself. Raises it when it is a refusal."""
    if isinstance(answer, RpcRefused):
        raise answer
    return answer


def said(answer: object) -> Hashable:
    """What an answer or a refusal says, without the words, which differ between products."""
    return ("refused", answer.data) if isinstance(answer, RpcRefused) else ("said", answer)


def event_key(row: object) -> Hashable:
    """What an event says: some products add members to it, such as a time."""
    if not isinstance(row, dict):
        return str(row)
    names = ("topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex", "removed")
    return tuple(str(row.get(name)) for name in names)


def _text(key: Hashable) -> str:
    if key is None:
        return "nothing"
    shown = f"0x{key.hex()}" if isinstance(key, bytes) else str(key)
    return shown if len(shown) <= 80 else shown[:77] + "…"
