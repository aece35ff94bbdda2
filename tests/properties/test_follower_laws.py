"""Whatever an endpoint serves, a follower keeps one chain that is consistent with every final block."""

from hypothesis import given
from hypothesis import strategies as st

from fakes.chain_state import header_bytes
from testamur.node.chain.follower import Follower, Step
from testamur.node.errors import ReorgBeyondFinality
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import parse_header


def block(parent, salt):
    number = parent.number + 1 if parent else 0
    fields = rlp.decode_list(
        header_bytes(state_root=bytes(32), number=number, timestamp=1000 * number + salt)
    )
    fields[0] = parent.hash if parent else bytes(32)
    return parse_header(rlp.encode(fields))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 3)), max_size=40))
def test_connected_blocks_form_one_chain_above_the_final_ones(moves):
    tree = [block(None, 0)]
    follower = Follower(tree[0])
    chain, final = [tree[0]], 0
    for is_final, choice, salt in moves:
        target = tree[choice % len(tree)]
        if not is_final:
            target = block(target, salt)
            tree.append(target)
        try:
            steps = follower.finalise(target) if is_final else follower.connect(target)
        except (ValueError, ReorgBeyondFinality):
            continue
        for step in steps:
            if step.step is Step.DISCONNECTED:
                assert chain[-1] == step.header
                assert len(chain) - 1 > final
                chain.pop()
            elif step.step is Step.CONNECTED:
                assert step.header.parent_hash == chain[-1].hash
                chain.append(step.header)
            else:
                final += 1
                assert chain[final] == step.header
        assert (follower.head, follower.final) == (chain[-1], chain[final])
