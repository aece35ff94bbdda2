// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistryErrors} from "./IAnchorRegistryErrors.sol";

/// @title Proof that one Merkle tree is an extension of another (RFC 9162 §2.1.4.2, SHA-256)
library ConsistencyProof {
    /// @dev Address of the SHA-256 precompile.
    uint256 private constant SHA256 = 2;

    /// @notice Prove that the tree (`size`, `root`) starts with the entries of the tree (`oldSize`, `oldRoot`).
    /// Reverts with `ProofMalformed` if the proof has not exactly the nodes these sizes call for, one too many
    /// included, and with `NotAnExtension` if the nodes do not lead to both roots.
    /// @dev Call with 0 < oldSize < size: an extension of the empty tree proves nothing, and equal sizes need a
    /// comparison, not a proof; both are refused here. `fn`, `sn`, `fr`, `sr`, `c` are the names of RFC 9162.
    ///
    /// The RFC has one loop that asks at each node whether it is past the fork of the two paths. Here the loop is cut
    /// in two at the fork, which is `fn == sn`: below it a node is the left or the right sibling, above it every node
    /// is a left sibling, one per bit that is set. This also fixes how many nodes are read, whatever the caller sends,
    /// so the number is compared once. The tests hold it against the RFC's loop, word by word.
    function verify(bytes32[] calldata proof, uint64 oldSize, bytes32 oldRoot, uint64 size, bytes32 root)
        internal
        view
    {
        if (oldSize == 0 || oldSize >= size) {
            revert IAnchorRegistryErrors.ProofMalformed(oldSize, size, proof.length);
        }
        unchecked {
            // The last leaf of either tree; its bits say, from the leaf upwards, whether the path is a right child.
            uint256 fn = uint256(oldSize) - 1;
            uint256 sn = uint256(size) - 1;
            // Up to the largest complete subtree at the right edge of the old tree.
            while (fn & 1 != 0) {
                fn >>= 1;
                sn >>= 1;
            }
            uint256 next = 0;
            bytes32 fr = oldRoot;
            // `fn` is zero if and only if the old size is a power of two. That subtree is then the old tree itself, and
            // the proof leaves its root out; otherwise it is the proof's first node.
            if (fn != 0) fr = _read(proof, next++);
            bytes32 sr = fr;
            uint256 buffer = _buffer();
            bool hashed = true;
            for (; fn != sn; (fn >>= 1, sn >>= 1)) {
                bytes32 c = _read(proof, next++);
                if (fn & 1 != 0) (fr, sr, hashed) = _both(buffer, hashed, c, fr, sr);
                else (sr, hashed) = _node(buffer, hashed, sr, c);
            }
            for (; fn != 0; fn &= fn - 1) {
                (fr, sr, hashed) = _both(buffer, hashed, _read(proof, next++), fr, sr);
            }
            if (next != proof.length) revert IAnchorRegistryErrors.ProofMalformed(oldSize, size, proof.length);
            if (!hashed) revert IAnchorRegistryErrors.Sha256Failed();
            if (fr != oldRoot || sr != root) revert IAnchorRegistryErrors.NotAnExtension(oldRoot, root);
        }
    }

    /// @notice SHA-256(0x01 || left || right).
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 result) {
        bool hashed;
        (result, hashed) = _node(_buffer(), true, left, right);
        if (!hashed) revert IAnchorRegistryErrors.Sha256Failed();
    }

    // Assembly, because the compiler's `sha256(abi.encodePacked(...))` takes new memory for each of up to 60 nodes and
    // its array access checks a bound that `verify` checks once: together a tenth of what an anchor costs.
    // slither-disable-start assembly

    /// @dev Node number `i`, or whatever lies behind a proof that is too short: `verify` refuses those at the end.
    function _read(bytes32[] calldata proof, uint256 i) private pure returns (bytes32 c) {
        assembly ("memory-safe") {
            c := calldataload(add(proof.offset, shl(5, i)))
        }
    }

    /// @dev Where all nodes are put together, behind the prefix that tells a parent from a leaf: 65 bytes, rounded up.
    function _buffer() private pure returns (uint256 buffer) {
        assembly ("memory-safe") {
            buffer := mload(0x40)
            mstore(0x40, add(buffer, 96))
            mstore8(buffer, 1)
        }
    }

    /// @dev `hashed` stays false once a call has failed: out of gas, or a chain without the precompile, which answers
    /// nothing. Otherwise the old scratch word would pass for a hash.
    function _node(uint256 buffer, bool hashed, bytes32 left, bytes32 right)
        private
        view
        returns (bytes32 result, bool stillHashed)
    {
        assembly ("memory-safe") {
            mstore(add(buffer, 1), left)
            mstore(add(buffer, 33), right)
            // One statement each, because the arguments of a Yul function are evaluated from right to left.
            stillHashed := staticcall(gas(), SHA256, buffer, 65, 0, 32)
            stillHashed := and(and(hashed, stillHashed), eq(returndatasize(), 32))
            result := mload(0)
        }
    }

    /// @dev `c` is the left sibling of both paths.
    function _both(uint256 buffer, bool hashed, bytes32 c, bytes32 fr, bytes32 sr)
        private
        view
        returns (bytes32 newFr, bytes32 newSr, bool stillHashed)
    {
        assembly ("memory-safe") {
            mstore(add(buffer, 1), c)
            mstore(add(buffer, 33), fr)
            let first := staticcall(gas(), SHA256, buffer, 65, 0, 32)
            newFr := mload(0)
            mstore(add(buffer, 33), sr)
            stillHashed := staticcall(gas(), SHA256, buffer, 65, 0, 32)
            newSr := mload(0)
            stillHashed := and(and(first, hashed), and(stillHashed, eq(returndatasize(), 32)))
        }
    }

    // slither-disable-end assembly
}
