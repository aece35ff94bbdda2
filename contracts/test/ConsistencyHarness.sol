// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsistencyProof} from "../src/ConsistencyProof.sol";
import {IConsistencyHarness} from "./IConsistencyHarness.sol";

/// @dev The library as calls, compiled like the registry.
contract ConsistencyHarness is IConsistencyHarness {
    function verify(bytes32[] calldata proof, uint64 oldSize, bytes32 oldRoot, uint64 size, bytes32 root)
        external
        view
    {
        ConsistencyProof.verify(proof, oldSize, oldRoot, size, root);
    }

    function node(bytes32 left, bytes32 right) external view returns (bytes32) {
        return ConsistencyProof.node(left, right);
    }
}
